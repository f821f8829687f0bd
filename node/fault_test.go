package node

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"fastpay/codec"
	"fastpay/node/journal"
)

// faulty is a node with loops, over a disk of which one operation fails.
type faulty struct {
	w      *world
	h      *history
	mem    *journal.MemFS
	dir    string       // of the data; "" for one of its own
	count  atomic.Int64 // operations so far
	failAt int64        // this one fails; 0 for none
	err    error
	mu     sync.Mutex
	failed journal.Op
}

var errInjected = errors.New("injected")

func (f *faulty) inject(op journal.Op) error {
	if f.count.Add(1) != f.failAt {
		return nil
	}
	f.mu.Lock()
	f.failed = op
	f.mu.Unlock()
	return f.err
}

func (f *faulty) options() Options {
	o := f.w.durable(f.mem)
	o.DataDir = cmp.Or(f.dir, o.DataDir)
	real := o.openFS
	o.openFS = func(path string) (journal.FS, error) {
		fs, err := real(path)
		if _, ok := fs.(*journal.MemFS); ok {
			fs = &journal.FaultFS{FS: fs, Inject: f.inject}
		}
		return fs, err
	}
	l := tiny
	l.snapshotInterval, l.sweep = 1e6, 1e7 // 1 ms, 10 ms
	o.limits, o.Workers, o.Pin = &l, 2, "off"
	return o
}

// run starts the node and lets clients pay until it ends, or all is paid. It returns why it ended.
func (f *faulty) run() error {
	n, err := Start(f.options())
	if err != nil {
		return err
	}
	f.pay()
	return n.Stop(context.Background())
}

// pay lets each account pay some others, one after the other over one connection for each shard, until one of them gets
// no answer.
func (f *faulty) pay() {
	conns := []*client{f.w.dial(0), f.w.dial(1)}
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for round := range uint64(30) {
		for i := range f.w.accounts {
			if f.h.next[i] > round {
				continue
			}
			o := f.w.order(i, (i+1+int(round))%len(f.w.accounts), 1, round)
			if voted, ok := f.h.voted[i][round]; ok {
				o = voted
			}
			c := conns[f.w.shardOf(i)]
			for _, m := range [][]byte{codec.AppendOrder(nil, o), codec.AppendCertificate(nil, f.w.certificate(o))} {
				reply, err := c.tryAsk(m)
				if err != nil {
					return
				}
				if err := f.h.heard(i, reply); err != nil {
					f.w.t.Error(err)
				}
			}
		}
	}
}

// TestEveryFailureOfTheDisk fails each operation of the disk once: from its first moment on, through payments, changes of
// segments and snapshots. What was told before is there after a restart on what a crash leaves, and nothing was told that
// is not.
func TestEveryFailureOfTheDisk(t *testing.T) {
	w := newWorld(t, 4, 2, 12)
	whole := &faulty{w: w, h: newHistory(w), mem: new(journal.MemFS)}
	if err := whole.run(); err != nil {
		t.Fatal(err)
	}
	total := whole.count.Load()
	step := 1 + total/60 // of some kinds there are hundreds that are all alike
	if testing.Short() {
		step = 1 + total/20
	}
	failed, ended := 0, 0
	for at := int64(1); at <= total; at += 1 + (step-1)*min(1, at/30) { // each of the first, which are the start
		f := &faulty{w: w, h: newHistory(w), mem: new(journal.MemFS), failAt: at, err: errInjected}
		failed++
		err := f.run()
		if err != nil {
			ended++
			if !errors.Is(err, errInjected) {
				t.Fatalf("operation %d (%+v): ended with another error: %v", at, f.failed, err)
			}
		}
		if err := f.restart(t); err != nil {
			t.Fatalf("operation %d of %d, %+v: after the restart: %v", at, total, f.failed, err)
		}
	}
	t.Logf("%d of %d operations failed, %d of them ended the node", failed, total, ended)
	if ended == 0 {
		t.Error("no failure ended the node")
	}
}

// restart recovers from what a crash leaves that keeps nothing which was not synced, and checks it.
func (f *faulty) restart(t *testing.T) error {
	o := f.w.durable(f.mem.Crash(func() bool { return false }))
	l := tiny
	o.limits, o.Workers, o.Pin = &l, 2, "off"
	n := f.w.loopless(o)
	defer n.store.close()
	n.settle(t)
	return f.h.check(t, n)
}

// TestFullDisk ends the node when there is no room, with the cause, and what was told is there after it.
func TestFullDisk(t *testing.T) {
	w := newWorld(t, 4, 2, 12)
	f := &faulty{w: w, h: newHistory(w), mem: &journal.MemFS{Capacity: 5 * tiny.segmentBytes / 2}}
	var log bytes.Buffer
	o := f.options()
	o.limits.lowSpace = 16 << 10
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	n, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	f.pay()
	err = n.Wait()
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "durable") {
		t.Fatalf("ended with %v", err)
	}
	if !strings.Contains(log.String(), "the disk is nearly full") && !strings.Contains(log.String(), "can't grow") {
		t.Errorf("was not told before it was full: %s", log.String())
	}
	f.mem.Capacity = 0
	if err := f.restart(t); err != nil {
		t.Error(err)
	}
}
