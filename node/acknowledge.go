package node

import (
	"sync/atomic"

	"fastpay/node/journal"
)

// acknowledgements are what shards of one process know of the credits that they had from each other: up to which number
// they are durable where they went. The payer notes it in the journal, now and then, so that the settlements behind it
// need not be kept for sending them again.
type acknowledgements struct {
	shards  int             // of this process
	place   []int           // of a shard among them, by its number
	durable []atomic.Uint64 // by place of payer and recipient
}

func newAcknowledgements(shards []int, numShards int) *acknowledgements {
	a := &acknowledgements{shards: len(shards), place: make([]int, numShards),
		durable: make([]atomic.Uint64, len(shards)*len(shards))}
	for i, s := range shards {
		a.place[s] = i
	}
	return a
}

func (a *acknowledgements) of(from, to int) *atomic.Uint64 {
	return &a.durable[a.place[from]*a.shards+a.place[to]]
}

// credited is a number that becomes an acknowledgement when a group of the journal is durable.
type credited struct {
	from, to int
	number   uint64
}

// acknowledge notes what has become durable since the last sweep, on both sides of each pair of shards, and hands records
// that nobody waits for to the journal. What it looks at grows with the square of the shards, so of many shards it takes
// some in each sweep.
func (w *worker) acknowledge() {
	j := w.node.journal()
	if j == nil || w.node.store.halted.Load() {
		return
	}
	known := w.node.store.acknowledged
	if w.creditedGroup <= j.Durable() {
		for _, c := range w.credited {
			known.of(c.from, c.to).Store(c.number)
		}
		w.credited = w.credited[:0]
	}
	w.drain() // so that nothing is under way in a batch
	some := w.shards[w.swept:min(w.swept+shardsPerSweep, len(w.shards))]
	if w.swept += len(some); w.swept == len(w.shards) {
		w.swept = 0
	}
	for _, s := range some {
		w.acknowledgeTo(s)
		w.acknowledgeOutside(s)
	}
	w.flush(w.batch)
	if len(w.credited) == 0 {
		w.noteCredited(some)
	}
	w.publishNeeded(some)
}

// shardsPerSweep keeps a sweep below a millisecond with thousands of shards in a process.
const shardsPerSweep = 64

// acknowledgeTo tells a shard what has become durable of its credits.
func (w *worker) acknowledgeTo(s *shard) {
	known := w.node.store.acknowledged
	for _, other := range w.node.shards {
		number := known.of(s.number, other).Load()
		if other == s.number || number <= s.core.Acknowledged(other) {
			continue
		}
		if err := s.core.Acknowledge(other, number, 0); err != nil {
			w.node.fail(err) // the two shards no longer agree on what was paid
			return
		}
		w.flushIfLarge()
	}
}

// noteCredited remembers which credits these shards have, until they are durable. All records have been handed over.
func (w *worker) noteCredited(some []*shard) {
	known := w.node.store.acknowledged
	for _, s := range some {
		for _, other := range w.node.shards {
			if number := s.core.Cursor(other); number > known.of(other, s.number).Load() {
				w.credited = append(w.credited, credited{other, s.number, number})
			}
		}
	}
	w.creditedGroup = w.node.journal().Appended()
}

// publishNeeded says from which segment on the journal is needed for credits of these shards that are under way.
func (w *worker) publishNeeded(some []*shard) {
	store := w.node.store
	next := store.journal.Sealed() + 1 // what is written from now on lies there or later
	for _, s := range some {
		segment := next
		if at := journal.Position(s.core.Needed()); at != 0 {
			segment = min(segment, at.Segment())
		}
		store.needed[store.acknowledged.place[s.number]].Store(segment)
	}
}
