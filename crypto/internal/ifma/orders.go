package ifma

// ordersRoom is the memory of individual checks.
type ordersRoom struct {
	table   combTable
	comb    combRoom
	teeth   [combTeeth]Affine
	scalars Words
	total   Point
	entry   Point
}

// maxSingles is the number of orders that are faster one by one than eight side by side.
const maxSingles = 2

// VerifyOrders sets ok[i] to whether 8([S]B - R - [k]A) is the neutral element for signature i: the rule of ZIP-215.
// R is points[i], decoded; S is the second half of signatures[i]; k is scalars[i], little-endian and reduced; A is
// *keys[i]. All slices are as long as ok. An S or a k that is not below the order gives false. Of t only the table of
// the base point is used.
//
// Every signature is checked for itself, eight at a time, with 64 doublings and additions each: for orders whose Sum
// did not vanish. A single order is faster this way too; from two on a Sum is. A rest of up to two is checked one by one (see
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
	s.subtractKeys(keys, &s.tail.scalars)

	// - R
	n := copy(s.cached[:Lanes], points)
	for l := n; l < Lanes; l++ {
		s.cached[l] = neutralPoint
	}
	q := &s.affine
	loadCached(q, &s.cached[0])
	q.Sum, q.Diff = q.Diff, q.Sum
	sub(&q.T, &Element{}, &q.T) // the negative
	addMixed(&r.total, &r.total, q, &s.room)

	// + [S]B
	t.walkBase(&r.entry, s)
	addPoints(&r.total, &r.total, &r.entry, &s.constants.twoD, &s.room)

	doubleTimes(&r.total, cofactorBits, &s.room)
	neutral := r.total.neutralLanes(&s.room[0])
	for i := range ok {
		ok[i] = ok[i] && neutral>>i&1 != 0
	}
}

// neutralLanes returns the lanes that are the neutral element: X = 0 and Y = Z. Reduced in; t is a temporary value. Lanes
// of zeros are no points, and not neutral.
func (p *Point) neutralLanes(t *Element) (lanes uint64) {
	sub(t, &p.Sum, &p.Diff)
	lanes = zeros(t)
	sub(t, &p.Sum, &p.Z)
	return lanes & zeros(t) &^ zeros(&p.Z)
}

// subtractKeys sets the total to -[k]A for the scalars k.
func (s *Scratch) subtractKeys(keys []*Key, scalars *[Lanes][32]byte) {
	r := &s.orders
	for i := range r.teeth {
		for l := range Lanes {
			if l < len(keys) {
				s.cached[l] = *keys[l].tooth(i)
			} else {
				s.cached[l] = neutralPoint
			}
		}
		loadCached(&r.teeth[i], &s.cached[0])
	}
	s.fillComb(&r.table, &r.teeth)
	for l := range scalars {
		oddDigits(&r.scalars, l, &scalars[l])
	}
	r.total = neutral
	comb(&r.total, &r.table[0], &r.scalars, &r.comb) // entries are negated where the sign is plus
}
