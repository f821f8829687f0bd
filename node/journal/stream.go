package journal

import (
	"encoding/binary"
	"fmt"
	"io"
)

// streamPiece is what a stream reads at once: each time costs some 30 us to ask the disk and to be woken.
const streamPiece = 1 << 20

// stream reads a segment group by group, in the memory of a window. Its checks, and what it knows of the segments before,
// are those of a scanner.
type stream struct {
	segment        // its file is open
	name    string // of the file
	bytes   int64  // in the file
	groups  int    // so far
	at      int64  // of the next group
	window  *window
	buf     []byte // the newest bytes of the window, from this segment
	from    int64  // where buf begins in the segment
}

// openStream opens a segment, and checks its header.
func (s *scanner) openStream(number uint32, w *window) (r *stream, err error) {
	r = &stream{name: segmentName(number), at: BlockSize, window: w}
	r.number = number
	f, err := s.fs.Open(r.name)
	if err != nil {
		return r, fmt.Errorf("journal: %w", err)
	}
	r.segment.file = f
	if r.bytes, err = f.Size(); err != nil {
		return r, fmt.Errorf("journal: %w", err)
	}
	block, err := r.peek(0, BlockSize)
	if err != nil {
		return r, err
	}
	var c contents
	err = s.header(number, &c, block, r.bytes)
	r.number, r.salt = c.number, c.salt
	return r, err
}

// close lets go of the file.
func (r *stream) close() {
	if r.file != nil {
		_ = r.file.Close() // opened for reading
	}
}

// peek is the n bytes at an offset, or fewer where the file ends; valid until the next call, whose offset must not be
// smaller.
func (r *stream) peek(at int64, n int) ([]byte, error) {
	n = int(min(int64(n), r.bytes-at))
	if end := r.from + int64(len(r.buf)); at+int64(n) > end {
		rest := r.buf[min(at, end)-r.from:]
		more := int(min(alignUp(int64(max(n-len(rest), streamPiece))), r.bytes-at-int64(len(rest))))
		to := at + int64(len(rest)+more)
		buf, err := r.window.room(rest, more, newPosition(r.number, to))
		if err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(io.NewSectionReader(r.file, to-int64(more), int64(more)), buf[len(rest):]); err != nil {
			return nil, fmt.Errorf("journal: read %s: %w", r.name, err)
		}
		r.buf, r.from = buf, at
	}
	return r.buf[at-r.from:][:n], nil
}

// next is the next group and where it is; ok is false after the last one. Its records are valid until the next call.
func (s *scanner) next(r *stream) (g placedGroup, ok bool, err error) {
	if r.at >= r.bytes {
		return g, false, nil
	}
	b, err := r.peek(r.at, groupHeaderSize)
	if err != nil {
		return g, false, err
	}
	if binary.LittleEndian.Uint32(b) == groupMagic { // else the length means nothing
		length := int64(binary.LittleEndian.Uint32(b[grpOffLength:]))
		if b, err = r.peek(r.at, int(min(length, r.bytes-r.at))); err != nil {
			return g, false, err
		}
	}
	g.group, ok = parseGroup(b, r.salt)
	if !ok {
		return g, false, s.atEnd(r)
	}
	if err := s.follows(r.name, r.at, &g.group); err != nil {
		return g, false, err
	}
	g.offset = r.at
	r.at += g.size()
	r.groups++
	s.last, s.lastEnd = r.number, r.at
	return g, true, nil
}

// atEnd fails if a group is whole behind what is none.
func (s *scanner) atEnd(r *stream) error {
	rest, err := r.peek(r.at, int(r.bytes-r.at))
	if err != nil {
		return err
	}
	return s.noneAfter(r.name, rest, r.at, r.salt)
}

// stream visits the records of a segment that is sealed.
func (s *scanner) stream(number uint32, w *window) error {
	r, err := s.openStream(number, w)
	defer r.close()
	for err == nil {
		if err = s.stopped(); err != nil {
			break
		}
		var g placedGroup
		var ok bool
		if g, ok, err = s.next(r); !ok || err != nil {
			break
		}
		err = s.records(newPosition(number, g.offset), &g.group)
	}
	return err
}

// first is the first group of a segment, which must have one.
func (s *scanner) first(number uint32, w *window) (group, error) {
	r, err := s.openStream(number, w)
	defer r.close()
	if err != nil {
		return group{}, err
	}
	g, ok, err := s.next(r)
	if err == nil && !ok {
		err = &CorruptError{r.name, BlockSize, "no group, though one was durable"}
	}
	return g.group, err
}
