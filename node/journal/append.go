package journal

import "fmt"

// Append copies the batch into the group that fills. The record at offset o of the batch, as Add said, has the position
// base + o; it is durable once Durable reports group, or a later one. A batch without records gives the group after
// which everything appended so far is durable. With ErrFull, group is the one to wait for before trying again. The
// batch is the caller's again in any case. Nothing is allocated.
func (j *Journal) Append(b *Batch) (base Position, group uint64, err error) {
	base, group, err = j.add(b)
	if err == nil && b.count > 0 {
		j.Wake()
	}
	return base, group, err
}

// AppendLazy is Append for a batch that nobody waits for: Run is not told, and commits it with the next one, or when
// Wake is called.
func (j *Journal) AppendLazy(b *Batch) (base Position, group uint64, err error) { return j.add(b) }

// Wake lets Run commit what was appended.
func (j *Journal) Wake() { j.wake.give() }

// AppendNow is Append, and commits the group at once, on the caller's goroutine, if none is in flight and the segment
// has room for it: committed says whether it is durable on return. If it is not, Run was told, as by Append. It spares
// the ways to Run and back when there is little to do, and makes the caller wait for the disk. OnCommit is called
// before it returns. Records of others that were in the group go with it. Nothing is allocated.
func (j *Journal) AppendNow(b *Batch) (base Position, group uint64, committed bool, err error) {
	if !j.commitMu.TryLock() {
		base, group, err = j.Append(b)
		return base, group, false, err
	}
	defer j.commitMu.Unlock()
	if base, group, err = j.add(b); err != nil {
		return base, group, false, err
	}
	if !j.hasSegment() {
		j.Wake()
		return base, group, false, nil
	}
	if err := j.commitHeld(false); err != nil {
		return 0, 0, false, err
	}
	if j.wantsNext() {
		j.Wake() // which makes it
	}
	return base, group, true, nil
}

// add copies the batch into the group that fills.
func (j *Journal) add(b *Batch) (base Position, group uint64, err error) {
	if len(b.buf) > j.options.GroupSize-groupHeaderSize {
		return 0, 0, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(b.buf),
			j.options.GroupSize-groupHeaderSize)
	}
	b.seal()
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.err != nil:
		return 0, 0, j.err
	case j.closed:
		return 0, 0, ErrClosed
	case b.count == 0:
		return 0, j.appended(), nil
	case len(b.buf) > cap(j.filling.buf)-len(j.filling.buf):
		return 0, j.filling.sequence, ErrFull
	}
	base = j.filling.base + Position(len(j.filling.buf))
	j.filling.buf = append(j.filling.buf, b.buf...)
	j.filling.count += b.count
	return base, j.filling.sequence, nil
}

// hasSegment reports whether the segment of the group that fills is there.
func (j *Journal) hasSegment() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	number := j.filling.base.Segment()
	return number == j.active.number || j.next != nil && number == j.next.number
}

// appended is the last group that has a record. The caller holds mu.
func (j *Journal) appended() uint64 {
	if j.filling.count > 0 {
		return j.filling.sequence
	}
	return j.filling.sequence - 1
}

// Appended is the group that has to be durable for everything appended so far to be.
func (j *Journal) Appended() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.appended()
}

// Durable is the last group that is durable.
func (j *Journal) Durable() uint64 { return j.durable.Load() }

// Wait returns when the group is durable, or with the error because of which it may never be.
func (j *Journal) Wait(group uint64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.durable.Load() < group {
		if j.err != nil {
			return j.err
		}
		j.cond.Wait()
	}
	return nil
}

// Err is the final error, if there was one: ErrClosed, or that of the write or sync that failed.
func (j *Journal) Err() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}
