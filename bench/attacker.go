package bench

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"fastpay/codec"
	"fastpay/perf"
)

// AttackerCommand is how the binary starts itself as the attackers: its arguments after the program's name.
var AttackerCommand = []string{"bench", "attacker"}

// attackerSpec goes to the attackers' process as a line of JSON; then commands, begin and end, one a line. Each is answered
// with a line. When the input ends it ends, and so does any attack after maxTurn, whatever becomes of the parent.
type attackerSpec struct {
	Attack      Attack          `json:"attack"`
	Port        int             `json:"port"` // of the authority's first shard, on 127.0.0.1
	Shards      int             `json:"shards"`
	Connections int             `json:"connections"`
	Seed        uint64          `json:"seed"`
	Accounts    []codec.Address `json:"accounts"` // some that the authority has
}

// attackerAccounts is how many accounts attackers know.
const attackerAccounts = 64

func (s *siege) attackerSpec(a Attack, port int) *attackerSpec {
	accounts := s.made.accounts[:min(attackerAccounts, len(s.made.accounts))]
	return &attackerSpec{a, port, s.NumShards, s.Hostile, s.Seed, accounts}
}

// attackCounts is what attackers did.
type attackCounts struct {
	Seconds     float64 `json:"seconds"`
	CPUSeconds  float64 `json:"cpu_seconds"`
	Connections int64   `json:"connections"` // that were opened
	Failed      int64   `json:"failed"`      // that were not
	Closed      int64   `json:"closed"`      // that the authority closed
	Messages    int64   `json:"messages"`    // frames, or pieces of them, and datagrams
	Bytes       int64   `json:"bytes"`
}

func (c *attackCounts) add(o *attackCounts) {
	c.Seconds += o.Seconds
	c.CPUSeconds += o.CPUSeconds
	c.Connections += o.Connections
	c.Failed += o.Failed
	c.Closed += o.Closed
	c.Messages += o.Messages
	c.Bytes += o.Bytes
}

type attackerReply struct {
	Unable string       `json:"unable,omitempty"` // to the specification: what is missing on this machine
	Counts attackCounts `json:"counts"`           // to end
	Error  string       `json:"error,omitempty"`
}

// attackerProcess is the parent's end.
type attackerProcess struct {
	*self
	unable string
}

func startAttacker(spec *attackerSpec, stderr io.Writer) (*attackerProcess, error) {
	self, err := startSelf("the attackers' process", AttackerCommand, stderr)
	if err != nil {
		return nil, err
	}
	p := &attackerProcess{self: self}
	var r attackerReply
	if err = p.tell(spec); err == nil {
		err = p.answer(&r, &r.Error)
	}
	if err != nil {
		return nil, errors.Join(err, p.stop())
	}
	p.unable = r.Unable
	return p, nil
}

func (p *attackerProcess) do(command string) (attackCounts, error) {
	var r attackerReply
	err := p.ask(command, &r, &r.Error)
	return r.Counts, err
}

// begin returns when connections that are to be open are.
func (p *attackerProcess) begin() error { _, err := p.do(commandBegin); return err }

func (p *attackerProcess) end() (attackCounts, error) { return p.do(commandEnd) }

func (p *attackerProcess) stop() error { return p.self.end(stopTimeout) }

// attacker is the process of the attackers. One CPU is theirs at most.
type attacker struct {
	attackerSpec
	random *rand.Rand // of one goroutine at a time
	counts struct{ connections, failed, closed, messages, bytes atomic.Int64 }
	stop   chan struct{}
	all    sync.WaitGroup
	ends   *time.Timer
	began  time.Time
	cpu    time.Duration
}

// ServeAttacker is that process: it does what in says, and returns when in ends.
func ServeAttacker(in io.Reader, out io.Writer) error {
	signal.Ignore(os.Interrupt)
	runtime.GOMAXPROCS(1)
	if _, err := perf.RaiseFileLimit(); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	r, replies := bufio.NewReader(in), json.NewEncoder(out)
	line, err := r.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("bench: read what to attack: %w", err)
	}
	a := &attacker{}
	if err := json.Unmarshal(line, &a.attackerSpec); err != nil {
		return fmt.Errorf("bench: what to attack: %w", err)
	}
	a.random = newSource(a.Seed)
	if err := replies.Encode(attackerReply{Unable: a.unable()}); err != nil {
		return err
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			a.end()
			return nil // the parent is done, or gone
		}
		var reply attackerReply
		switch name := strings.TrimSuffix(line, "\n"); name {
		case commandBegin:
			err = a.begin()
		case commandEnd:
			reply.Counts = a.end()
		default:
			err = errors.New("bench: unknown command " + strconv.Quote(name))
		}
		if err != nil {
			reply.Error = err.Error()
		}
		if err := replies.Encode(reply); err != nil {
			a.end()
			return fmt.Errorf("bench: answer a command: %w", err)
		}
	}
}

func newSource(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func (a *attacker) begin() error {
	a.stop, a.began, a.cpu = make(chan struct{}), time.Now(), perf.ProcessUsage().CPU
	a.ends = time.AfterFunc(2*maxTurn, func() { os.Exit(1) })
	switch a.Attack {
	case AttackIdle, AttackSlow, AttackNeverFinish:
		return a.hold()
	case AttackChurn, AttackGarbage:
		a.come()
	case AttackNeverRead, AttackBadSignatures:
		return a.talk()
	case AttackFlood:
		return a.flood()
	case AttackForged:
		return a.forge()
	}
	return nil
}

// end ends what begin began, and tells what was done.
func (a *attacker) end() attackCounts {
	if a.stop == nil {
		return attackCounts{}
	}
	close(a.stop)
	a.all.Wait()
	a.stop = nil
	a.ends.Stop()
	c := &a.counts
	return attackCounts{
		Seconds: time.Since(a.began).Seconds(), CPUSeconds: (perf.ProcessUsage().CPU - a.cpu).Seconds(),
		Connections: c.connections.Swap(0), Failed: c.failed.Swap(0), Closed: c.closed.Swap(0),
		Messages: c.messages.Swap(0), Bytes: c.bytes.Swap(0),
	}
}

// attackTick is how often attackers act, so that so many a second are spread evenly.
const attackTick = 5 * time.Millisecond

// paced calls do with how many are due, perSecond on average, until the attack ends. What is late is not made up for.
func (a *attacker) paced(perSecond int, do func(n int)) {
	ticker := time.NewTicker(attackTick)
	defer ticker.Stop()
	owed, last := 0.0, time.Now()
	for {
		select {
		case <-a.stop:
			return
		case now := <-ticker.C:
			owed += min(now.Sub(last), 4*attackTick).Seconds() * float64(perSecond)
			last = now
			n := int(owed)
			owed -= float64(n)
			do(n)
		}
	}
}

func (a *attacker) sent(n int, err error) bool {
	a.counts.bytes.Add(int64(n))
	if err != nil {
		return false
	}
	a.counts.messages.Add(1)
	return true
}
