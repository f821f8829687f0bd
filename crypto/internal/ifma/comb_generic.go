package ifma

// Twin of the comb kernel.

func combGeneric(out *Point, table *byte, scalars *Words, _ *combRoom) {
	for l := range Lanes {
		p, sign := out.lane(l), scalars[3][l]
		for j := combColumns - 1; j >= 0; j-- {
			entry := 0
			for i := range 3 {
				entry |= int(^(scalars[i][l]^sign)>>j&1) << i
			}
			q := pointOfWords(bucketWords(rowPointer(table, bucketBytes, combEntries*l+entry)))
			if sign>>j&1 != 0 {
				q.sum, q.diff, q.t = q.diff, q.sum, lane{}.minus(q.t, biasTwice)
			}
			p = p.double()
			p = p.addEntry(&q)
		}
		out.put(l, &p)
	}
}

// addEntry is p+q, where T of q has been multiplied by 2d.
func (p *lanePoint) addEntry(q *lanePoint) lanePoint {
	t := product(&p.t, &q.t)
	z2 := product(&p.z, &q.z)
	z2 = z2.plus(z2)
	a, b := product(&p.diff, &q.diff), product(&p.sum, &q.sum)
	return finish(b.minus(a, biasRaw).carry(), z2.minus(t, biasRaw).carry(), z2.plus(t).carry(), b.plus(a).carry())
}
