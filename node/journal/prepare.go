package journal

import (
	"encoding/binary"
	"fmt"
	"io"
)

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
	return s, writeSegment(fs, s, segmentHeader(s, o.Identity))
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
		j.checkSpace()
		return
	}
	j.mu.Lock()
	room := j.roomHeld()
	j.retryRoom = room - room/4
	j.mu.Unlock()
	j.trouble(room, err)
}

// roomHeld is the bytes left for groups in the segments that there are. The caller holds mu.
func (j *Journal) roomHeld() int64 {
	room := j.room
	if j.filling.base.Segment() > j.newest {
		room = 0 // the group that fills lies in the segment that there is not
	}
	if j.next != nil && j.next.number > j.filling.base.Segment() {
		room += j.next.size - BlockSize
	}
	return room
}

// trouble tells of something that will end the journal if it stays.
func (j *Journal) trouble(room int64, err error) {
	if j.Err() == nil {
		j.options.OnTrouble(room, err)
	}
}

// checkSpace tells when the disk has less space than it should.
func (j *Journal) checkSpace() {
	if err := j.lowSpace(); err != nil {
		j.mu.Lock()
		room := j.roomHeld()
		j.mu.Unlock()
		j.trouble(room, err)
	}
}

// lowSpace is an error if the disk has less space than it should.
func (j *Journal) lowSpace() error {
	free, err := j.fs.Free()
	if err != nil {
		return fmt.Errorf("journal: free space: %w", err)
	}
	if free < j.options.LowSpace {
		return fmt.Errorf("%w: %d bytes are free, of which %d should stay", ErrLowSpace, free, j.options.LowSpace)
	}
	return nil
}
