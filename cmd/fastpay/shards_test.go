package main

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// long says whether to run the long variants of what is tried with processes.
var long = os.Getenv("FASTPAY_LONG") != ""

// under is how long something is tried under load.
func under(short, longer time.Duration) time.Duration {
	if long {
		return longer
	}
	return short
}

// TestShardsInFourProcesses runs an authority as four processes that write to disk, and pays between all of them.
func TestShardsInFourProcesses(t *testing.T) {
	w := newShardWorld(t, nil)
	w.startAll()
	l := w.pay(allShards, allShards)
	time.Sleep(under(2*time.Second, time.Minute))
	l.finish()
	l.conserved()
	l.audited()
	w.startAll() // from what they wrote
	l.conserved()
}

// TestKilledShardsLoseNothing kills one process after the other under load and starts it again: what was answered stays,
// and each credit arrives once, whatever was on its way between two shards.
func TestKilledShardsLoseNothing(t *testing.T) {
	w := newShardWorld(t, nil)
	w.startAll()
	l := w.pay(allShards, allShards)
	rounds := 6
	if long {
		rounds = 100
	}
	for i := range rounds {
		shard := i % worldShards
		before := l.payments()
		w.patiently(func() bool { return l.payments() >= before+200 })
		w.signal(shard, syscall.SIGKILL)
		if i%2 == 1 {
			time.Sleep(200 * time.Millisecond) // the others issue credits that wait
		}
		w.start(shard)
	}
	l.finish()
	l.conserved()
	l.audited()
}

// TestOldShardDirectoryIsRefused puts back an old copy of a shard's data directory. If credits between it and its siblings
// are missing there, it must not run on: both sides say so, with the numbers.
func TestOldShardDirectoryIsRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("starts 20 processes")
	}
	for _, c := range []struct {
		name           string
		payers, payees []int // between the copy and its return
		want           string
		hasOther       bool // payments are made with it before its siblings meet it again
	}{
		{"as payer", []int{1}, []int{0}, "the sender has issued", false},
		{"as payer that went on", []int{1}, []int{0}, "refused: credits up to", true},
		{"as payee", []int{0}, []int{1}, "its cursor is at", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newShardWorld(t, nil)
			w.startAll()
			l := w.pay(allShards, allShards)
			time.Sleep(100 * time.Millisecond)
			l.finish()
			l.conserved()

			w.signal(1, syscall.SIGTERM)
			old, next := w.folder(1)+".old", slices.Clone(w.next[1])
			copyFolder(t, w.folder(1), old)
			w.start(1)
			before := l.payments()
			l.resume(c.payers, c.payees)
			time.Sleep(300 * time.Millisecond)
			l.finish()
			l.conserved()

			w.signal(1, syscall.SIGKILL)
			folder := w.folder(1)
			if err := os.RemoveAll(folder); err != nil {
				t.Fatal(err)
			}
			copyFolder(t, old, folder)
			p := w.meetAgain(c.hasOther, next, l.payments()-before)
			if p.err == nil || !strings.Contains(p.text(), c.want) {
				t.Errorf("ended with %v, expected an error that says %q", p.err, c.want)
			}
			if text := w.process(0).text(); !strings.Contains(text, c.want) {
				t.Errorf("the sibling does not say %q:\n%s", c.want, text)
			}
		})
	}
}

// meetAgain runs shard 1 on an old copy of its directory until it ends. If others is set, it first issues other credits,
// more than it has forgotten, while its siblings are down; next are the sequence numbers that it knows.
func (w *shardWorld) meetAgain(others bool, next []uint64, forgotten uint64) *shardProcess {
	w.t.Helper()
	if !others {
		p := w.launch(1)
		w.await(p)
		return p
	}
	siblings := []int{0, 2, 3}
	for _, s := range siblings {
		w.signal(s, syscall.SIGTERM)
	}
	w.next[1] = next
	p := w.start(1)
	l := w.pay([]int{1}, []int{0})
	w.patiently(func() bool { return l.payments() >= forgotten+100 })
	l.finish()
	for _, s := range siblings {
		w.start(s)
	}
	w.await(p)
	return p
}

func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v\n%s", err, out)
	}
}

// TestStoppedShardBlocksNobody stops a process without ending it, so that its connections hang: payments between the other
// shards go on, and so do payments to it, which arrive when it goes on.
func TestStoppedShardBlocksNobody(t *testing.T) {
	if testing.Short() {
		t.Skip("measures")
	}
	w := newShardWorld(t, nil)
	w.startAll()
	l := w.pay([]int{0, 1, 2}, allShards)
	rate := func() float64 {
		before, began := l.payments(), time.Now()
		time.Sleep(under(time.Second, 10*time.Second))
		return float64(l.payments()-before) / time.Since(began).Seconds()
	}
	time.Sleep(200 * time.Millisecond)
	free := rate()
	w.signal(3, syscall.SIGSTOP)
	stopped := rate()
	w.signal(3, syscall.SIGCONT)
	l.finish()
	l.conserved()
	t.Logf("%.0f payments/s, and %.0f while a quarter of them go to a shard that is stopped", free, stopped)
	if stopped < free/5 { // it would be next to none; the machine may be busy with something else
		t.Errorf("%.0f payments/s while a shard is stopped, %.0f before", stopped, free)
	}
}
