package journal

import (
	"encoding/binary"
	"fmt"
	"io"

	"fastpay/node/journal/crc32c"
)

// BlockSize is what a group is a multiple of: a page of memory, and at least the sector of any disk.
const BlockSize = 4096

// segmentMagic ends with the version of the format.
var segmentMagic = [8]byte{'F', 'P', 'J', 'R', 'N', 'L', 0, 1}

// Offsets in a segment's header; see doc.go.
const (
	segOffCRC      = 8
	segOffSalt     = 12
	segOffNumber   = 16
	segOffSize     = 24
	segOffID       = 32
	segOffIdentity = 48 // length, then the fields

	// maxIdentityBytes is what the header has room for, and that of a snapshot.
	maxIdentityBytes = BlockSize - 64
)

// ID is the random name of a journal, given when it is begun. All its segments and snapshots have it.
type ID [16]byte

// segment is an open segment.
type segment struct {
	id     ID
	number uint32
	salt   uint32
	size   int64
	file   File
}

// segmentHeader is a whole header block.
func segmentHeader(s *segment, identity Identity) []byte {
	b := alignedBytes(BlockSize)[:BlockSize]
	copy(b, segmentMagic[:])
	binary.LittleEndian.PutUint32(b[segOffSalt:], s.salt)
	binary.LittleEndian.PutUint64(b[segOffNumber:], uint64(s.number))
	binary.LittleEndian.PutUint64(b[segOffSize:], uint64(s.size))
	copy(b[segOffID:], s.id[:])
	putIdentity(b[segOffIdentity:], identity)
	binary.LittleEndian.PutUint32(b[segOffCRC:], headerCRC(b))
	return b
}

func headerCRC(b []byte) uint32 {
	return crc32c.Prefixed((*[segOffCRC]byte)(b), b[segOffSalt:BlockSize])
}

// reasonVersion is what a header of another version has; it is not damage.
const reasonVersion = "format version"

// parseSegmentHeader reads the header at the start of a segment; reason is empty if it is whole.
func parseSegmentHeader(b []byte) (s segment, identity Identity, reason string) {
	switch {
	case len(b) < BlockSize:
		return s, nil, fmt.Sprintf("the file has %d bytes, less than a header", len(b))
	case string(b[:len(segmentMagic)-1]) != string(segmentMagic[:len(segmentMagic)-1]):
		return s, nil, "the header does not begin as a journal's"
	case headerCRC(b) != binary.LittleEndian.Uint32(b[segOffCRC:]):
		return s, nil, "the header's checksum does not match"
	case b[len(segmentMagic)-1] != segmentMagic[len(segmentMagic)-1]:
		return s, nil, reasonVersion
	}
	number, size := binary.LittleEndian.Uint64(b[segOffNumber:]), binary.LittleEndian.Uint64(b[segOffSize:])
	if number == 0 || number > maxSegmentNumber || size > MaxSegmentSize || size%BlockSize != 0 {
		return s, nil, "the header has impossible values"
	}
	identity, ok := takeIdentity(b[segOffIdentity:])
	if !ok {
		return s, nil, "the header's identity is malformed"
	}
	s = segment{number: uint32(number), salt: binary.LittleEndian.Uint32(b[segOffSalt:]), size: int64(size)}
	copy(s.id[:], b[segOffID:])
	return s, identity, ""
}

// fillPiece is how much of a segment is filled at once: so much that a commit which happens meanwhile finds little to wait
// for, and no less, since each time the file system's own log is written as well.
const fillPiece = 2 << 20

// zeros is what segments are filled with. Nobody writes to it, so it takes no memory of its own.
var zeros = hugeBytes(fillPiece)[:fillPiece]

// writeSegment makes a segment file of s.size bytes, beginning with prefix (a header, maybe groups), then zeros. When
// it returns, the file has its final name, and all of that is durable. What had that name is replaced in one step.
func writeSegment(fs FS, s *segment, prefix []byte) (err error) {
	name := segmentName(s.number)
	unfinished := name + unfinishedSuffix
	f, err := fs.Create(unfinished)
	if err != nil {
		return fmt.Errorf("journal: begin segment %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()             // it is given up
			_ = fs.Remove(unfinished) // and if it can't be removed, the next Open does
			err = fmt.Errorf("journal: prepare segment %s: %w", name, err)
		}
	}()
	if err := f.Allocate(s.size); err != nil {
		return err
	}
	for at := int64(0); at < s.size; {
		piece := zeros[:min(s.size-at, int64(len(zeros)))]
		if at < int64(len(prefix)) {
			piece = prefix[at:min(int64(len(prefix)), at+int64(len(zeros)))]
		}
		if err := f.WriteSync(piece, at); err != nil {
			return err
		}
		at += int64(len(piece))
	}
	if err := fs.Rename(unfinished, name); err != nil {
		return err
	}
	if err := fs.SyncDir(); err != nil {
		return err
	}
	s.file = f
	return nil
}

// writeThenSync is WriteSync in two steps.
func writeThenSync(f File, b []byte, at int64) error {
	if err := writeAt(f, b, at); err != nil {
		return err
	}
	return f.Sync()
}

// writeAt takes a short write without an error for the error that it is.
func writeAt(f File, b []byte, at int64) error {
	n, err := f.WriteAt(b, at)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return err
}
