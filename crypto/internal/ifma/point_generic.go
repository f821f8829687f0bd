package ifma

// Twins of the point kernels, lane by lane and limb by limb equal to them. The formulas are those of Hisil, Wong,
// Carter and Dawson, "Twisted Edwards Curves Revisited" (2008), for a = -1.

// lanePoint is one lane of a Point.
type lanePoint struct{ sum, diff, z, t lane }

func (p *Point) lane(l int) lanePoint {
	return lanePoint{p.Sum.lane(l), p.Diff.lane(l), p.Z.lane(l), p.T.lane(l)}
}

func (p *Point) put(l int, v *lanePoint) {
	p.Sum.setLane(l, v.sum)
	p.Diff.setLane(l, v.diff)
	p.Z.setLane(l, v.z)
	p.T.setLane(l, v.t)
}

// laneAffine is one lane of an Affine.
type laneAffine struct{ sum, diff, t lane }

func (q *Affine) lane(l int) laneAffine {
	return laneAffine{q.Sum.lane(l), q.Diff.lane(l), q.T.lane(l)}
}

// add is p+q, sums of loose points with affine ones.
func (p *lanePoint) addMixed(q *laneAffine) lanePoint {
	t := product(&q.t, &p.t)
	z2 := p.z.plus(p.z)
	a, b := product(&q.diff, &p.diff), product(&q.sum, &p.sum)
	return finish(b.minus(a, biasRaw).carry(), z2.minus(t, biasRaw).carry(), z2.plus(t).carry(), b.plus(a).carry())
}

// finish is the point with X = ef, Y = gh, Z = fg, T = eh.
func finish(e, f, g, h lane) (r lanePoint) {
	r.z, r.t = product(&f, &g).carry(), product(&e, &h).carry()
	x, y := product(&e, &f), product(&g, &h)
	r.diff, r.sum = y.minus(x, biasRaw).carry(), y.plus(x).carry()
	return r
}

func (p *lanePoint) add(q *lanePoint, twoD *lane) lanePoint {
	t := product(&p.t, &q.t).carry()
	t = product(&t, twoD)
	z2 := product(&p.z, &q.z)
	z2 = z2.plus(z2)
	a, b := product(&p.diff, &q.diff), product(&p.sum, &q.sum)
	return finish(b.minus(a, biasRaw).carry(), z2.minus(t, biasRaw).carry(), z2.plus(t).carry(), b.plus(a).carry())
}

func (p *lanePoint) double() lanePoint {
	s, d, g, z := product(&p.sum, &p.sum), product(&p.diff, &p.diff), product(&p.sum, &p.diff), product(&p.z, &p.z)
	g = g.plus(g)
	z = z.plus(z)
	z = z.plus(z)
	return finish(s.minus(d, biasRaw).carry(), z.minus(g, biasRaw).carry(), g.carry(), s.plus(d).carry())
}

func addPointsGeneric(out, p, q *Point, twoD *Element, _ *[4]Element) {
	for l := range Lanes {
		x, y, d := p.lane(l), q.lane(l), twoD.lane(l)
		r := x.add(&y, &d)
		out.put(l, &r)
	}
}

func addMixedGeneric(out, p *Point, q *Affine, _ *[4]Element) {
	for l := range Lanes {
		x, y := p.lane(l), q.lane(l)
		r := x.addMixed(&y)
		out.put(l, &r)
	}
}

func doubleTimesGeneric(p *Point, n int, _ *[4]Element) {
	for l := range Lanes {
		x := p.lane(l)
		for range n {
			x = x.double()
		}
		p.put(l, &x)
	}
}

func doublePointGeneric(out, p *Point, _ *[4]Element) {
	for l := range Lanes {
		x := p.lane(l)
		r := x.double()
		out.put(l, &r)
	}
}
