package ifma

import "unsafe"

// Twins of the bucket kernels.

// neutralWords is the neutral element as a bucket.
var neutralWords = [4 * numLimbs]uint64{0: 1, 4: 1, 8: 1}

// bucketWords is the bucket at an address, as words.
func bucketWords(b *byte) *[4 * numLimbs]uint64 { return (*[4 * numLimbs]uint64)(unsafe.Pointer(b)) }

// parts are the elements of a point in the order of a bucket: its words are limbs 0 to 3 of each, then their limbs 4.
func (p *lanePoint) parts() [4]*lane { return [4]*lane{&p.sum, &p.diff, &p.z, &p.t} }

func pointOfWords(w *[4 * numLimbs]uint64) (p lanePoint) {
	for k, v := range p.parts() {
		copy(v[:4], w[4*k:])
		v[4] = w[16+k]
	}
	return p
}

func (p *lanePoint) words() (w [4 * numLimbs]uint64) {
	for k, v := range p.parts() {
		copy(w[4*k:], v[:4])
		w[16+k] = v[4]
	}
	return w
}

func bucketsAddGeneric(buckets *byte, stride int, points *CachedPoint, digits *uint64, n int, _ *sumRoom) {
	all := unsafe.Slice(points, n)
	for i, d := range unsafe.Slice(digits, n) {
		for l := range Lanes {
			q := laneAffine{lane(all[i][:5]), lane(all[i][5:10]), lane(all[i][10:15])}
			digit := int(int8(d >> (8 * l)))
			if digit < 0 {
				digit = -digit
				q = laneAffine{q.diff, q.sum, lane{}.minus(q.t, biasTwice)}
			}
			w := bucketWords(rowPointer(buckets, 1, l*stride+bucketBytes*digit))
			p := pointOfWords(w)
			p = p.addMixed(&q)
			*w = p.words()
		}
	}
}

func bucketsTakeGeneric(out *Point, buckets *byte, stride int) {
	for l := range Lanes {
		w := bucketWords(rowPointer(buckets, stride, l))
		p := pointOfWords(w)
		out.put(l, &p)
		*w = neutralWords
	}
}

func storeCachedGeneric(out *CachedPoint, q *Affine) {
	all := unsafe.Slice(out, Lanes)
	for l := range Lanes {
		a := q.lane(l)
		all[l] = CachedPoint{}
		copy(all[l][:], a.sum[:])
		copy(all[l][numLimbs:], a.diff[:])
		copy(all[l][2*numLimbs:], a.t[:])
	}
}

func loadCachedGeneric(q *Affine, in *CachedPoint) {
	for l, c := range unsafe.Slice(in, Lanes) {
		q.Sum.setLane(l, lane(c[:numLimbs]))
		q.Diff.setLane(l, lane(c[numLimbs:2*numLimbs]))
		q.T.setLane(l, lane(c[2*numLimbs:3*numLimbs]))
	}
}

func storePointsGeneric(rows *byte, stride int, p *Point) {
	for l := range Lanes {
		v := p.lane(l)
		*bucketWords(rowPointer(rows, stride, l)) = v.words()
	}
}
