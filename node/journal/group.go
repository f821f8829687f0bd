package journal

import (
	"encoding/binary"

	"fastpay/node/journal/crc32c"
)

// groupMagic is "GRP1". Unwritten blocks are zeros, so they are no groups.
const groupMagic = 'G' | 'R'<<8 | 'P'<<16 | '1'<<24

// Offsets in a group; see doc.go.
const (
	grpOffCRC      = 4
	grpOffSequence = 8
	grpOffDurable  = 16
	grpOffLength   = 24
	grpOffRecords  = 28

	groupHeaderSize = 32
)

// Offsets in a record.
const (
	recOffShard = 4
	recOffCRC   = 8

	// RecordHeaderSize is what each record costs beyond its data.
	RecordHeaderSize = 12
)

// group is a whole group, as read.
type group struct {
	sequence uint64
	durable  uint64 // the last group that was durable when this one was written
	count    int
	records  []byte // their bytes, a view
}

// size is the group's length in the file, padding included.
func (g *group) size() int64 { return alignUp(groupHeaderSize + int64(len(g.records))) }

func alignUp(n int64) int64 { return (n + BlockSize - 1) &^ (BlockSize - 1) }

// finishGroup fills in the header of the group whose records follow it in b.
func finishGroup(b []byte, salt uint32, sequence, durable uint64, records int) {
	binary.LittleEndian.PutUint32(b, groupMagic)
	binary.LittleEndian.PutUint64(b[grpOffSequence:], sequence)
	binary.LittleEndian.PutUint64(b[grpOffDurable:], durable)
	binary.LittleEndian.PutUint32(b[grpOffLength:], uint32(len(b)))
	binary.LittleEndian.PutUint32(b[grpOffRecords:], uint32(records))
	binary.LittleEndian.PutUint32(b[grpOffCRC:], crc32c.Update(salt, b[grpOffSequence:]))
}

// parseGroup reads the group at the start of b. It reports whether there is one, whole. Only the checksum over all of
// it makes it one: a length that was damaged leads to other bytes, and these don't match.
func parseGroup(b []byte, salt uint32) (g group, ok bool) {
	if len(b) < groupHeaderSize || binary.LittleEndian.Uint32(b) != groupMagic {
		return group{}, false
	}
	length := binary.LittleEndian.Uint32(b[grpOffLength:])
	if length < groupHeaderSize || uint64(length) > uint64(len(b)) {
		return group{}, false
	}
	b = b[:length]
	if crc32c.Update(salt, b[grpOffSequence:]) != binary.LittleEndian.Uint32(b[grpOffCRC:]) &&
		!sabotaged("journal: a group's checksum is not compared") {
		return group{}, false
	}
	g = group{
		sequence: binary.LittleEndian.Uint64(b[grpOffSequence:]),
		durable:  binary.LittleEndian.Uint64(b[grpOffDurable:]),
		count:    int(binary.LittleEndian.Uint32(b[grpOffRecords:])),
		records:  b[groupHeaderSize:],
	}
	return g, g.wellFormed()
}

// wellFormed reports whether the records are as many as the header says, and end where it says.
func (g *group) wellFormed() bool {
	rest, ok := g.records, true
	for range g.count {
		if _, _, rest, ok = takeRecord(rest); !ok {
			return false
		}
	}
	return len(rest) == 0
}

// takeRecord splits the first record off b. It looks at lengths alone.
func takeRecord(b []byte) (shard uint32, data, rest []byte, ok bool) {
	if len(b) < RecordHeaderSize {
		return 0, nil, nil, false
	}
	n := binary.LittleEndian.Uint32(b)
	if uint64(n) > uint64(len(b)-RecordHeaderSize) {
		return 0, nil, nil, false
	}
	end := RecordHeaderSize + int(n)
	return binary.LittleEndian.Uint32(b[recOffShard:]), b[RecordHeaderSize:end:end], b[end:], true
}

// recordCRC is the checksum of a whole record, header and data.
func recordCRC(b []byte) uint32 {
	return crc32c.Prefixed((*[recOffCRC]byte)(b), b[RecordHeaderSize:])
}
