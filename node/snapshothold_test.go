package node

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"fastpay/codec"
	"fastpay/node/journal"
	"fastpay/perf"
)

// holder holds back what the making of snapshots asks of the disk: of each kind of operation the first one, until it is
// told to go on.
type holder struct {
	t       *testing.T
	held    chan string   // one is held back now: what it is
	resume  chan struct{} // it goes on
	over    chan struct{} // nothing is held back any more
	mu      sync.Mutex
	armed   bool
	seen    []string
	threads map[int]bool // on which they ran
}

// operation names what only the making of snapshots does once a node runs whose clients ask for no certificates; "" is
// anything else.
func (h *holder) operation(op journal.Op) string {
	switch {
	case strings.Contains(op.Name, ".snapshot"):
		return string(op.Kind) + " snapshot"
	case op.Kind == journal.OpRead, op.Kind == journal.OpOpen, op.Kind == journal.OpRemove && strings.HasSuffix(op.Name, ".log"):
		return string(op.Kind) + " segment"
	}
	return ""
}

func (h *holder) inject(op journal.Op) error {
	name := h.operation(op)
	h.mu.Lock()
	if !h.armed || name == "" {
		h.mu.Unlock()
		return nil
	}
	h.threads[perf.ThreadID()] = true
	known := slices.Contains(h.seen, name)
	if !known {
		h.seen = append(h.seen, name)
	}
	h.mu.Unlock()
	if !known {
		select {
		case h.held <- name:
			<-h.resume
		case <-h.over:
		}
	}
	return nil
}

// TestSnapshotsHoldNobody holds back each kind of operation that makes a snapshot, for as long as it takes to settle a
// payment of every account: they are answered meanwhile. And none of these operations is done by a thread of a loop.
func TestSnapshotsHoldNobody(t *testing.T) {
	w := newWorld(t, 4, 2, 12)
	h := &holder{t: t, held: make(chan string), resume: make(chan struct{}), over: make(chan struct{}), threads: make(map[int]bool)}
	o := w.durable(new(journal.MemFS))
	real := o.openFS
	o.openFS = func(path string) (journal.FS, error) {
		fs, err := real(path)
		if _, ok := fs.(*journal.MemFS); ok {
			fs = &journal.FaultFS{FS: fs, Inject: h.inject}
		}
		return fs, err
	}
	l := tiny
	l.snapshotInterval, l.sweep = 1e6, 1e7 // 1 ms, 10 ms
	o.limits, o.Workers, o.Pin, o.Retain = &l, 2, "off", Retain{}
	n, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	loops := n.LoopThreads()
	h.mu.Lock()
	h.armed = true
	h.mu.Unlock()
	conns := []*client{w.dial(0), w.dial(1)}
	numbers := make([]uint64, len(w.accounts))
	payAll := func() {
		for i := range w.accounts {
			order := w.order(i, (i+1+int(numbers[i]%11))%len(w.accounts), 1, numbers[i])
			numbers[i]++
			c := conns[w.shardOf(i)]
			for _, m := range [][]byte{codec.AppendOrder(nil, order), codec.AppendCertificate(nil, w.certificate(order))} {
				if reply := c.ask(m); reply.Kind != codec.KindInfoResponse {
					t.Fatalf("payment %d of account %d: a reply of kind %d", numbers[i], i, reply.Kind)
				}
			}
		}
	}
	want := []string{"open segment", "read segment", "remove segment", "create snapshot", "open snapshot", "read snapshot",
		"remove snapshot", "rename snapshot", "sync snapshot", "write snapshot"}
	missing := func(held []string) (names []string) {
		for _, name := range want {
			if !slices.Contains(held, name) {
				names = append(names, name)
			}
		}
		return names
	}
	var held []string
	for rounds := 0; len(missing(held)) > 0; rounds++ {
		if rounds == 2000 {
			t.Fatalf("in %d rounds there was no %q", rounds, missing(held))
		}
		select {
		case name := <-h.held:
			held = append(held, name)
			made := n.Stats().Snapshots
			payAll()
			if n.Stats().Snapshots != made || !n.MakesSnapshot() {
				t.Errorf("%s did not hold the snapshot back", name)
			}
			h.resume <- struct{}{}
		default:
			payAll()
		}
	}
	close(h.over)
	h.mu.Lock()
	h.armed = false // a stop ends the loops before snapshots, and their threads may be anybody's then
	h.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
	}
	h.mu.Lock()
	h.armed = false // a loop that has ended leaves its thread to others
	h.mu.Unlock()
	if err := n.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(loops) != 2 || loops[0] == loops[1] {
		t.Errorf("loops on threads %v, expected two", loops)
	}
	for _, id := range loops {
		if h.threads[id] {
			t.Errorf("a snapshot's operation ran on thread %d, which is a loop's", id)
		}
	}
	runs, made := n.SnapshotRuns(), n.Stats().Snapshots
	if last := runs[len(runs)-1]; uint64(len(runs)) < min(made, maxSnapshotRuns) || last.Going || last.Bytes == 0 || last.Took <= 0 {
		t.Errorf("%d snapshots, of which %d are remembered, the last as %+v", made, len(runs), last)
	}
}
