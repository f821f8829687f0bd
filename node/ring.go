package node

import (
	"encoding/binary"
	"sync/atomic"
)

// ring is a bounded queue of byte records from one goroutine to another, without locks. A record is written whole or not
// at all, and lies contiguous in memory, so that the reader gets a view:
//
//	u32 tag | u32 length | u64 number | length bytes | padding to 8
//
// A record that does not fit before the end of the memory is preceded by a filler of length skipRecord, 8 bytes at least.
//
// The producer reserves room before it commits to a record, and pushes it later. The consumer has two positions: it may
// read on without giving room back, and release later (what is sent is kept until it is acknowledged).
type ring struct {
	buf      []byte // a power of two long
	slack    uint64 // what a filler may waste: the largest record
	reserved uint64 // of the producer: promised and not pushed yet
	_        [16]byte
	head     atomic.Uint64 // written by the producer: bytes ever pushed
	_        [56]byte
	tail     atomic.Uint64 // written by the consumer: bytes ever released
	_        [56]byte
}

const (
	ringHeader = 16
	skipRecord = ^uint32(0)
)

// newRing makes a ring of size bytes, a power of two and several times larger than the largest record.
func newRing(size, largest int) *ring {
	return &ring{buf: make([]byte, size), slack: ringRecordSize(largest)}
}

func ringRecordSize(n int) uint64 { return uint64(ringHeader+n+7) &^ 7 }

// reserve promises room for a record of n bytes, if there is any. For the producer.
func (r *ring) reserve(n int) bool {
	if !r.fits(n) {
		return false
	}
	r.reserved += ringRecordSize(n)
	return true
}

// fits reports whether there is room for a record of n bytes. For the producer.
func (r *ring) fits(n int) bool {
	used := r.head.Load() - r.tail.Load() + r.reserved + r.slack
	return used+ringRecordSize(n) <= uint64(len(r.buf))
}

// cancel gives a reservation of n bytes back. For the producer.
func (r *ring) cancel(n int) { r.reserved -= ringRecordSize(n) }

// push appends a record for which room was reserved, whole or in parts. For the producer.
func (r *ring) push(tag uint32, number uint64, parts ...[]byte) {
	head, size, length := r.head.Load(), uint64(len(r.buf)), 0
	for _, p := range parts {
		length += len(p)
	}
	need := ringRecordSize(length)
	r.reserved -= need
	if toEnd := size - head&(size-1); need > toEnd {
		binary.LittleEndian.PutUint32(r.buf[head&(size-1)+4:], skipRecord)
		head += toEnd
	}
	at := r.buf[head&(size-1):]
	binary.LittleEndian.PutUint32(at, tag)
	binary.LittleEndian.PutUint32(at[4:], uint32(length))
	binary.LittleEndian.PutUint64(at[8:], number)
	to := at[ringHeader:]
	for _, p := range parts {
		to = to[copy(to, p):]
	}
	r.head.Store(head + need)
}

// next returns the record at position pos, a view until it is released, with its tag and number, and the position after it. For the consumer,
// which begins with pos = 0.
func (r *ring) next(pos uint64) (tag uint32, number uint64, record []byte, after uint64, ok bool) {
	head, size := r.head.Load(), uint64(len(r.buf))
	for pos != head {
		at := r.buf[pos&(size-1):]
		n := binary.LittleEndian.Uint32(at[4:])
		if n == skipRecord {
			pos += uint64(len(at))
			continue
		}
		record = at[ringHeader : ringHeader+n : ringHeader+n]
		return binary.LittleEndian.Uint32(at), binary.LittleEndian.Uint64(at[8:]), record, pos + ringRecordSize(int(n)), true
	}
	return 0, 0, nil, pos, false
}

// release gives back all room before pos. For the consumer.
func (r *ring) release(pos uint64) { r.tail.Store(pos) }

// empty reports whether all records were released.
func (r *ring) empty() bool { return r.head.Load() == r.tail.Load() }
