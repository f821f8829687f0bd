package ifma

import (
	"math/bits"
	"unsafe"
)

// walkGeneric is the twin of the walk. memory is the tables; addresses of the plan lie in it.
func walkGeneric(out *Point, p *plan, steps int, first *Element, memory []byte) {
	for l := range Lanes {
		var sum lanePoint
		for step := range steps {
			q := p.entry(step, l, memory)
			if step > 0 {
				sum = sum.addMixed(&q)
				continue
			}
			inverse := first.lane(l)
			sum = lanePoint{q.sum, q.diff, laneOne, product(&q.t, &inverse).carry()}
		}
		out.put(l, &sum)
	}
}

// entry is the table entry that a step adds in lane l.
func (p *plan) entry(step, l int, memory []byte) laneAffine {
	at := p.address[step][l] - uint64(uintptr(unsafe.Pointer(unsafe.SliceData(memory))))
	b := memory[at : at+entryBytes]
	sum, diff, t := unpack(wordsOf(b)), unpack(wordsOf(b[32:])), unpack(wordsOf(b[64:]))
	if p.negative[step]>>l&1 != 0 {
		sum, diff, t = diff, sum, lane{}.minus(t, biasTwice)
	}
	return laneAffine{sum, diff, t}
}

// order is the order of the base point, 2^252 + 27742317777372353535851937790883648493, in words.
var order = [4]uint64{0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 1 << 60}

// foldScalar replaces s by order-s where s is at least 2^251, and tells so.
func foldScalar(s [4]uint64) (r [4]uint64, negative bool) {
	if s[3] < 1<<59 {
		return s, false
	}
	return minusScalar(s), true
}

// minusScalar is order-s, for s up to the order.
func minusScalar(s [4]uint64) (r [4]uint64) {
	var borrow uint64
	for i := range s {
		r[i], borrow = bits.Sub64(order[i], s[i], borrow)
	}
	return r
}

// plusOrder is order+s, for s up to the order.
func plusOrder(s [4]uint64) (r [4]uint64) {
	var carry uint64
	for i := range s {
		r[i], carry = bits.Add64(order[i], s[i], carry)
	}
	return r
}

// planDigitsGeneric is the twin of planDigitsIFMA.
func planDigitsGeneric(p *plan, first int, scalars *byte, stride int, base *[Lanes]uint64, w *window, flip uint64) {
	for l := range Lanes {
		s, negative := foldScalar(wordsOf(row(scalars, stride, l, 32)))
		sign := flip & 1
		if negative {
			sign ^= 1
		}
		var words [5]uint64
		copy(words[:], s[:])
		carry, table := uint64(0), base[l]
		for j := range w.count {
			at := j * w.bits
			d := (words[at/64]>>(at%64)|words[at/64+1]<<(64-at%64))&w.mask + carry
			carry = 0
			if d > w.half {
				d, carry = w.base-d, 1
			}
			step := uint64(first) + j
			p.address[step][l] = table + entryBytes*d
			p.negative[step] = p.negative[step]&^(1<<l) | (sign^carry)<<l
			table += w.advance
		}
	}
}
