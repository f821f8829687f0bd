package ifma

// decodePoints is the number of points that are decoded at a time: two groups, for the two chains of the square root.
const decodePoints = 2 * Lanes

// decodeRoom holds the temporary values of decoding.
type decodeRoom struct {
	x, y        [2]Element
	u, v, v3, t [2]Element
	signs       [2]uint64
	_           [cacheLineBytes - 16]byte
}

// decodePair decodes 16 points, stride bytes apart from encodings on, into s.decode.x and s.decode.y, and returns the
// lanes that are points: bit 8g+l for lane l of group g. The rules are those of ZIP-215: y may be p or more, and the
// sign of x = 0 is ignored. The coordinates of the other lanes are meaningless. x is reduced, y packed.
//
// x^2 = u/v with u = y^2-1 and v = dy^2+1; the candidate is u*v^3*(u*v^7)^((p-5)/8) (RFC 8032, section 5.1.3).
func (s *Scratch) decodePair(encodings *byte, stride int) (points uint64) {
	for g := range 2 {
		s.prepareRoot(g, rowPointer(encodings, stride, Lanes*g), stride)
	}
	s.power.raise(&s.decode.t, &s.decode.t)
	return s.finishRoot(0) | s.finishRoot(1)<<Lanes
}

// decodeGroup decodes eight points to group 0, in two thirds of the time of sixteen.
func (s *Scratch) decodeGroup(encodings *byte, stride int) (points uint64) {
	s.prepareRoot(0, encodings, stride)
	s.power.raiseOne(&s.decode.t[0], &s.decode.t[0])
	return s.finishRoot(0)
}

// prepareRoot sets t to u*v^7, which is raised next, and v3 to u*v^3.
func (s *Scratch) prepareRoot(g int, encodings *byte, stride int) {
	r, c := &s.decode, &s.constants
	r.signs[g] = unpackRows(&r.y[g], encodings, stride)
	square(&r.t[g], &r.y[g])
	sub(&r.u[g], &r.t[g], &c.one)
	mul(&r.v[g], &r.t[g], &c.d)
	add(&r.v[g], &r.v[g], &c.one)
	square(&r.v3[g], &r.v[g])
	mul(&r.v3[g], &r.v3[g], &r.v[g])
	square(&r.t[g], &r.v3[g])
	mul(&r.t[g], &r.t[g], &r.v[g])
	mul(&r.t[g], &r.t[g], &r.u[g])
	mul(&r.v3[g], &r.v3[g], &r.u[g])
}

// finishRoot sets x, and returns the lanes that are points.
func (s *Scratch) finishRoot(g int) uint64 {
	r := &s.decode
	mul(&r.t[g], &r.t[g], &r.v3[g])
	square(&r.v3[g], &r.t[g])
	mul(&r.v3[g], &r.v3[g], &r.v[g])
	return root(&r.x[g], &r.t[g], &r.v3[g], &r.u[g], &s.constants.sqrtM1, r.signs[g], &s.room)
}

// setAffine sets p to the points (x, y).
func (s *Scratch) setAffine(p *Point, x, y *Element) {
	add(&p.Sum, y, x)
	sub(&p.Diff, y, x)
	mul(&p.T, x, y)
	p.Z = s.constants.one
}
