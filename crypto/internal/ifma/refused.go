package ifma

// refusals are votes whose R is not, byte by byte, what the walk gave, while their scalars are below the order. They
// are looked at again sixteen at a time.
type refusals struct {
	points [2]Point // what the walks gave, with Z doubled by the inversion
	r      Point
	cross  [2]Element
	votes  [decodePoints]int
	n      int
	_      [cacheLineBytes - 8]byte
}

// add takes lane l of p, which is the vote with this index.
func (f *refusals) add(vote int, p *Point, l int) {
	q, to := &f.points[f.n/Lanes], f.n%Lanes
	for i := range q.Sum {
		q.Sum[i][to], q.Diff[i][to], q.Z[i][to] = p.Sum[i][l], p.Diff[i][l], p.Z[i][l]
	}
	f.votes[f.n] = vote
	f.n++
}

// settle sets ok of all refusals to the verdict of ZIP-215: R is a point, and 8 times it is 8 times what the walk gave.
// Eight times both are compared without a division, so a refused vote costs a decoding and little more.
func (s *Scratch) settle(ok []bool, signatures [][64]byte) {
	f := &s.refused
	if f.n == 0 {
		return
	}
	s.tail.encodings = [decodePoints][32]byte{}
	for i, vote := range f.votes[:f.n] {
		copy(s.tail.encodings[i][:], signatures[vote][:32])
	}
	var points uint64
	if f.n <= Lanes {
		points = s.decodeGroup(&s.tail.encodings[0][0], 32)
	} else {
		points = s.decodePair(&s.tail.encodings[0][0], 32)
	}
	var same uint64
	for first := 0; first < f.n; first += Lanes {
		same |= s.sameButTorsion(first/Lanes) << first
	}
	for i, vote := range f.votes[:f.n] {
		ok[vote] = same&points>>i&1 != 0
	}
	f.n = 0
}

// sameButTorsion returns the lanes where 8 times the points of group g is 8 times the points decoded there.
func (s *Scratch) sameButTorsion(g int) uint64 {
	f := &s.refused
	p := &f.points[g]
	add(&p.Sum, &p.Sum, &p.Sum) // as Z is
	add(&p.Diff, &p.Diff, &p.Diff)
	s.setAffine(&f.r, &s.decode.x[g], &s.decode.y[g])
	doubleTimes(p, cofactorBits, &s.room)
	doubleTimes(&f.r, cofactorBits, &s.room)
	same := s.sameRatio(&p.Sum, &p.Z, &f.r.Sum, &f.r.Z) & s.sameRatio(&p.Diff, &p.Z, &f.r.Diff, &f.r.Z)
	return same &^ zeros(&p.Z) // zeros are no point
}

// cofactorBits is the number of doublings that take a part of small order away.
const cofactorBits = 3

// sameRatio returns the lanes where a/b = c/d.
func (s *Scratch) sameRatio(a, b, c, d *Element) uint64 {
	t := &s.refused.cross
	mul(&t[0], a, d)
	mul(&t[1], c, b)
	sub(&t[0], &t[0], &t[1])
	return zeros(&t[0])
}
