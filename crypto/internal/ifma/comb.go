package ifma

const (
	// combColumns is the number of bits of a quarter of a scalar, and of steps of a multiplication.
	combColumns = 64
	// combTeeth are the quarters: a point is multiplied by means of its multiples by 1, 2^64, 2^128 and 2^192.
	combTeeth = 4
	// combEntries are their sums with every choice of signs, but for the sign of the whole.
	combEntries = 1 << (combTeeth - 1)
)

// combRoom is the memory of a multiplication; the kernel knows its layout.
type combRoom struct {
	room      [4]Element
	entry     Point
	scalars   Words
	addresses [Lanes]uint64
}

// combTable is the entries of eight points, lane by lane.
type combTable [Lanes * combEntries * bucketBytes]byte

// oddDigits sets a lane of w to a scalar as a sum of ±2^i for all i below 256, for a scalar below the order or, if it is
// even, plus the order: bit i is set where the sign is plus. With u = (k + 2^256-1)/2, k is the sum of (2u_i - 1)2^i.
func oddDigits(w *Words, l int, k *[32]byte) {
	v := wordsOf(k[:])
	if v[0]&1 == 0 {
		v = plusOrder(v)
	}
	for i := range 3 {
		w[i][l] = v[i]>>1 | v[i+1]<<63
	}
	w[3][l] = v[3]>>1 | 1<<63
}

// fillComb fills the table for points with their multiples by 2^64 and so on, in this order.
func (s *Scratch) fillComb(table *combTable, teeth *[combTeeth]Affine) {
	sums, last := s.points[:combEntries], &teeth[combTeeth-1]
	sums[0].Sum, sums[0].Diff, sums[0].Z = last.Sum, last.Diff, s.constants.one
	mul(&sums[0].T, &last.T, &s.constants.inverseTwoD)
	// Entry e has the sign of tooth i in its bit i. Each tooth doubles the entries, from e to e and e + 1<<i.
	for i := combTeeth - 2; i >= 0; i-- {
		q := &teeth[i]
		minus := &s.affine
		minus.Sum, minus.Diff = q.Diff, q.Sum
		sub(&minus.T, &Element{}, &q.T)
		for e := 0; e < combEntries; e += 2 << i {
			addMixed(&sums[e+1<<i], &sums[e], q, &s.room)
			addMixed(&sums[e], &sums[e], minus, &s.room)
		}
	}
	for e := range sums {
		mul(&sums[e].T, &sums[e].T, &s.constants.twoD)
		storePoints(&table[bucketBytes*e], combEntries*bucketBytes, &sums[e])
	}
}
