package bench

import (
	"errors"
	"slices"
	"sync"
	"time"

	"fastpay/node"
	"fastpay/perf"
)

// LoopWaits is how long the event loops of an authority were ready to run and had no CPU. A wait is known once it has
// ended, and several between two looks, a millisecond apart, are taken for one.
type LoopWaits struct {
	During LoopWait `json:"during"` // a snapshot
	Else   LoopWait `json:"else"`
}

// LoopWait is that of all loops in a part of a window.
type LoopWait struct {
	Seconds   float64 `json:"seconds"`    // of the part
	WaitedUs  int64   `json:"waited_us"`  // all loops together
	LongestUs int64   `json:"longest_us"` // of one loop
	Long      int     `json:"long"`       // that took longer than longWait
}

// longWait is the longest pause that a snapshot may cause.
const longWait = 5 * time.Millisecond

// loopLook is how often they are looked at.
const loopLook = time.Millisecond

type loopWatch struct {
	node   *node.Node
	waits  []*perf.ThreadWait
	before []time.Duration
	began  time.Time
	last   time.Time
	during bool // a snapshot was being made at the last look
	seen   LoopWaits
	err    error
	stop   chan struct{}
	done   sync.WaitGroup
}

func watchLoops(n *node.Node) (*loopWatch, error) {
	w := &loopWatch{node: n, began: time.Now(), last: time.Now(), stop: make(chan struct{})}
	for _, id := range n.LoopThreads() {
		wait, err := perf.OpenThreadWait(id)
		if err != nil {
			return nil, errors.Join(err, w.close())
		}
		w.waits = append(w.waits, wait)
		total, err := wait.Total()
		if err != nil {
			return nil, errors.Join(err, w.close())
		}
		w.before = append(w.before, total)
	}
	w.done.Go(func() {
		tick := time.NewTicker(loopLook)
		defer tick.Stop()
		for w.err == nil {
			select {
			case <-tick.C:
				w.look()
			case <-w.stop:
				return
			}
		}
	})
	return w, nil
}

// look counts what has passed since the last time for the part of the window that it was in; what touches a snapshot is
// of that part.
func (w *loopWatch) look() {
	going, now := w.node.MakesSnapshot(), time.Now()
	part := &w.seen.Else
	if going || w.during {
		part = &w.seen.During
	}
	part.Seconds += now.Sub(w.last).Seconds()
	w.during, w.last = going, now
	for i, wait := range w.waits {
		total, err := wait.Total()
		if err != nil {
			w.err = err
			return
		}
		part.add(total - w.before[i])
		w.before[i] = total
	}
}

func (p *LoopWait) add(waited time.Duration) {
	p.WaitedUs += waited.Microseconds()
	p.LongestUs = max(p.LongestUs, waited.Microseconds())
	if waited > longWait {
		p.Long++
	}
}

func (w *loopWatch) close() (err error) {
	for _, wait := range w.waits {
		err = errors.Join(err, wait.Close())
	}
	return err
}

// end returns what was seen, nil when the kernel stopped telling, and the snapshots that were made in the window.
func (w *loopWatch) end() (*LoopWaits, []node.SnapshotRun) {
	close(w.stop)
	w.done.Wait()
	err := errors.Join(w.err, w.close())
	runs := slices.DeleteFunc(w.node.SnapshotRuns(), func(r node.SnapshotRun) bool { return r.Began.Add(r.Took).Before(w.began) })
	if err != nil || len(w.waits) == 0 {
		return nil, runs
	}
	return &w.seen, runs
}
