package node

import (
	"errors"

	"fastpay/node/authority"
	"fastpay/node/journal"
)

// commit hands the batch's records to the journal, and parks the batch until they are durable, and everything that was
// appended before: what its replies tell, errors and infos included, may rest on any of it. Without a journal a batch is
// as durable as it gets at once.
func (w *worker) commit(b *batch) {
	if j := w.node.journal(); j != nil {
		for len(w.parked) >= maxParked && j.Wait(w.parked[0].group) == nil {
			w.release()
		}
		w.flush(b)
		for _, buf := range b.fetching {
			buf.group = b.group
		}
	}
	w.parked = append(w.parked, b)
	if w.node.journal() == nil {
		w.releaseDurable() // so that the next batch is this one again
	}
	w.batch = w.nextBatch(b)
}

// nextBatch is what is filled after b, which was applied, and is parked if it was not released.
func (w *worker) nextBatch(b *batch) (next *batch) {
	if n := len(w.free); n > 0 {
		next, w.free = w.free[n-1], w.free[:n-1]
	} else {
		next = newBatch(w)
	}
	if b.intake != nil && !b.keepsFrames() {
		b.giveIntake()
	}
	if n := len(w.freeIntakes); n > 0 {
		next.intake, w.freeIntakes = w.freeIntakes[n-1], w.freeIntakes[:n-1]
	} else {
		next.intake = newIntake(w)
	}
	return next
}

// flush gives the records of a batch to the journal, and makes final what the shards and the batch know of their places
// there. A batch may be flushed several times while it is applied.
func (w *worker) flush(b *batch) {
	base, group, err := w.append(b)
	if err != nil {
		w.node.store.halt(err)
		return // nothing leaves any more, so it does not matter what the shards know
	}
	for _, s := range w.shards {
		s.core.Rebase(authority.Position(base))
	}
	for i := range b.credits {
		b.credits[i].at = b.credits[i].at.Rebase(authority.Position(base))
	}
	for _, buf := range b.fetching {
		buf.fetch.Rebase(authority.Position(base))
	}
	b.records.Reset()
	b.group = group
}

// append appends the records to the group that fills, and waits where it has no room. The records of a few requests that
// nothing else waits with are written at once, on this thread if the disk is idle: two threads that wake each other take
// as long as the disk does.
func (w *worker) append(b *batch) (base journal.Position, group uint64, err error) {
	j := w.node.journal()
	now := len(b.requests) > 0 && len(b.requests) <= w.node.limits.commitHere && len(w.parked) == 0 &&
		w.node.Durability == DurabilitySync
	for {
		if now {
			base, group, _, err = j.AppendNow(&b.records)
		} else {
			base, group, err = j.Append(&b.records)
		}
		if !errors.Is(err, journal.ErrFull) {
			return base, group, err
		}
		if err := j.Wait(group); err != nil {
			return 0, 0, err
		}
	}
}

// flushIfLarge keeps the records of credits that came in from becoming more than a group takes.
func (w *worker) flushIfLarge() {
	if w.batch.records.Size() >= w.node.limits.flush {
		w.flush(w.batch)
	}
}

// mayLeave reports whether what a parked batch tells may be told.
func (w *worker) mayLeave(b *batch) bool {
	j := w.node.journal()
	switch {
	case j == nil:
		return true
	case w.node.store.halted.Load():
		return false
	case w.node.Durability == DurabilityAsync && !b.outside:
		return true
	}
	return b.group <= j.Durable()
}

// waitForDurable says to the journal for which group the worker has to be woken. It reports whether that has become
// durable meanwhile.
func (w *worker) waitForDurable() bool {
	j := w.node.journal()
	if j == nil {
		return false
	}
	if len(w.parked) == 0 {
		w.waitsFor.Store(0)
		return false
	}
	w.waitsFor.Store(w.parked[0].group)
	return w.mayLeave(w.parked[0])
}

// announceDurable wakes the worker to release what is durable. From any thread.
func (w *worker) announceDurable() {
	if w.durableTold.CompareAndSwap(false, true) {
		w.run(&w.releasePosted)
	}
}

func (w *worker) takeDurable() {
	w.durableTold.Store(false)
	w.release()
}
