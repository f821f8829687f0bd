package ifma

// quad is two points by coordinates: Y+X, Y-X, Z and T of one in lanes 0 to 3, of the other in lanes 4 to 7. It is how
// a few points are doubled often: an operation takes a third of the time of one on eight points.
type quad Element

// quadHalf is the number of lanes of a point.
const quadHalf = Lanes / 2

// quadEntry is one point that is to be added: limbs of Y+X, Y-X, 2Z and 2dT.
type quadEntry [numLimbs][quadHalf]uint64

// neutralEntry is the neutral element.
var neutralEntry = quadEntry{0: {1, 1, 2, 0}}

// neutralQuad is the neutral element, twice.
var neutralQuad = quad{0: {1, 1, 1, 0, 1, 1, 1, 0}}

// setHalf sets a point to lane l of p.
func (q *quad) setHalf(half int, p *Point, l int) {
	for i := range q {
		at := q[i][quadHalf*half:]
		at[0], at[1], at[2], at[3] = p.Sum[i][l], p.Diff[i][l], p.Z[i][l], p.T[i][l]
	}
}

// setCached sets the entry to p.
func (e *quadEntry) setCached(p *CachedPoint) {
	for i := range e {
		e[i] = [quadHalf]uint64{p[i], p[numLimbs+i], neutralEntry[i][2], p[2*numLimbs+i]}
	}
}

// negative sets the entry to -p: loose, if p is reduced.
func (e *quadEntry) negative(p *quadEntry) {
	for i := range e {
		twice := uint64(biasTwice * limbMask)
		if i == 0 {
			twice = biasTwice * (limbMask - 18)
		}
		e[i] = [quadHalf]uint64{p[i][1], p[i][0], p[i][2], twice - p[i][3]}
	}
}

// entries sets the entries to both points of q, reduced. t is a temporary value.
func (q *quad) entries(lower, upper *quadEntry, t, factors *Element) {
	mul(t, (*Element)(q), factors)
	for i := range t {
		copy(lower[i][:], t[i][:quadHalf])
		copy(upper[i][:], t[i][quadHalf:])
	}
}

// isNeutral tells whether the first point is the neutral element. Reduced in. Zeros are no point, and not neutral.
func (q *quad) isNeutral() bool {
	e := (*Element)(q)
	sum := e.lane(0).canonical()
	return sum == e.lane(1).canonical() && sum == e.lane(2).canonical() && sum != lane{}
}

// quadFactors turn the coordinates of a point into those of an entry: 1, 1, 2 and 2d.
func quadFactors() (f Element) {
	for half := range 2 {
		for i, v := range []lane{laneOne, laneOne, {2}, laneTwoD} {
			f.setLane(quadHalf*half+i, v)
		}
	}
	return f
}
