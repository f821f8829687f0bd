package node

import (
	"sync"
	"sync/atomic"
	"time"
)

// SnapshotRun is the making of one snapshot, whether it became one or not.
type SnapshotRun struct {
	Began time.Time     `json:"began"`
	Took  time.Duration `json:"took_ns"` // its rests and removing what is not needed any more included; so far, while Going
	Bytes int64         `json:"bytes"`   // of what it holds
	Going bool          `json:"going,omitempty"`
}

// maxSnapshotRuns bounds what is remembered of them: at the highest load, half an hour.
const maxSnapshotRuns = 256

// snapshotRuns remembers when snapshots were made, so that what clients saw meanwhile can be told from the rest.
type snapshotRuns struct {
	going atomic.Bool
	mu    sync.Mutex
	all   []SnapshotRun // oldest first; the last one may be going on
}

func (r *snapshotRuns) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.all) == maxSnapshotRuns {
		r.all = append(r.all[:0], r.all[1:]...)
	}
	r.all = append(r.all, SnapshotRun{Began: time.Now(), Going: true})
	r.going.Store(true)
}

func (r *snapshotRuns) end(bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.going.Store(false)
	last := &r.all[len(r.all)-1]
	last.Took, last.Bytes, last.Going = time.Since(last.Began), bytes, false
}

// SnapshotRuns are the last snapshots that were made since the start, oldest first, and the one that is being made. From
// any goroutine.
func (n *Node) SnapshotRuns() []SnapshotRun {
	if n.store == nil {
		return nil
	}
	r := &n.store.runs
	r.mu.Lock()
	defer r.mu.Unlock()
	all := append([]SnapshotRun{}, r.all...)
	if len(all) > 0 && all[len(all)-1].Going {
		last := &all[len(all)-1]
		last.Took = time.Since(last.Began)
	}
	return all
}

// MakesSnapshot reports whether one is being made now; cheap, from any goroutine.
func (n *Node) MakesSnapshot() bool { return n.store != nil && n.store.runs.going.Load() }

// LoopThreads are the kernel's numbers of the threads on which the event loops run, for as long as the node does. Nothing
// else of this process runs there. A loop that has had no event yet has none.
func (n *Node) LoopThreads() (threads []int) {
	for _, w := range n.workers {
		if id := w.thread.Load(); id != 0 {
			threads = append(threads, int(id))
		}
	}
	return threads
}
