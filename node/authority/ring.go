package authority

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"fastpay/node/committee"
)

// A Ring is a log in memory, for an authority without a journal: it keeps the records that certificates are read back
// from, settlements and credits, drops the others, and forgets the oldest segment when it needs room. It belongs to one
// goroutine, like the shards that write to it.
//
// A position counts bytes since the beginning and is never used again, so an old one is known to be forgotten. A record is
// its length, u32, and its bytes; it begins at a multiple of 8 and never crosses segments.
type Ring struct {
	segments [][]byte // allocated when first needed
	shift    uint     // log2 of a segment's size
	largest  uint64   // bytes that the largest record takes
	end      uint64   // where the next record begins; the largest fits before the segment's end
	oldest   uint64   // records before this position are forgotten
}

// DefaultRingBytes holds about 150,000 certificates of four authorities.
const DefaultRingBytes = 64 << 20

const (
	ringHeader = 4
	ringAlign  = 8

	// maxSegmentBits makes a segment 1 MiB, small against the ring, so that little is forgotten at once.
	maxSegmentBits = 20
	// minSegments keeps at least half of the ring's content at all times.
	minSegments = 2
)

// ErrGone is a record that is no longer there: forgotten by a Ring, or in a segment of the journal that was removed.
var ErrGone = errors.New("authority: the record is gone")

// NewRing makes a ring of at most size bytes for records of this committee. The memory is taken as it fills.
func NewRing(size int, c *committee.Committee) (*Ring, error) {
	return newRing(size, ringSize(MaxRecordSize(c.Len())))
}

func newRing(size int, largest uint64) (*Ring, error) {
	shift := uint(bits.Len64(2*largest - 1))
	if size>>shift < minSegments {
		return nil, fmt.Errorf("%w: a ring of %d bytes, expected at least %d", ErrOptions, size, minSegments<<shift)
	}
	for shift < maxSegmentBits && size>>(shift+1) >= 64*minSegments {
		shift++
	}
	// Position 0 means "nothing there".
	return &Ring{
		segments: make([][]byte, size>>shift), shift: shift, largest: largest, end: ringAlign, oldest: ringAlign,
	}, nil
}

func ringSize(record int) uint64 { return uint64(ringHeader+record+ringAlign-1) &^ (ringAlign - 1) }

// Next implements Log.
func (r *Ring) Next() Position { return Position(r.end) }

// Append implements Log.
func (r *Ring) Append(_ int, record []byte) Position {
	if kind := RecordKind(record[0]); kind != RecordSettlement && kind != RecordCredit {
		return 0
	}
	at, segment := r.end, uint64(1)<<r.shift
	number, count := at>>r.shift, uint64(len(r.segments))
	if number >= count {
		r.oldest = max(r.oldest, (number+1-count)<<r.shift)
	}
	s := &r.segments[number%count]
	if *s == nil {
		*s = make([]byte, segment)
	}
	b := (*s)[at&(segment-1):]
	binary.LittleEndian.PutUint32(b, uint32(len(record)))
	copy(b[ringHeader:], record)
	r.end += ringSize(len(record))
	if r.end&(segment-1)+r.largest > segment {
		r.end = (number + 1) << r.shift
	}
	return Position(at)
}

// Read is the record at a position that Append gave, a view until the next Append, or ErrGone.
func (r *Ring) Read(at Position) ([]byte, error) {
	if uint64(at) < r.oldest {
		return nil, ErrGone
	}
	s := r.segments[uint64(at)>>r.shift%uint64(len(r.segments))]
	b := s[at&(1<<r.shift-1):]
	return b[ringHeader:][:binary.LittleEndian.Uint32(b)], nil
}

// Forgotten is how many bytes of records were ever kept, and how many of these, the first ones, are forgotten.
func (r *Ring) Forgotten() (kept, forgotten uint64) { return r.end - ringAlign, r.oldest - ringAlign }
