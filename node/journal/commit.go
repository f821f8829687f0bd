package journal

import (
	"fmt"
	"runtime"
	"sync"
	"time"
)

// Commit writes and syncs what was appended before the call, as one group. It does nothing if that is nothing. Its
// error is final: a commit that failed is never tried again. Nothing is allocated, but when a segment is full.
func (j *Journal) Commit() error { return j.commit(false) }

// commit also writes a group without records, if it is to mark the end of a journal that is closed in good order.
func (j *Journal) commit(mark bool) error {
	j.commitMu.Lock()
	defer j.commitMu.Unlock()
	return j.commitHeld(mark)
}

// commitHeld is commit for a caller who holds commitMu.
func (j *Journal) commitHeld(mark bool) error {
	if sealed, err := j.seal(mark); !sealed {
		return err
	}
	err := j.write()
	if sabotaged("journal: a failed sync counts as done") {
		err = nil
	}
	j.publish(err)
	j.options.OnCommit(j.durable.Load(), err)
	return err
}

// seal makes the group that fills the one in flight, and begins the next one after it.
func (j *Journal) seal(mark bool) (sealed bool, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil || j.filling.count == 0 && !mark {
		return false, j.err
	}
	j.flying, j.filling = j.filling, j.flying
	size := alignUp(int64(len(j.flying.buf)))
	j.beginGroup(j.flying.sequence+1, j.flying.base+Position(size), j.room-size)
	return true, nil
}

// beginGroup places an empty group at the position if the largest group fits into the room from there to the segment's
// end, else at the next segment's beginning, so that records have their position as soon as they are appended.
func (j *Journal) beginGroup(sequence uint64, at Position, room int64) {
	if room < int64(j.options.GroupSize) {
		at, room = newPosition(at.Segment()+1, BlockSize), j.options.SegmentSize-BlockSize
	}
	j.filling = pending{buf: j.filling.buf[:groupHeaderSize], sequence: sequence, base: at}
	j.room = room
}

// write brings the group in flight to the disk.
func (j *Journal) write() error {
	g := &j.flying
	if number := g.base.Segment(); number != j.active.number {
		next, err := j.takeNext()
		if err != nil {
			return err
		}
		_ = j.active.file.Close() // all of it was synced
		j.active = next
	}
	finishGroup(g.buf, j.active.salt, g.sequence, j.durable.Load(), g.count)
	blocks := g.buf[:alignUp(int64(len(g.buf)))]
	clear(blocks[len(g.buf):])
	if sabotaged("journal: a group is not synced") {
		_, err := j.active.file.WriteAt(blocks, g.base.offset())
		return err
	}
	began := time.Now()
	if err := j.active.file.WriteSync(blocks, g.base.offset()); err != nil {
		return fmt.Errorf("journal: write and sync group %d at %v: %w", g.sequence, g.base, err)
	}
	j.counters.count(g.count, len(blocks), time.Since(began))
	return nil
}

// publish makes the outcome of a commit known.
func (j *Journal) publish(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		j.err = err
	} else {
		g := &j.flying
		j.end.Store(uint64(g.base) + uint64(alignUp(int64(len(g.buf)))))
		j.durable.Store(g.sequence)
	}
	j.cond.Broadcast()
}

// yieldInterval is how often Run yields under load. Nobody waits for its turn, but the runtime's monitor takes whoever is in
// system calls for 10 ms without a turn for a hog: it takes the processor away, and then looks every 20 us for more of that,
// which interrupts the event loops thousands of times a second.
const yieldInterval = 4 * time.Millisecond

// Run commits whatever is appended, group after group, until Close, or until a commit fails, and returns that error.
// All that is appended while one group is written goes into the next, so groups grow with the load by themselves.
func (j *Journal) Run() error {
	j.mu.Lock()
	if j.running || j.closed {
		defer j.mu.Unlock()
		if j.running {
			return errRunning
		}
		return nil // closed before it began
	}
	j.running = true
	j.mu.Unlock()

	var ahead sync.WaitGroup
	defer func() {
		ahead.Wait()
		j.mu.Lock()
		j.running = false
		j.cond.Broadcast()
		j.mu.Unlock()
	}()
	beside := func(f func()) {
		ahead.Go(f)
		runtime.Gosched() // it begins now: while this goroutine sleeps in the kernel, what it began waits to be found
	}
	beside(j.checkSpace)
	yielded := time.Now()
	for {
		j.wake.take()
		if j.stop.Load() {
			return nil
		}
		if now := time.Now(); now.Sub(yielded) > yieldInterval {
			yielded = now
			runtime.Gosched()
		}
		if err := j.Commit(); err != nil {
			return err
		}
		if j.wantsNext() {
			beside(j.prepareAhead)
		}
	}
}
