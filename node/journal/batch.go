package journal

import (
	"encoding/binary"
	"math"
)

// Batch is records that go into the journal together, in one group. Its zero value is empty. It belongs to one
// goroutine, and is meant to be used again and again: Reset keeps its memory.
type Batch struct {
	buf    []byte
	count  int
	sealed int // length of the records that have their checksums
}

// Add adds a record whose data is the parts one after the other; they are copied. The record's position will be
// base + offset, where base is what Append returns.
func (b *Batch) Add(shard uint32, parts ...[]byte) (offset Position) {
	start := len(b.buf)
	b.buf = append(b.buf, make([]byte, RecordHeaderSize)...)
	for _, p := range parts {
		b.buf = append(b.buf, p...)
	}
	record := b.buf[start:]
	length := len(record) - RecordHeaderSize
	if int64(length) > math.MaxUint32 {
		panic("journal: a record of 4 GiB")
	}
	binary.LittleEndian.PutUint32(record, uint32(length))
	binary.LittleEndian.PutUint32(record[recOffShard:], shard)
	b.count++
	return Position(start)
}

// seal gives the records their checksums. It is done for many at once, and not by Add: what was written a moment ago is
// on its way to the cache, and can't be read in pieces other than those in which it was written before it is there.
func (b *Batch) seal() {
	for b.sealed < len(b.buf) {
		record := b.buf[b.sealed:]
		record = record[:RecordHeaderSize+int(binary.LittleEndian.Uint32(record))]
		binary.LittleEndian.PutUint32(record[recOffCRC:], recordCRC(record))
		b.sealed += len(record)
	}
}

// Len is the number of records.
func (b *Batch) Len() int { return b.count }

// Size is the number of bytes that they take, RecordHeaderSize for each included.
func (b *Batch) Size() int { return len(b.buf) }

// Reset removes all records.
func (b *Batch) Reset() { b.buf, b.count, b.sealed = b.buf[:0], 0, 0 }
