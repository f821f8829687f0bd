package ifma

// Twins of the quad kernels.

func (q *quad) point(half int) lanePoint {
	e, first := (*Element)(q), quadHalf*half
	return lanePoint{e.lane(first), e.lane(first + 1), e.lane(first + 2), e.lane(first + 3)}
}

func (q *quad) setPoint(half int, p *lanePoint) {
	for i, v := range p.parts() {
		(*Element)(q).setLane(quadHalf*half+i, *v)
	}
}

func quadDoubleGeneric(p *quad, n int) {
	for half := range 2 {
		v := p.point(half)
		for range n {
			v = v.double()
		}
		p.setPoint(half, &v)
	}
}

func quadAddGeneric(p *quad, lower, upper *quadEntry) {
	for half, entry := range []*quadEntry{lower, upper} {
		var q [quadHalf]lane
		for i := range entry {
			for k := range q {
				q[k][i] = entry[i][k]
			}
		}
		v := p.point(half)
		b, a := product(&q[0], &v.sum), product(&q[1], &v.diff)
		z, t := product(&q[2], &v.z), product(&q[3], &v.t)
		v = finish(b.minus(a, biasRaw).carry(), z.minus(t, biasRaw).carry(), z.plus(t).carry(), b.plus(a).carry())
		p.setPoint(half, &v)
	}
}
