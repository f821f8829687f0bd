package ifma

import (
	"encoding/binary"
	"math/bits"
)

// singleRoom is the memory of the check of one order: for both points of a key the multiples -8 to 8, by digit+8.
type singleRoom struct {
	multiples [2][2*nibbleEntries - 1]quadEntry
	total     quad
	entry     quadEntry
	product   Element
	base      Point
}

// verifyOne is VerifyOrders for one. Both halves of k run side by side in the two points of a quad: the latency of 124
// doublings and 32 additions, about 9 µs, is what it costs.
func (t *Tables) verifyOne(key *Key, point *CachedPoint, signature *[64]byte, scalar *[32]byte, s *Scratch) bool {
	if !belowOrder(signature[32:]) || !belowOrder(scalar[:]) {
		return false
	}
	r, factors := &s.single, &s.constants.quadFactors
	s.singleMultiples(key)
	digits := signedNibbles(scalar)
	r.total = neutralQuad
	for j := nibbleCount - 1; j >= 0; j-- {
		if j < nibbleCount-1 {
			quadDouble(&r.total, nibbleBits)
		}
		// subtracted: digit d is entry 8-d
		quadAdd(&r.total, &r.multiples[0][8-digits[j]], &r.multiples[1][8-digits[nibbleCount+j]])
	}

	// The upper half joins the lower one, with - R; then [S]B.
	r.total.entries(&r.multiples[0][0], &r.multiples[1][0], &r.product, factors)
	quadAdd(&r.total, &r.multiples[1][0], &neutralEntry)
	r.multiples[0][1].setCached(point)
	r.entry.negative(&r.multiples[0][1])
	quadAdd(&r.total, &r.entry, &neutralEntry)

	s.tail.signatures = [Lanes][64]byte{*signature}
	t.walkBase(&r.base, s)
	var base quad
	base.setHalf(0, &r.base, 0)
	base.entries(&r.entry, &r.multiples[0][0], &r.product, factors)
	quadAdd(&r.total, &r.entry, &neutralEntry)
	quadDouble(&r.total, 3)
	return r.total.isNeutral()
}

// walkBase sets p to [S]B for the signatures in s.tail.
func (t *Tables) walkBase(p *Point, s *Scratch) {
	for l := range s.base {
		s.base[l] = t.entryAddress(0)
	}
	plan := &s.plans[0]
	planDigits(plan, 0, &s.tail.signatures[0][32], 64, &s.base, &t.baseWindow, 0, s)
	fetchFirst(plan)
	walk(p, plan, plan, int(t.baseWindow.count), s, t.memory)
}

// singleMultiples fills the tables for a key.
func (s *Scratch) singleMultiples(key *Key) {
	r := &s.single
	lower, upper := &r.multiples[0], &r.multiples[1]
	const zero = nibbleEntries - 1
	lower[zero], upper[zero] = neutralEntry, neutralEntry
	lower[zero+1].setCached(&key.Point)
	upper[zero+1].setCached(&key.High)
	r.total = neutralQuad
	for i := 1; i < nibbleEntries; i++ {
		quadAdd(&r.total, &lower[zero+1], &upper[zero+1])
		if i > 1 {
			r.total.entries(&lower[zero+i], &upper[zero+i], &r.product, &s.constants.quadFactors)
		}
		lower[zero-i].negative(&lower[zero+i])
		upper[zero-i].negative(&upper[zero+i])
	}
}

// signedNibbles cuts a scalar below 2^253 into digits of 4 bits with sign, from -8 to 7. With 8 added to every nibble
// the digits are the nibbles less 8 again (see signedDigits).
func signedNibbles(k *[32]byte) (digits [2 * nibbleCount]int8) {
	const offset = 0x8888888888888888
	var carry uint64
	for w := range 4 {
		var word uint64
		word, carry = bits.Add64(binary.LittleEndian.Uint64(k[8*w:]), offset, carry)
		for i := range 16 {
			digits[16*w+i] = int8(word>>(nibbleBits*i)&15) - 8
		}
	}
	return digits
}
