package journal

import (
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
)

// Journal is an open journal. Any goroutine may append, wait and read. Groups are committed by whoever calls Commit:
// Run does so as soon as there is something, in a goroutine that the caller gives it; a simulator calls Commit when its
// clock says so.
type Journal struct {
	fs       FS
	options  Options // resolved
	lock     io.Closer
	recovery Recovery
	readers  readers
	wake     chan struct{} // one token: something was appended
	stop     chan struct{} // closed by Close
	durable  atomic.Uint64 // sequence of the last durable group
	end      atomic.Uint64 // Position after it
	first    atomic.Uint32 // first segment that is kept

	commitMu sync.Mutex // held while a group is in flight
	active   *segment   // where the last group was written
	flying   pending

	snapshotMu sync.Mutex // held while a snapshot is written

	mu        sync.Mutex // never held over an operation of the file system
	cond      sync.Cond  // durable, err, preparing or running changed
	filling   pending
	room      int64    // bytes for groups from filling.base to the end of its segment
	newest    uint32   // number of the last segment that there is
	next      *segment // that one, if it was made ahead and is not used yet
	preparing bool     // it is being made
	retryRoom int64    // after a failure, next is tried again when room falls below
	running   bool
	beside    int     // calls that read or write files beside the commits; Close waits for them
	points    []Point // of the snapshots that may be loaded, newest first
	closed    bool
	err       error // final
}

// pending is a group in memory. Its buffer begins with room for the header, and has the capacity of the largest group.
type pending struct {
	buf      []byte
	count    int
	sequence uint64
	base     Position // of the group; its first record is groupHeaderSize further
}

// Append copies the batch into the group that fills. The record at offset o of the batch, as Add said, has the position
// base + o; it is durable once Durable reports group, or a later one. A batch without records gives the group after
// which everything appended so far is durable. With ErrFull, group is the one to wait for before trying again. The
// batch is the caller's again in any case. Nothing is allocated.
func (j *Journal) Append(b *Batch) (base Position, group uint64, err error) {
	if len(b.buf) > j.options.GroupSize-groupHeaderSize {
		return 0, 0, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(b.buf),
			j.options.GroupSize-groupHeaderSize)
	}
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
	select {
	case j.wake <- struct{}{}:
	default: // Run has been told already
	}
	return base, j.filling.sequence, nil
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

// Recovery says what Open found.
func (j *Journal) Recovery() Recovery { return j.recovery }

// Commit writes and syncs what was appended before the call, as one group. It does nothing if that is nothing. Its
// error is final: a commit that failed is never tried again. Nothing is allocated, but when a segment is full.
func (j *Journal) Commit() error { return j.commit(false) }

// commit also writes a group without records, if it is to mark the end of a journal that is closed in good order.
func (j *Journal) commit(mark bool) error {
	j.commitMu.Lock()
	defer j.commitMu.Unlock()
	if sealed, err := j.seal(mark); !sealed {
		return err
	}
	err := j.write()
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
	if err := writeAt(j.active.file, blocks, g.base.offset()); err != nil {
		return fmt.Errorf("journal: write group %d at %v: %w", g.sequence, g.base, err)
	}
	if err := j.active.file.Sync(); err != nil {
		return fmt.Errorf("journal: sync group %d at %v: %w", g.sequence, g.base, err)
	}
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

// takeNext is the segment after the active one, made now if it was not made ahead.
func (j *Journal) takeNext() (*segment, error) {
	if err := j.Prepare(); err != nil {
		return nil, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	next := j.next
	j.next, j.retryRoom = nil, 0
	return next, nil
}

// Prepare makes the segment after the active one, unless it is made already, so that a commit need not. It may run
// beside a commit; Run sees to that when half of a segment is used. Its error is not final: nothing was lost, and it
// may be tried again.
func (j *Journal) Prepare() error {
	j.mu.Lock()
	for j.preparing {
		j.cond.Wait()
	}
	if j.err != nil || j.next != nil {
		defer j.mu.Unlock()
		return j.err
	}
	j.preparing = true
	number := j.newest + 1
	j.mu.Unlock()

	s, err := newSegment(j.fs, &j.options, j.recovery.ID, number)

	j.mu.Lock()
	defer j.mu.Unlock()
	if err == nil {
		j.next, j.newest = s, number
	}
	j.preparing = false
	j.cond.Broadcast()
	return err
}

// newSegment makes a segment without groups.
func newSegment(fs FS, o *Options, id ID, number uint32) (*segment, error) {
	var salt [4]byte
	if _, err := io.ReadFull(o.Random, salt[:]); err != nil {
		return nil, fmt.Errorf("journal: salt of a segment: %w", err)
	}
	s := &segment{id: id, number: number, salt: binary.LittleEndian.Uint32(salt[:]), size: o.SegmentSize}
	return s, writeSegment(fs, s, appendSegmentHeader(nil, s, o.Identity))
}

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
	for {
		select {
		case <-j.wake:
		case <-j.stop:
			return nil
		}
		if err := j.Commit(); err != nil {
			return err
		}
		if j.wantsNext() {
			ahead.Go(j.prepareAhead)
		}
	}
}

// wantsNext reports whether it is time to make the next segment.
func (j *Journal) wantsNext() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	full := j.filling.base.Segment() > j.newest
	return j.next == nil && !j.preparing &&
		(full || j.room < j.options.SegmentSize/2 && (j.retryRoom == 0 || j.room < j.retryRoom))
}

func (j *Journal) prepareAhead() {
	err := j.Prepare()
	if err == nil {
		return
	}
	j.mu.Lock()
	room, final := j.room, j.err
	if j.filling.base.Segment() > j.newest {
		room = 0 // the group that fills lies in the segment that there is not
	}
	j.retryRoom = room - room/4
	j.mu.Unlock()
	if final == nil {
		j.options.OnTrouble(room, err)
	}
}

// Close commits what was appended, marks the end as clean, ends Run, and lets go of the files and the lock. It returns
// the error that made the journal stop before, if there was one; then nothing is written. A second call does nothing.
func (j *Journal) Close() error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	j.closed = true
	close(j.stop)
	for j.running || j.beside > 0 {
		j.cond.Wait()
	}
	j.mu.Unlock()

	err := j.Commit()
	if err == nil {
		err = j.commit(true)
	}
	j.mu.Lock()
	for j.preparing {
		j.cond.Wait()
	}
	if j.err == nil {
		j.err = ErrClosed
	}
	next := j.next
	j.next = nil
	j.cond.Broadcast()
	j.mu.Unlock()

	// Everything that matters is synced, or was given up because of err: closing has nothing to add.
	j.commitMu.Lock()
	defer j.commitMu.Unlock()
	_ = j.active.file.Close()
	if next != nil {
		_ = next.file.Close()
	}
	j.readers.close()
	_ = j.lock.Close()
	return err
}
