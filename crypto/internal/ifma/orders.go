package ifma

// Digits of k in individual checks: 4 bits with sign, from -8 to 7, so that a table has 9 entries.
const (
	nibbleBits    = 4
	nibbleCount   = highBits / nibbleBits // digits of one half of k
	nibbleEntries = 1<<(nibbleBits-1) + 1
	nibbleStride  = nibbleEntries * bucketBytes // bytes of the table of a lane
)

// ordersRoom is the memory of individual checks: for both points of eight keys the multiples 0 to 8.
type ordersRoom struct {
	multiples [2][Lanes * nibbleStride]byte
	offsets   [2][nibbleCount][Lanes]uint64
	negative  [2][nibbleCount]uint64
	total     Point
	entry     Point
}

// maxSingles is the number of orders that are faster one by one than eight side by side.
const maxSingles = 2

// VerifyOrders sets ok[i] to whether 8([S]B - R - [k]A) is the neutral element for signature i: the rule of ZIP-215.
// R is points[i], decoded; S is the second half of signatures[i]; k is scalars[i], little-endian and reduced; A is
// *keys[i]. All slices are as long as ok. An S or a k that is not below the order gives false. Of t only the table of
// the base point is used.
//
// Every signature is checked for itself, eight at a time, with 128 doublings each: for orders whose Sum did not
// vanish. A single order is faster this way too; from two on a Sum is. A rest of up to two is checked one by one (see
// quad). Nothing here is secret.
func (t *Tables) VerifyOrders(
	ok []bool, keys []*Key, points []CachedPoint, signatures [][64]byte, scalars [][32]byte, s *Scratch,
) {
	keys, points = keys[:len(ok)], points[:len(ok)]
	signatures, scalars = signatures[:len(ok)], scalars[:len(ok)]
	for first := 0; first < len(ok); first += Lanes {
		end := min(first+Lanes, len(ok))
		if end-first <= maxSingles {
			for i := first; i < end; i++ {
				ok[i] = t.verifyOne(keys[i], &points[i], &signatures[i], &scalars[i], s)
			}
			return
		}
		t.verifyEight(ok[first:end], keys[first:end], points[first:end], signatures[first:end], scalars[first:end], s)
	}
}

// verifyEight is VerifyOrders for up to eight.
func (t *Tables) verifyEight(
	ok []bool, keys []*Key, points []CachedPoint, signatures [][64]byte, scalars [][32]byte, s *Scratch,
) {
	r := &s.orders
	s.tail.signatures, s.tail.scalars = [Lanes][64]byte{}, [Lanes][32]byte{}
	for i := range ok {
		ok[i] = belowOrder(signatures[i][32:]) && belowOrder(scalars[i][:])
		if ok[i] {
			s.tail.signatures[i], s.tail.scalars[i] = signatures[i], scalars[i]
		}
	}
	for l := range Lanes {
		s.nibbles(l, &s.tail.scalars[l])
	}
	s.subtractKeys(keys)

	// - R
	s.loadPoints(func(l int) *CachedPoint {
		if l < len(points) {
			return &points[l]
		}
		return &neutralPoint
	})
	q := &s.affine
	q.Sum, q.Diff = q.Diff, q.Sum
	sub(&q.T, &Element{}, &q.T) // the negative
	addMixed(&r.total, &r.total, q, &s.room)

	// + [S]B
	t.walkBase(&r.entry, s)
	addPoints(&r.total, &r.total, &r.entry, &s.constants.twoD, &s.room)

	for range 3 {
		doublePoint(&r.total, &r.total, &s.room)
	}
	for i := range ok {
		ok[i] = ok[i] && r.total.isNeutral(i)
	}
}

// isNeutral tells whether lane l is the neutral element: X = 0 and Y = Z. Reduced in.
func (p *Point) isNeutral(l int) bool {
	sum := p.Sum.lane(l).canonical()
	return sum == p.Diff.lane(l).canonical() && sum == p.Z.lane(l).canonical()
}

// loadPoints sets s.affine to the points that f names for each lane.
func (s *Scratch) loadPoints(f func(l int) *CachedPoint) {
	for l := range Lanes {
		s.cached[l] = *f(l)
	}
	loadCached(&s.affine, &s.cached[0])
}

// nibbles writes the places and signs of the digits of -k in lane l.
func (s *Scratch) nibbles(l int, k *[32]byte) {
	r := &s.orders
	for i, digit := range signedNibbles(k) {
		magnitude, positive := uint64(digit), uint64(1)
		if digit < 0 {
			magnitude, positive = uint64(-digit), 0
		}
		half, j := i/nibbleCount, i%nibbleCount
		r.offsets[half][j][l] = uint64(l)*nibbleStride + magnitude*bucketBytes
		r.negative[half][j] = r.negative[half][j]&^(1<<l) | positive<<l
	}
}

// subtractKeys sets the total to -[k]A, for the digits of nibbles: both halves of k share the doublings.
func (s *Scratch) subtractKeys(keys []*Key) {
	r := &s.orders
	for half := range 2 {
		s.loadPoints(func(l int) *CachedPoint {
			switch {
			case l >= len(keys):
				return &neutralPoint
			case half == 0:
				return &keys[l].Point
			}
			return &keys[l].High
		})
		s.multiples(half)
	}
	r.total = neutral
	for j := nibbleCount - 1; j >= 0; j-- {
		if j < nibbleCount-1 {
			for range nibbleBits {
				doublePoint(&r.total, &r.total, &s.room)
			}
		}
		for half := range 2 {
			selectPoints(&r.entry, &r.multiples[half][0], &r.offsets[half][j], r.negative[half][j])
			addPoints(&r.total, &r.total, &r.entry, &s.constants.twoD, &s.room)
		}
	}
}

// multiples writes 0 to 8 times the points of s.affine to a table.
func (s *Scratch) multiples(half int) {
	q, m := &s.affine, s.points[:nibbleEntries]
	m[0] = neutral
	m[1].Sum, m[1].Diff, m[1].Z = q.Sum, q.Diff, s.constants.one
	mul(&m[1].T, &q.T, &s.constants.inverseTwoD)
	for i := 2; i < nibbleEntries; i++ {
		if i%2 == 0 {
			doublePoint(&m[i], &m[i/2], &s.room)
		} else {
			addMixed(&m[i], &m[i-1], q, &s.room)
		}
	}
	for i := range m {
		storePoints(&s.orders.multiples[half][bucketBytes*i], nibbleStride, &m[i])
	}
}
