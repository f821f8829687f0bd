package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// maxOpenReaders bounds the descriptors that reading back holds. Each is a segment; the oldest is closed first.
const maxOpenReaders = 32

var errNoPosition = errors.New("journal: read: no position of a record")

// readers are the segments that are open for reading.
type readers struct {
	fs     FS
	mu     sync.RWMutex // held for reading over every read, so that no file in use is closed
	open   map[uint32]reader
	order  []uint32 // oldest first
	closed bool
}

type reader struct {
	file File
	size int64
}

// Read reads the record at a position that Append or Open gave. Its data is in buf if that has room for
// RecordHeaderSize more than it, else in new memory. A record that is not durable yet is ErrNotDurable, one whose
// checksum does not match a CorruptError, one whose segment is gone ErrRemoved. It reads the disk, so it does not
// belong on a loop that must not wait.
func (j *Journal) Read(buf []byte, at Position) (shard uint32, data []byte, err error) {
	if at.Segment() == 0 || at.offset() < BlockSize+groupHeaderSize {
		return 0, nil, errNoPosition
	}
	if uint64(at) >= j.end.Load() {
		return 0, nil, ErrNotDurable
	}
	for {
		if at.Segment() < j.first.Load() {
			return 0, nil, ErrRemoved
		}
		shard, data, err := j.readers.read(buf, at)
		if err != errNotOpen {
			return shard, data, err
		}
		// Readers of many other segments may close it again before it is read: then once more.
		if err := j.readers.add(at.Segment()); err != nil && at.Segment() >= j.first.Load() {
			return 0, nil, err // and not because it was removed a moment ago
		}
	}
}

// errNotOpen tells Read to open the segment; no caller sees it.
var errNotOpen = errors.New("journal: segment not open for reading")

func (r *readers) read(buf []byte, at Position) (shard uint32, data []byte, err error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	f, ok := r.open[at.Segment()]
	if !ok {
		return 0, nil, errNotOpen
	}
	return f.read(buf, at)
}

func (f reader) read(buf []byte, at Position) (shard uint32, data []byte, err error) {
	corrupt := func(reason string) (uint32, []byte, error) {
		return 0, nil, &CorruptError{segmentName(at.Segment()), at.offset(), "record: " + reason}
	}
	if at.offset()+RecordHeaderSize > f.size {
		return corrupt("beyond the end of the file")
	}
	buf = slices.Grow(buf[:0], RecordHeaderSize)[:RecordHeaderSize]
	if _, err := f.file.ReadAt(buf, at.offset()); err != nil {
		return 0, nil, fmt.Errorf("journal: read %v: %w", at, err)
	}
	end := RecordHeaderSize + int64(binary.LittleEndian.Uint32(buf))
	if at.offset()+end > f.size {
		return corrupt("longer than the file")
	}
	buf = slices.Grow(buf, int(end)-RecordHeaderSize)[:end]
	if _, err := f.file.ReadAt(buf[RecordHeaderSize:], at.offset()+RecordHeaderSize); err != nil {
		return 0, nil, fmt.Errorf("journal: read %v: %w", at, err)
	}
	if recordCRC(buf) != binary.LittleEndian.Uint32(buf[recOffCRC:]) {
		return corrupt("the checksum does not match")
	}
	return binary.LittleEndian.Uint32(buf[recOffShard:]), buf[RecordHeaderSize:], nil
}

// add opens a segment for reading, unless another reader did meanwhile.
func (r *readers) add(number uint32) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.open[number]; ok {
		return nil
	}
	if r.closed {
		return ErrClosed
	}
	f, err := r.fs.Open(segmentName(number))
	if err != nil {
		return fmt.Errorf("journal: read back: %w", err)
	}
	size, err := f.Size()
	if err != nil {
		return fmt.Errorf("journal: read back: %w", errors.Join(err, f.Close()))
	}
	if len(r.order) == maxOpenReaders {
		_ = r.open[r.order[0]].file.Close() // opened for reading
		delete(r.open, r.order[0])
		r.order = slices.Delete(r.order, 0, 1)
	}
	if r.open == nil {
		r.open = make(map[uint32]reader, maxOpenReaders)
	}
	r.open[number] = reader{f, size}
	r.order = append(r.order, number)
	return nil
}

// forget closes the segments before the number.
func (r *readers) forget(before uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.order = slices.DeleteFunc(r.order, func(number uint32) bool {
		if number >= before {
			return false
		}
		_ = r.open[number].file.Close() // opened for reading
		delete(r.open, number)
		return true
	})
}

func (r *readers) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.open {
		_ = f.file.Close() // opened for reading
	}
	r.open, r.order, r.closed = nil, nil, true
}
