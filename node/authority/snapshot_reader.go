package authority

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"

	"fastpay/codec"
	"fastpay/node/committee"
)

// A snapshotReader reads a snapshot: its preamble, then one section after the other.
type snapshotReader struct {
	in        *bufio.Reader
	heads     []*head
	numShards int
	shard     int           // of the section that is being read
	count     uint64        // accounts of it so far
	last      codec.Address // the last one
}

// newSnapshotReader reads the preamble, which must be of these shards, in ascending order, of numShards.
func newSnapshotReader(r io.Reader, numShards int, shards []int) (*snapshotReader, error) {
	s := &snapshotReader{in: bufio.NewReaderSize(r, snapshotBuffer), numShards: numShards}
	b, err := s.take(len(snapshotMagic) + 8)
	if err != nil {
		return nil, err
	}
	if string(b[:8]) != snapshotMagic {
		return nil, badSnapshot("it begins with %q, expected %q", b[:8], snapshotMagic)
	}
	n, sections := binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint32(b[12:])
	if int(n) != numShards || int(sections) != len(shards) {
		return nil, badSnapshot("it has %d of %d shards, expected %d of %d", sections, n, len(shards), numShards)
	}
	for _, shard := range shards {
		h, err := s.takeHead()
		if err != nil {
			return nil, err
		}
		if h.shard != shard {
			return nil, badSnapshot("it has shard %d, expected %d", h.shard, shard)
		}
		s.heads = append(s.heads, h)
	}
	return s, nil
}

// take is the next n bytes, fewer than snapshotBuffer, a view until the next call.
func (s *snapshotReader) take(n int) ([]byte, error) {
	b, err := s.in.Peek(n)
	if err == io.EOF {
		return nil, badSnapshot("it ends too early")
	}
	if err != nil {
		return nil, err
	}
	_, err = s.in.Discard(n)
	return b, err
}

func (s *snapshotReader) takeHead() (*head, error) {
	b, err := s.take(12)
	if err != nil {
		return nil, err
	}
	h := &head{
		shard: int(binary.LittleEndian.Uint32(b)), lastTransaction: binary.LittleEndian.Uint64(b[4:]),
		lanes: make([]lane, s.numShards),
	}
	for i := range h.lanes {
		if err := s.takeLane(&h.lanes[i]); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// laneSize is a lane without marks.
const laneSize = 44

func (s *snapshotReader) takeLane(l *lane) error {
	b, err := s.take(laneSize)
	if err != nil {
		return err
	}
	o := &l.out
	for i, v := range [...]*uint64{&l.cursor, &l.sum, &o.issued, &o.acknowledged, &o.sum} {
		*v = binary.LittleEndian.Uint64(b[8*i:])
	}
	marks := uint64(binary.LittleEndian.Uint32(b[laneSize-4:]))
	if o.acknowledged > o.issued || (marks > 0) != (o.acknowledged < o.issued) || marks > maxMarks {
		return badSnapshot("%d marks for credits %d to %d", marks, o.acknowledged+1, o.issued)
	}
	if marks == 0 {
		return nil
	}
	if b, err = s.take(16 + 8*int(marks)); err != nil {
		return err
	}
	o.first, o.interval = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
	for b := b[16:]; len(b) > 0; b = b[8:] {
		o.marks = append(o.marks, Position(binary.LittleEndian.Uint64(b)))
	}
	return o.check()
}

// check refuses an outbox that issue and acknowledge do not make.
func (o *outbox) check() error {
	if o.interval < markInterval || o.interval&(o.interval-1) != 0 || o.first == 0 || o.first > o.acknowledged+1 ||
		(o.issued-o.first)/o.interval != uint64(len(o.marks)-1) {
		return badSnapshot("%d marks, from credit %d on, every %d, for credits %d to %d",
			len(o.marks), o.first, o.interval, o.acknowledged+1, o.issued)
	}
	last := Position(0)
	for _, p := range o.marks {
		if p <= last || p.IsProvisional() {
			return badSnapshot("a credit at %v after one at %v", p, last)
		}
		last = p
	}
	return nil
}

// begin begins the section of a shard, the first one or the one after that which ended.
func (s *snapshotReader) begin(shard int) { s.shard, s.count, s.last = shard, 0, codec.Address{} }

// next reads an account of the section; ok is false at its end. The order of e is a view until the next call.
func (s *snapshotReader) next(e *entry) (ok bool, err error) {
	b, err := s.in.Peek(maxEntrySize)
	if err != nil && err != io.EOF {
		return false, err
	}
	if len(b) >= 9 && b[0] == endOfSection {
		if n := binary.LittleEndian.Uint64(b[1:]); n != s.count {
			return false, badSnapshot("%d accounts in shard %d, expected %d", s.count, s.shard, n)
		}
		_, err := s.in.Discard(9)
		return false, err
	}
	n, ok := e.parse(b)
	if !ok {
		return false, badSnapshot("account %d of shard %d can't be read", s.count, s.shard)
	}
	if s.count > 0 && bytes.Compare(e.address[:], s.last[:]) <= 0 {
		return false, badSnapshot("account %s after %s", codec.FormatAddress(&e.address), codec.FormatAddress(&s.last))
	}
	if shard := committee.ShardOf(&e.address, s.numShards); shard != s.shard {
		return false, badSnapshot("account %s is of shard %d, not %d", codec.FormatAddress(&e.address), shard, s.shard)
	}
	s.count, s.last = s.count+1, e.address
	_, err = s.in.Discard(n)
	return true, err
}

// end demands that nothing follows the last section.
func (s *snapshotReader) end() error {
	switch _, err := s.in.Peek(1); err {
	case io.EOF:
		return nil
	case nil:
		return badSnapshot("bytes after its end")
	default:
		return err
	}
}

// parse reads the account that b begins with, and returns its size.
func (e *entry) parse(b []byte) (size int, ok bool) {
	*e = entry{}
	if len(b) < 49 || b[0]&^hasAll != 0 {
		return 0, false
	}
	content, rest := b[0], b[49:]
	e.address, e.balance = codec.Address(b[1:33]), codec.BalanceFromBytes(b[33:])
	if content&hasPaid != 0 {
		if e.next, rest, ok = e.confirmedChain.parse(rest); !ok {
			return 0, false
		}
		e.confirmed = e.next
	}
	if content&hasReceived != 0 {
		if e.received, rest, ok = e.receivedChain.parse(rest); !ok {
			return 0, false
		}
	}
	if content&hasSynchronized != 0 {
		if len(rest) < 4 {
			return 0, false
		}
		if e.synchronized, rest = binary.LittleEndian.Uint32(rest), rest[4:]; e.synchronized == 0 {
			return 0, false
		}
	}
	if content&hasPending != 0 {
		if len(rest) < 1 || len(rest) < 1+int(rest[0]) {
			return 0, false
		}
		n := int(rest[0])
		o, left, ok := codec.TakeOrder(rest[1 : 1+n])
		if !ok || len(left) > 0 || *o.Sender() != e.address || o.SequenceNumber() != e.next {
			return 0, false
		}
		e.order, rest = o, rest[1+n:]
	}
	return len(b) - len(rest), true
}

// parse reads a log's length, which is not 0, and its chain.
func (c *chain) parse(b []byte) (n uint64, rest []byte, ok bool) {
	if len(b) < 16 {
		return 0, nil, false
	}
	n, c.tail, b = binary.LittleEndian.Uint64(b), Position(binary.LittleEndian.Uint64(b[8:])), b[16:]
	for _, link := range [...]struct {
		to   *Position
		step uint64
	}{{&c.near, nearStep}, {&c.far, farStep}} {
		if n < link.step {
			continue
		}
		if len(b) < 8 {
			return 0, nil, false
		}
		*link.to, b = Position(binary.LittleEndian.Uint64(b)), b[8:]
		if *link.to == 0 || link.to.IsProvisional() || *link.to > c.tail {
			return 0, nil, false
		}
	}
	return n, b, n > 0 && c.tail != 0 && !c.tail.IsProvisional()
}
