package authority

import (
	"encoding/binary"
	"errors"
	"fmt"

	"fastpay/codec"
)

// A snapshot is the state of the shards of a process after all records before some position of their log; whoever stores
// it stores that position with it, and checksums. It is a stream of bytes, written and read once from its beginning to its
// end. Integers are little-endian.
//
//	snapshot: magic [8] | shards of the authority u32 | sections u32 | heads, one a section | sections
//	head:     shard u32 | last transaction of the Primary u64 | lanes, one a shard of the authority
//	lane:     cursor u64 | its sum u64 | issued u64 | acknowledged u64 | its sum u64 | marks u32 |
//	          if there are marks: number of the first u64 | interval u64 | positions u64 each
//	section:  accounts, by ascending address | 0xff | their number u64
//	account:  content [1] | address [32] | balance i128 | payer | payee | transactions of the Primary u32 | pending
//	payer:    next sequence number u64 | chain of the confirmed log, as many records as that number
//	payee:    received u64 | chain of the received log
//	chain:    tail u64 | near u64, if there are nearStep records | far u64, if there are farStep
//	pending:  length [1] | transfer order
//
// Sections are in the order of their shards. A bit of content says that payer, payee, transactions or pending are there,
// from the lowest on; the first three are only when they are not 0.
const snapshotMagic = "fpsnap\x00\x01"

const (
	hasPaid = 1 << iota
	hasReceived
	hasSynchronized
	hasPending
	hasAll = hasPaid | hasReceived | hasSynchronized | hasPending

	endOfSection = 0xff

	// maxEntrySize is the largest account.
	maxEntrySize = 1 + 32 + 16 + 2*(8+maxChainSize) + 4 + 1 + maxOrderSize
	// snapshotBuffer is read and written at once.
	snapshotBuffer = 256 << 10
	// snapshotBegin is what of it is made at first: few accounts need no more.
	snapshotBegin = 16 << 10
)

// ErrSnapshot is a snapshot that is malformed, or not of these shards.
var ErrSnapshot = errors.New("authority: bad snapshot")

// A head is what a shard has beside its accounts.
type head struct {
	shard           int
	lastTransaction uint64
	lanes           []lane
}

// An entry is an account of a snapshot. Its pending order is a view.
type entry struct {
	account
	order codec.Order
}

// appendPreamble appends all that precedes the sections.
func appendPreamble(dst []byte, numShards int, heads []*head) []byte {
	dst = append(dst, snapshotMagic...)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(numShards))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(heads)))
	for _, h := range heads {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(h.shard))
		dst = binary.LittleEndian.AppendUint64(dst, h.lastTransaction)
		for i := range h.lanes {
			dst = h.lanes[i].append(dst)
		}
	}
	return dst
}

func (l *lane) append(dst []byte) []byte {
	o := &l.out
	for _, v := range [...]uint64{l.cursor, l.sum, o.issued, o.acknowledged, o.sum} {
		dst = binary.LittleEndian.AppendUint64(dst, v)
	}
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(o.marks)))
	if len(o.marks) > 0 {
		dst = binary.LittleEndian.AppendUint64(dst, o.first)
		dst = binary.LittleEndian.AppendUint64(dst, o.interval)
	}
	for _, p := range o.marks {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(p))
	}
	return dst
}

func (e *entry) append(dst []byte) []byte {
	at := len(dst)
	dst = append(append(dst, 0), e.address[:]...)
	dst = e.balance.AppendBytes(dst)
	if e.next > 0 {
		dst[at] |= hasPaid
		dst = e.confirmedChain.append(binary.LittleEndian.AppendUint64(dst, e.next), e.next)
	}
	if e.received > 0 {
		dst[at] |= hasReceived
		dst = e.receivedChain.append(binary.LittleEndian.AppendUint64(dst, e.received), e.received)
	}
	if e.synchronized > 0 {
		dst[at] |= hasSynchronized
		dst = binary.LittleEndian.AppendUint32(dst, e.synchronized)
	}
	if !e.order.IsZero() {
		dst[at] |= hasPending
		dst = append(append(dst, byte(len(e.order.Bytes()))), e.order.Bytes()...)
	}
	return dst
}

// append appends the chain of a log of n records.
func (c *chain) append(dst []byte, n uint64) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, uint64(c.tail))
	if n >= nearStep {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(c.near))
	}
	if n >= farStep {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(c.far))
	}
	return dst
}

func badSnapshot(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrSnapshot, fmt.Sprintf(format, args...))
}
