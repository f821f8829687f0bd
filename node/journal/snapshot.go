package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"

	"fastpay/node/journal/crc32c"
)

// snapshotMagic ends with the version of the format.
var snapshotMagic = [8]byte{'F', 'P', 'S', 'N', 'A', 'P', 0, 1}

// Offsets in a snapshot's header; see doc.go.
const (
	snapOffCRC      = 8 // and 4 bytes of zeros
	snapOffSegment  = 16
	snapOffGroup    = 24
	snapOffID       = 32
	snapOffIdentity = 48 // length, then the fields
)

const (
	// snapshotBlockSize is what a block of a snapshot holds, but the last one: large enough to make calls cheap, small
	// enough to stay in a cache.
	snapshotBlockSize = 256 << 10
	// snapshotSyncBytes is how much is left unsynced at most, so that a commit finds little to wait for.
	snapshotSyncBytes = 1 << 20
	// snapshotBlockHeader is the length and the crc before a block.
	snapshotBlockHeader = 8
)

// SnapshotInfo is what a snapshot's header says.
type SnapshotInfo struct {
	At       Point
	ID       ID
	Identity Identity
	Size     int64 // of the file, in bytes
}

// appendSnapshotHeader appends a whole header block.
func appendSnapshotHeader(dst []byte, s *SnapshotInfo) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, BlockSize)...)
	b := dst[start:]
	copy(b, snapshotMagic[:])
	binary.LittleEndian.PutUint64(b[snapOffSegment:], uint64(s.At.Segment))
	binary.LittleEndian.PutUint64(b[snapOffGroup:], s.At.Group)
	copy(b[snapOffID:], s.ID[:])
	putIdentity(b[snapOffIdentity:], s.Identity)
	binary.LittleEndian.PutUint32(b[snapOffCRC:], headerCRC(b))
	return dst
}

// parseSnapshotHeader reads the header at the start of a snapshot; reason is empty if it is whole.
func parseSnapshotHeader(b []byte) (s SnapshotInfo, reason string) {
	switch {
	case string(b[:len(snapshotMagic)-1]) != string(snapshotMagic[:len(snapshotMagic)-1]):
		return s, "the header does not begin as a snapshot's"
	case headerCRC(b) != binary.LittleEndian.Uint32(b[snapOffCRC:]):
		return s, "the header's checksum does not match"
	case b[len(snapshotMagic)-1] != snapshotMagic[len(snapshotMagic)-1]:
		return s, reasonVersion
	}
	segment := binary.LittleEndian.Uint64(b[snapOffSegment:])
	if segment == 0 || segment > maxSegmentNumber {
		return s, "the header has impossible values"
	}
	var ok bool
	if s.Identity, ok = takeIdentity(b[snapOffIdentity:]); !ok {
		return s, "the header's identity is malformed"
	}
	s.At = Point{uint32(segment), binary.LittleEndian.Uint64(b[snapOffGroup:])}
	copy(s.ID[:], b[snapOffID:])
	return s, ""
}

// snapshotWriter writes the blocks of a snapshot. An error stays.
type snapshotWriter struct {
	file     File
	stopped  func() error // asked for each block
	enough   func() error // asked for each sync
	buf      []byte       // header of the block, and what it has so far
	at       int64        // where the block goes
	crc      uint32       // of the one before it
	total    uint64       // bytes of data so far
	unsynced int64
	err      error
}

// Write implements io.Writer.
func (w *snapshotWriter) Write(b []byte) (n int, err error) {
	for len(b) > 0 && w.err == nil {
		room := min(len(b), snapshotBlockHeader+snapshotBlockSize-len(w.buf))
		w.buf = append(w.buf, b[:room]...)
		b, n = b[room:], n+room
		if len(w.buf) == snapshotBlockHeader+snapshotBlockSize {
			w.flush()
		}
	}
	return n, w.err
}

// flush writes the block, and now and then syncs, so that the sync of a commit finds little to wait for.
func (w *snapshotWriter) flush() {
	runtime.Gosched() // commits are more urgent
	length := len(w.buf) - snapshotBlockHeader
	if w.err = w.stopped(); w.err != nil || length == 0 {
		return
	}
	w.total += uint64(length)
	w.put(uint32(length))
}

// put writes what is in buf, after its header.
func (w *snapshotWriter) put(length uint32) {
	binary.LittleEndian.PutUint32(w.buf, length)
	w.crc = snapshotBlockCRC(w.crc, w.buf)
	binary.LittleEndian.PutUint32(w.buf[4:], w.crc)
	if w.err = writeAt(w.file, w.buf, w.at); w.err != nil {
		return
	}
	w.at += int64(len(w.buf))
	w.unsynced += int64(len(w.buf))
	w.buf = w.buf[:snapshotBlockHeader]
	if w.unsynced >= snapshotSyncBytes {
		w.unsynced = 0
		if w.err = w.file.Sync(); w.err == nil {
			w.err = w.enough()
		}
	}
}

// finish writes the end, and makes all of it durable.
func (w *snapshotWriter) finish() error {
	if w.err == nil {
		w.flush()
	}
	if w.err == nil {
		w.buf = binary.LittleEndian.AppendUint64(w.buf[:snapshotBlockHeader], w.total)
		w.put(0)
	}
	if w.err == nil {
		w.err = w.file.Sync()
	}
	return w.err
}

// snapshotBlockCRC is the checksum of a block, or of the end: over length and data, going on from the one before.
func snapshotBlockCRC(before uint32, b []byte) uint32 {
	return crc32c.Update(crc32c.Update(before, b[:4]), b[snapshotBlockHeader:])
}

// snapshotReader reads and verifies the blocks of a snapshot. An error, io.EOF included, stays.
type snapshotReader struct {
	file  File
	name  string
	size  int64
	at    int64  // of the next block
	crc   uint32 // of the one before it
	total uint64
	buf   []byte
	rest  []byte // verified and not read yet
	err   error
}

// Read implements io.Reader.
func (r *snapshotReader) Read(b []byte) (n int, err error) {
	for len(r.rest) == 0 && r.err == nil {
		r.err = r.next()
	}
	if len(r.rest) == 0 {
		return 0, r.err
	}
	n = copy(b, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// next reads a block, or the end.
func (r *snapshotReader) next() error {
	corrupt := func(reason string) error { return snapshotError(r.name, r.at, reason) }
	r.buf = r.buf[:min(int64(cap(r.buf)), r.size-r.at)]
	if len(r.buf) < snapshotBlockHeader {
		return corrupt("the file ends before the snapshot does")
	}
	if _, err := io.ReadFull(io.NewSectionReader(r.file, r.at, int64(len(r.buf))), r.buf); err != nil {
		return fmt.Errorf("journal: read %s: %w", r.name, err)
	}
	length := int(binary.LittleEndian.Uint32(r.buf))
	end := length == 0
	if end {
		length = 8
	}
	if length > len(r.buf)-snapshotBlockHeader {
		return corrupt("a block is longer than it can be")
	}
	block := r.buf[:snapshotBlockHeader+length]
	r.crc = snapshotBlockCRC(r.crc, block)
	if r.crc != binary.LittleEndian.Uint32(block[4:]) {
		return corrupt("a block's checksum does not match")
	}
	data := block[snapshotBlockHeader:]
	if !end {
		r.at += int64(len(block))
		r.total += uint64(length)
		r.rest = data
		return nil
	}
	if total := binary.LittleEndian.Uint64(data); total != r.total || r.at+int64(len(block)) != r.size {
		return corrupt(fmt.Sprintf("the end after %d bytes says %d, and is %d bytes before the file's", r.total, total,
			r.size-r.at-int64(len(block))))
	}
	return io.EOF
}

// snapshotError is a CorruptError for a snapshot.
func snapshotError(name string, offset int64, reason string) error {
	return &CorruptError{name, offset, reason}
}

// openSnapshot opens a snapshot, and reads its header.
func openSnapshot(fs FS, segment uint32) (info SnapshotInfo, r *snapshotReader, err error) {
	name := snapshotName(segment)
	f, err := fs.Open(name)
	if err != nil {
		return info, nil, fmt.Errorf("journal: open snapshot: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	size, err := f.Size()
	if err != nil {
		return info, nil, fmt.Errorf("journal: read %s: %w", name, err)
	}
	if size < BlockSize {
		return info, nil, snapshotError(name, 0, fmt.Sprintf("the file has %d bytes, less than a header", size))
	}
	header := make([]byte, BlockSize)
	if _, err := f.ReadAt(header, 0); err != nil {
		return info, nil, fmt.Errorf("journal: read %s: %w", name, err)
	}
	info, reason := parseSnapshotHeader(header)
	switch {
	case reason == reasonVersion:
		return info, nil, versionError(name, header, snapshotMagic)
	case reason != "":
		return info, nil, snapshotError(name, 0, reason)
	case info.At.Segment != segment:
		return info, nil, snapshotError(name, snapOffSegment,
			fmt.Sprintf("this is the snapshot of segment %x", info.At.Segment))
	}
	info.Size = size
	return info, &snapshotReader{file: f, name: name, size: size, at: BlockSize, crc: headerCRC(header),
		buf: make([]byte, 0, min(snapshotBlockHeader+snapshotBlockSize, size-BlockSize))}, nil
}
