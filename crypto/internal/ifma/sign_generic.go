package ifma

import "math/bits"

// The twin of the multiplication of the base point, with masks instead of branches, as the kernel.

// oddWords recodes a scalar: for odd s, or s+order, the words of s/2 + 2^257, whose windows u are the digits 2u-63.
func oddWords(s [4]uint64) (w [5]uint64) {
	even := s[0]&1 - 1 // all ones if s is even
	var carry uint64
	for i := range s {
		s[i], carry = bits.Add64(s[i], order[i]&even, carry)
	}
	for i := range 3 {
		w[i] = s[i]>>1 | s[i+1]<<63
	}
	w[3], w[4] = s[3]>>1, 2
	return w
}

// oddDigit is the index of the window at bit position at, and all ones if its entry is subtracted.
func oddDigit(w *[5]uint64, at int) (index, negative uint64) {
	u := w[at/64]>>(at%64) | w[at/64+1]<<(64-at%64)
	negative = u>>5&1 - 1
	return (u ^ negative) & 31, negative
}

// selected is the entry of an index, reading all of them.
func selected(window *[3 * numLimbs][oddEntries]uint64, index, negative uint64) (q laneAffine) {
	var v [3 * numLimbs]uint64
	for entry := range uint64(oddEntries) {
		d := entry ^ index
		equal := (d | -d) >> 63 // 0 if it is this one
		for i := range v {
			v[i] |= window[i][entry] & (equal - 1)
		}
	}
	copy(q.sum[:], v[:])
	copy(q.diff[:], v[numLimbs:])
	copy(q.t[:], v[2*numLimbs:])
	minus := lane{}.minus(q.t, biasTwice)
	for i := range q.sum {
		swap := (q.sum[i] ^ q.diff[i]) & negative
		q.sum[i] ^= swap
		q.diff[i] ^= swap
		q.t[i] ^= (q.t[i] ^ minus[i]) & negative
	}
	return q
}

func multiplyBaseGeneric(out *Point, scalars *byte, stride int, table *oddTable, first *Element, _ *[5]Element) {
	for l := range Lanes {
		w := oddWords(wordsOf(row(scalars, stride, l, 32)))
		inverse := first.lane(l)
		var sum lanePoint
		for j := range table {
			index, negative := oddDigit(&w, oddBits*j)
			q := selected(&table[j], index, negative)
			if j == 0 {
				sum = lanePoint{q.sum, q.diff, laneOne, product(&q.t, &inverse).carry()}
				continue
			}
			sum = sum.addMixed(&q)
		}
		out.put(l, &sum)
	}
}
