package node

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
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
	Mode   Durability
	Accept bool // that votes are lost
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
	o := v.World.make(t).onDisk(v.Dir, v.Mode, v.Shards...)
	o.AcceptLostVotes = v.Accept
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
	victims := []*victim{{World: spec, Dir: t.TempDir(), Mode: DurabilitySync}}
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
		p := newPayer(w, rand.New(rand.NewPCG(seed, uint64(i+2))), i, payers)
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

// TestKilledAsync kills processes with durability async under load. Each start after that is refused, in both modes, until
// somebody accepts that votes are lost; what was answered may be gone then, but no money is. A stop in good order leaves
// nothing to accept; a process with durability none leaves it for good, killed or not.
func TestKilledAsync(t *testing.T) {
	kills := 8
	if testing.Short() {
		kills = 2
	}
	spec := worldSpec{Keys: os.Getpid(), Members: 4, Shards: 2, Accounts: 32, Port: freePorts(t, 2)}
	w := spec.make(t)
	v := &victim{World: spec, Dir: t.TempDir(), Mode: DurabilityAsync}
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 1))
	refused := func(mode Durability, what string) {
		t.Helper()
		v.Mode, v.Accept = mode, false
		if err := v.start(); err == nil || !strings.Contains(err.Error(), what) {
			t.Fatalf("a start with durability %s: %v, expected %q", mode, err, what)
		}
		_ = v.cmd.Wait()
		v.Mode = DurabilityAsync
	}
	p := newPayer(w, rand.New(rand.NewPCG(seed, 2)), 0, 1)
	for i := range kills {
		v.Accept = i > 0
		if err := v.start(); err != nil {
			t.Fatal(err)
		}
		defer v.kill()
		p.h = newHistory(w) // it may have forgotten what it told
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error)
		go func() { ended <- p.run(ctx) }()
		time.Sleep(time.Duration(rng.Int64N(int64(300 * time.Millisecond))))
		v.kill()
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		for _, mode := range []Durability{DurabilityAsync, DurabilitySync} {
			refused(mode, "--durability async ended here without syncing")
		}
		refused(DurabilityNone, "has the journal of this authority")
	}
	v.Accept = true
	if err := v.start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the sum of all balances", func() bool {
		sum := uint64(0)
		for i := range w.accounts {
			sum += w.balance(i)
		}
		return sum == uint64(initialBalance*len(w.accounts))
	})
	t.Logf("%d kills, %d payments", kills, p.paid.Load())
	v.kill()

	*v = victim{World: spec, Dir: t.TempDir(), Mode: DurabilityNone}
	if err := v.start(); err != nil {
		t.Fatal(err)
	}
	v.kill()
	for _, mode := range []Durability{DurabilityAsync, DurabilitySync} {
		refused(mode, "ran with --durability none")
	}
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
