package journal

import (
	"fmt"
	"slices"
)

// beginBeside registers a call that uses files beside the commits. If its error is nil, endBeside must follow.
func (j *Journal) beginBeside() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.stoppedLocked(); err != nil {
		return err
	}
	j.beside++
	return nil
}

func (j *Journal) endBeside() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.beside--
	j.cond.Broadcast()
}

// stopped is why a call beside the commits has to end early; nil if it has not.
func (j *Journal) stopped() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.stoppedLocked()
}

func (j *Journal) stoppedLocked() error {
	if j.err == nil && j.closed {
		return ErrClosed
	}
	return j.err
}

// Sealed is the last segment that nothing will be written to any more, not even by recovery: a group of a later one is
// durable. 0 is none.
func (j *Journal) Sealed() uint32 { return Position(j.end.Load()).Segment() - 1 }

// ReadGroups gives visit the records of all segments from the point on, up to and including the segment to, which
// must be sealed, and returns the point after it: many at once, up to recordsAtOnce of a group. Before the data of records
// before some position is overwritten, leave is called with it, if it is not nil; at the end with one after all. Every checksum
// is verified, and that no group is missing, those at the ends included. It may run beside commits, which don't wait for it; it
// has some MiB in memory. Close makes it fail.
func (j *Journal) ReadGroups(from Point, to uint32, visit func([]Record) error, leave func(before Position) error) (
	after Point, err error) {
	if sealed := j.Sealed(); to > sealed {
		return Point{}, fmt.Errorf("journal: read segments up to %x: only %x and those before it are sealed",
			to, sealed)
	}
	from.Segment = max(from.Segment, 1)
	w := &window{leave: leave}
	if from.Segment > to {
		return from, w.let(newPosition(from.Segment, 0))
	}
	if err := j.beginBeside(); err != nil {
		return Point{}, err
	}
	defer j.endBeside()
	s := scanner{fs: j.fs, visitMany: visit, id: j.recovery.ID, sequence: from.Group, based: true, stopped: j.stopped}
	n := int(min(streamWindow, j.options.SegmentSize))
	w.buf = hugeBytes(n)[:n] // grows for a larger group
	for number := from.Segment; number <= to; number++ {
		if err := s.stream(number, w); err != nil {
			return Point{}, err
		}
	}
	// That the last segment has all its groups shows in the next one.
	next, err := s.first(to+1, w)
	if err != nil {
		return Point{}, err
	}
	return Point{to + 1, next.sequence - 1}, w.let(newPosition(to+1, 0))
}

// SegmentFile is a segment's file.
type SegmentFile struct {
	Number uint32
	Size   int64 // in bytes
}

// Segments lists the segments that there are, in order: those that are kept, the active one, and one made ahead.
func (j *Journal) Segments() (files []SegmentFile, err error) {
	if err := j.beginBeside(); err != nil {
		return nil, err
	}
	defer j.endBeside()
	return ListSegments(j.fs)
}

// ListSegments lists the segments of the journal in fs, in order.
func ListSegments(fs FS) (files []SegmentFile, err error) {
	names, err := list(fs)
	if err != nil {
		return nil, err
	}
	for _, number := range names.segments {
		size, err := fileSize(fs, segmentName(number))
		if err != nil {
			return nil, err
		}
		files = append(files, SegmentFile{number, size})
	}
	return files, nil
}

func fileSize(fs FS, name string) (int64, error) {
	f, err := fs.Open(name)
	if err != nil {
		return 0, fmt.Errorf("journal: %w", err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return 0, fmt.Errorf("journal: %w", err)
	}
	return size, nil
}

// RemoveBefore removes the segments before this one, which are not needed for recovery from any snapshot that is kept.
// It may run beside anything else. Whatever a crash meanwhile leaves, recovery accepts; an error is not final, and what
// it left is removed by the next call.
func (j *Journal) RemoveBefore(segment uint32) error {
	if err := j.beginBeside(); err != nil {
		return err
	}
	defer j.endBeside()
	if needed := j.needed(); segment > needed {
		return fmt.Errorf("journal: remove segments before %x: recovery needs those from %x on", segment, needed)
	}
	for first := j.first.Load(); first < segment && !j.first.CompareAndSwap(first, segment); {
		first = j.first.Load()
	}
	j.readers.forget(segment)
	names, err := list(j.fs)
	if err != nil {
		return err
	}
	names.segments = slices.DeleteFunc(names.segments, func(number uint32) bool { return number >= segment })
	for _, number := range names.segments {
		if err := j.fs.Remove(segmentName(number)); err != nil {
			return fmt.Errorf("journal: remove segment: %w", err)
		}
	}
	if err := j.fs.SyncDir(); err != nil {
		return fmt.Errorf("journal: remove segments: %w", err)
	}
	return nil
}

// needed is the first segment that recovery from the oldest snapshot needs.
func (j *Journal) needed() uint32 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.points) == 0 {
		return 1
	}
	return j.points[len(j.points)-1].Segment
}
