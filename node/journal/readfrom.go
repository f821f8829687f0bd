package journal

import "fmt"

// ReadFrom gives visit the durable records from the one at a position on, in order, until it wants no more or fails, or
// there are no more. It may run beside commits, which don't wait for it; it has a segment in memory. Close makes it
// fail.
func (j *Journal) ReadFrom(at Position, visit func(Record) (more bool, err error)) error {
	if at.Segment() == 0 || at.offset() < BlockSize+groupHeaderSize {
		return errNoPosition
	}
	if err := j.beginBeside(); err != nil {
		return err
	}
	defer j.endBeside()
	buf := takeBuffer()
	defer func() { leaveBuffer(buf) }()
	var last uint64 // group
	for number := at.Segment(); ; number++ {
		if err := j.stopped(); err != nil {
			return err
		}
		if number < j.first.Load() {
			return ErrRemoved
		}
		end := Position(j.end.Load()) // before the segment is read: what is beyond it may be half written
		if number > end.Segment() || number == end.Segment() && end.offset() == BlockSize {
			return nil
		}
		c, err := readSegment(j.fs, number, buf)
		if err != nil {
			return err
		}
		buf = c
		more, err := walk(c, number, at, end, &last, visit)
		if err != nil || !more || number == end.Segment() {
			return err
		}
	}
}

// walk visits the records of a segment from one position on, up to another. Groups are checked whole, and that none is
// missing after the last one.
func walk(c []byte, number uint32, from, to Position, last *uint64, visit func(Record) (bool, error)) (
	more bool, err error) {
	header, _, reason := parseSegmentHeader(c)
	if reason != "" {
		return false, &CorruptError{segmentName(number), 0, reason}
	}
	for at := int64(BlockSize); at < int64(len(c)) && newPosition(number, at) < to; {
		g, ok := parseGroup(c[at:], header.salt)
		if !ok {
			if number < to.Segment() { // the rest of a full segment
				return true, nil
			}
			return false, &CorruptError{segmentName(number), at, "a group that was durable is damaged"}
		}
		if *last != 0 && g.sequence != *last+1 {
			return false, &CorruptError{segmentName(number), at,
				fmt.Sprintf("group %d follows group %d", g.sequence, *last)}
		}
		*last = g.sequence
		offset := newPosition(number, at) + groupHeaderSize
		for rest := g.records; len(rest) > 0; {
			shard, data, after, _ := takeRecord(rest)
			if offset >= from {
				if more, err = visit(Record{offset, g.sequence, shard, data}); err != nil || !more {
					if err != nil {
						err = fmt.Errorf("journal: record at %v: %w", offset, err)
					}
					return false, err
				}
			}
			offset += Position(len(rest) - len(after))
			rest = after
		}
		at += g.size()
	}
	return true, nil
}
