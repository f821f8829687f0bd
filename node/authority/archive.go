package authority

import (
	"encoding/binary"
	"math/bits"

	"fastpay/codec"
)

// An archive keeps certificates in a ring of segments and forgets the oldest segment when it needs room. A position
// counts bytes since the beginning and is never reused, so an old position is known to be forgotten.
//
// A record, little-endian, begins at a multiple of 8 and never crosses segments:
//
//	 0  u32  length of the certificate
//	 4  u32  zero
//	 8  u64  confirmed log of the sender: previous record
//	16  u64                               jump
//	24  u64  received log of the recipient: previous record
//	32  u64                                 jump
//	40       the certificate
//
// The links of a log that the record is not part of are 0, and so is a link to what is not there any more.
//
// A log is a list from its newest record backwards. Its records are numbered from 1, and each has besides the link to the
// one before a jump to number jumpOf(n), which makes a random-access list of it (Myers, 1983): any number is found in
// about 2·log2 steps, while appending reads two records at most and what is stored does not grow with the log.
type archive struct {
	segments [][]byte // allocated when first needed
	shift    uint     // log2 of the segment size
	end      uint64   // where the next record may begin
	oldest   uint64   // records before this position are forgotten
}

const (
	recordHeader = 40
	recordAlign  = 8

	// logConfirmed and logReceived are where a record holds its links for that log.
	logConfirmed = 8
	logReceived  = 24

	// maxSegmentBits makes a segment 1 MiB, small against the ring, so that little is forgotten at once.
	maxSegmentBits = 20
	// minSegments keeps at least half of the ring's content at all times.
	minSegments = 2
)

// newArchive makes a ring of at most size bytes whose records fit, ok = false when size is too small for that.
func newArchive(size, maxRecord int) (a archive, ok bool) {
	shift := uint(bits.Len(uint(maxRecord + recordAlign - 1)))
	if size>>shift < minSegments {
		return archive{}, false
	}
	for shift < maxSegmentBits && size>>(shift+1) >= 64*minSegments {
		shift++
	}
	// Position 0 means "nothing there".
	return archive{segments: make([][]byte, size>>shift), shift: shift, end: recordAlign, oldest: recordAlign}, true
}

func recordSize(certificate int) int {
	return (recordHeader + certificate + recordAlign - 1) &^ (recordAlign - 1)
}

// append stores c with the given links and returns its position.
func (a *archive) append(c codec.Certificate, confirmed, received links) uint64 {
	raw := c.Bytes()
	size, segment := uint64(recordSize(len(raw))), uint64(1)<<a.shift
	if a.end&(segment-1)+size > segment {
		a.end = (a.end + segment - 1) &^ (segment - 1)
	}
	pos := a.end
	number, count := pos>>a.shift, uint64(len(a.segments))
	if number >= count {
		a.oldest = max(a.oldest, (number+1-count)<<a.shift)
	}
	s := &a.segments[number%count]
	if *s == nil {
		*s = make([]byte, segment)
	}
	b := (*s)[pos&(segment-1):][:size]
	binary.LittleEndian.PutUint64(b[0:], uint64(len(raw)))
	binary.LittleEndian.PutUint64(b[logConfirmed:], confirmed.previous)
	binary.LittleEndian.PutUint64(b[logConfirmed+8:], confirmed.jump)
	binary.LittleEndian.PutUint64(b[logReceived:], received.previous)
	binary.LittleEndian.PutUint64(b[logReceived+8:], received.jump)
	copy(b[recordHeader:], raw)
	a.end = pos + size
	return pos
}

// has reports whether the record at pos is still there.
func (a *archive) has(pos uint64) bool { return pos >= a.oldest }

// at is the segment from the record at pos on, which must be there.
func (a *archive) at(pos uint64) []byte {
	return a.segments[pos>>a.shift%uint64(len(a.segments))][pos&(1<<a.shift-1):]
}

// certificate is the encoded certificate at pos, which must be there; a view until the next append.
func (a *archive) certificate(pos uint64) []byte {
	b := a.at(pos)
	return b[recordHeader:][:binary.LittleEndian.Uint32(b)]
}

// links are a record's places in one log.
type links struct{ previous, jump uint64 }

func (a *archive) links(pos uint64, log int) links {
	b := a.at(pos)[log:]
	return links{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])}
}

// jumpOf is the number that record n of a log jumps to, n >= 1; 0 is before the first. With n written as a sum of numbers
// 2^k - 1, greatest first, it is n less the last of them: 1→0, 2→1, 3→0, 4→3, 5→4, 6→3, 7→0.
func jumpOf(n uint64) uint64 {
	rest := n
	for rest&(rest+1) != 0 {
		rest -= 1<<(bits.Len64(rest+1)-1) - 1
	}
	return n - rest
}

// extend gives the links of the record that follows number n at tail, which is the last of a log.
func (a *archive) extend(tail, n uint64, log int) links {
	l := links{previous: tail}
	switch jumpOf(n + 1) {
	case 0:
	case n:
		l.jump = tail
	default: // the jump of the jump of the last one; what is forgotten leads to nothing that is remembered
		if !a.has(tail) {
			break
		}
		if over := a.links(tail, log).jump; a.has(over) {
			l.jump = a.links(over, log).jump
		}
	}
	return l
}

// find is the position of number want of a log whose number n is at tail, 1 <= want <= n. It is false when that one is
// forgotten.
func (a *archive) find(tail, n, want uint64, log int) (pos uint64, ok bool) {
	for n > want {
		if !a.has(tail) {
			return 0, false
		}
		l := a.links(tail, log)
		if j := jumpOf(n); j >= want {
			tail, n = l.jump, j
		} else {
			tail, n = l.previous, n-1
		}
	}
	return tail, a.has(tail)
}
