package node

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"fastpay/codec"
)

// The kills of TestKilledProcesses; more with this variable.
const (
	killsVariable = "FASTPAY_KILLS"
	defaultKills  = 20
	shortKills    = 6
)

// victim is a process that is killed: an authority, or some of its shards.
type victim struct {
	World  worldSpec
	Dir    string
	Shards []int
	cmd    *exec.Cmd
}

// worldSpec is what a process makes the same world of that the test has.
type worldSpec struct {
	Keys, Members, Shards, Accounts, Port int
}

const victimTask = "FASTPAY_TEST_VICTIM"

// TestVictim is no test of its own: it is the process that TestKilledProcesses kills.
func TestVictim(t *testing.T) {
	task := os.Getenv(victimTask)
	if task == "" {
		t.Skip("the victim of other tests")
	}
	var v victim
	if err := json.Unmarshal([]byte(task), &v); err != nil {
		t.Fatal(err)
	}
	o := v.World.make(t).onDisk(v.Dir, DurabilitySync, v.Shards...)
	l := tiny
	l.commitHere = commitHere
	l.snapshotInterval, l.sweep = 5*time.Millisecond, 20*time.Millisecond
	o.limits, o.Pin, o.Retain = &l, "off", Retain{Bytes: 1 << 20}
	o.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	n, err := Start(o)
	if err != nil {
		fmt.Println("bad:", err)
		return
	}
	fmt.Printf("ready: %+v\n", n.Recovery())
	context.AfterFunc(t.Context(), func() { _ = n.Stop(context.Background()) })
	if err := n.Wait(); err != nil {
		fmt.Println("bad:", err)
	}
}

func (s worldSpec) make(t testing.TB) *world {
	return newWorldOf(t, s.Keys, s.Members, s.Shards, s.Accounts, s.Port)
}

// start runs the victim, and returns once it has recovered and all its ports accept.
func (v *victim) start() error {
	task, err := json.Marshal(v)
	if err != nil {
		return err
	}
	v.cmd = exec.Command(os.Args[0], "-test.run=^TestVictim$")
	v.cmd.Env = append(os.Environ(), victimTask+"="+string(task))
	v.cmd.Stderr = os.Stderr
	v.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := v.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := v.cmd.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line[0] != 'r' {
		return fmt.Errorf("the process did not start: %v, %s", err, line)
	}
	return nil
}

func (v *victim) kill() {
	_ = v.cmd.Process.Kill()
	_ = v.cmd.Wait()
}

// payer pays from some accounts until told to stop, over one connection for each shard, and remembers everything that it
// was told.
type payer struct {
	w        *world
	accounts []int
	rng      *rand.Rand
	h        *history
	certs    []map[uint64]codec.Certificate // by account and number, all that were ever made
	paid     atomic.Int64
}

// run pays until the context ends. A connection that breaks is made again.
func (p *payer) run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := p.session(ctx); err != nil && !errors.Is(err, errGone) {
			return err
		}
	}
	return nil
}

var errGone = errors.New("the authority is gone")

func (p *payer) session(ctx context.Context) error {
	var conns []*client
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for shard := range p.w.members[0].NumShards {
		sock, err := net.DialTimeout("tcp", p.w.address(shard), time.Second)
		if err != nil {
			time.Sleep(5 * time.Millisecond)
			return errGone
		}
		conns = append(conns, &client{t: p.w.t, Conn: sock, in: bufio.NewReader(sock)})
	}
	for ctx.Err() == nil {
		if err := p.pay(conns); err != nil {
			return err
		}
	}
	return nil
}

// pay makes one payment from some account: an order, now and then a conflicting one first or last, and its certificate.
func (p *payer) pay(conns []*client) error {
	account := p.accounts[p.rng.IntN(len(p.accounts))]
	c := conns[p.w.shardOf(account)]
	ask := func(m []byte) (*codec.Message, error) {
		reply, err := c.tryAsk(m)
		if err != nil {
			return nil, errGone
		}
		return reply, p.h.heard(account, reply)
	}
	reply, err := ask(infoRequest(p.w, account))
	if err != nil {
		return err
	}
	number := reply.InfoResponse().NextSequenceNumber
	if number < p.h.next[account] {
		return fmt.Errorf("account %d is back at %d, was told %d", account, number, p.h.next[account])
	}
	if cert, ok := p.certs[account][number]; ok { // sent before, without an answer
		if _, err := ask(codec.AppendCertificate(nil, cert)); err != nil {
			return err
		}
		p.paid.Add(1)
		return nil
	}
	for range 1 + p.rng.IntN(2) { // a second one conflicts, unless it is the same
		o := p.w.order(account, p.rng.IntN(len(p.w.accounts)), 1+p.rng.Uint64N(3), number)
		if _, err := ask(codec.AppendOrder(nil, o)); err != nil {
			return err
		}
	}
	voted, ok := p.h.voted[account][number]
	if !ok {
		return nil // no money
	}
	cert := p.w.certificate(voted)
	p.certs[account][number] = cert
	if _, err := ask(codec.AppendCertificate(nil, cert)); err != nil {
		return err
	}
	p.paid.Add(1)
	return nil
}

// TestKilledProcesses kills an authority's processes at random moments under load, and starts them again. Its segments are
// tiny, so that kills meet changes of segments and snapshots as often as commits. No vote may contradict another, nothing
// that was acknowledged may be gone, each credit must have come once, and so the sums be what they were.
func TestKilledProcesses(t *testing.T) {
	kills := defaultKills
	if testing.Short() {
		kills = shortKills
	}
	if text := os.Getenv(killsVariable); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	const accounts, payers = 64, 8
	spec := worldSpec{Keys: os.Getpid(), Members: 4, Shards: 2, Accounts: accounts, Port: freePorts(t, 2)}
	w := spec.make(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("%d kills, seed %d", kills, seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	victims := []*victim{{World: spec, Dir: t.TempDir()}}
	for _, v := range victims {
		if err := v.start(); err != nil {
			t.Fatal(err)
		}
		defer v.kill()
	}

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var all []*payer
	var paying sync.WaitGroup
	for i := range payers {
		p := &payer{w: w, rng: rand.New(rand.NewPCG(seed, uint64(i+2))), h: newHistory(w)}
		for range w.accounts {
			p.certs = append(p.certs, make(map[uint64]codec.Certificate))
		}
		for a := i; a < accounts; a += payers {
			p.accounts = append(p.accounts, a)
		}
		all = append(all, p)
		paying.Go(func() {
			if err := p.run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	for range kills {
		time.Sleep(time.Duration(rng.Int64N(int64(200 * time.Millisecond))))
		v := victims[rng.IntN(len(victims))]
		v.kill()
		if err := v.start(); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(100 * time.Millisecond)
	stop()
	paying.Wait()
	paid := int64(0)
	for _, p := range all {
		paid += p.paid.Load()
	}
	t.Logf("%d payments", paid)
	if paid < int64(kills) {
		t.Errorf("only %d payments", paid)
	}
	wantBooks(t, w, all)
}

// wantBooks compares every balance with what the settled certificates say, once all credits have arrived.
func wantBooks(t *testing.T, w *world, all []*payer) {
	t.Helper()
	balance := make([]int64, len(w.accounts))
	for i := range balance {
		balance[i] = initialBalance
	}
	for _, p := range all {
		for _, account := range p.accounts {
			c := w.dial(w.shardOf(account))
			r := c.ask(infoRequest(w, account)).InfoResponse()
			_ = c.Close()
			if r.NextSequenceNumber < p.h.next[account] {
				t.Errorf("account %d: %d payments are settled, %d were told", account, r.NextSequenceNumber, p.h.next[account])
			}
			for number := range r.NextSequenceNumber {
				o := p.certs[account][number].Order()
				balance[account] -= int64(o.Amount())
				balance[w.accountOf(o.Recipient())] += int64(o.Amount())
			}
		}
	}
	for i, want := range balance {
		eventually(t, fmt.Sprintf("account %d to have %d", i, want), func() bool { return int64(w.balance(i)) == want })
	}
}

// accountOf is the number of the account with an address.
func (w *world) accountOf(a *codec.Address) int {
	for i, k := range w.accounts {
		if k.Public() == *a {
			return i
		}
	}
	w.t.Fatal("nobody's address")
	return 0
}
