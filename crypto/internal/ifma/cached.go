package ifma

import "unsafe"

// CachedPoint is one decoded point, ready to be added in all lanes: y+x, y-x and 2dxy in reduced limbs, and a spare
// word.
type CachedPoint [16]uint64

// Key is a decoded key with its multiples: 512 bytes. With the 2^128 multiple a scalar of 253 bits counts as two short
// ones; with all of them it is four of 64 bits.
type Key struct {
	Point, High CachedPoint    // A and 2^128 A
	odd         [2]CachedPoint // 2^64 A and 2^192 A
}

// highBits is the distance between the two points that sums use.
const highBits = 128

// tooth is the 2^64i multiple.
func (k *Key) tooth(i int) *CachedPoint {
	return [combTeeth]*CachedPoint{&k.Point, &k.odd[0], &k.High, &k.odd[1]}[i]
}

// DecodePoints decodes n points, whose encodings begin stride bytes apart in encodings, to points[:n], and sets ok[i]
// to whether encoding i is a point by the rules of ZIP-215: y of p and more is allowed, and so is the sign of x = 0.
// Points that are not ok become the neutral element. It works on sixteen at a time; a multiple of that costs the
// least.
func (s *Scratch) DecodePoints(points []CachedPoint, ok []bool, encodings []byte, stride int) {
	ok = ok[:len(points)]
	for first := 0; first < len(points); first += decodePoints {
		n := min(decodePoints, len(points)-first)
		s.decodeSome(points[first:first+n], ok[first:first+n], encodings[first*stride:], stride)
	}
}

// decodeSome is DecodePoints for up to sixteen.
func (s *Scratch) decodeSome(points []CachedPoint, ok []bool, encodings []byte, stride int) {
	n := len(points)
	_ = encodings[(n-1)*stride+31]
	if n < decodePoints {
		s.tail.encodings = [decodePoints][32]byte{}
		for i := range n {
			copy(s.tail.encodings[i][:], encodings[i*stride:])
		}
		encodings, stride = s.tail.encodings[0][:], 32
	}
	var good uint64
	if n <= Lanes {
		good = s.decodeGroup(unsafe.SliceData(encodings), stride)
	} else {
		good = s.decodePair(unsafe.SliceData(encodings), stride)
		s.cacheAffine(1, &s.decode.x[1], &s.decode.y[1])
	}
	s.cacheAffine(0, &s.decode.x[0], &s.decode.y[0])
	copy(points, s.cached[:])
	for i := range ok {
		ok[i] = good>>i&1 != 0
		if !ok[i] {
			points[i] = neutralPoint
		}
	}
}

var neutralPoint = CachedPoint{0: 1, numLimbs: 1}

// cacheAffine writes the points (x, y) to the group g of s.cached.
func (s *Scratch) cacheAffine(g int, x, y *Element) {
	q := &s.affine
	add(&q.Sum, y, x)
	sub(&q.Diff, y, x)
	mul(&q.T, x, y)
	mul(&q.T, &q.T, &s.constants.twoD)
	storeCached(&s.cached[Lanes*g], q)
}

// DecodeKeys is DecodePoints for keys. It takes about ten times as long for the multiples.
func (s *Scratch) DecodeKeys(keys []Key, ok []bool, encodings []byte, stride int) {
	ok = ok[:len(keys)]
	for first := 0; first < len(keys); first += decodePoints {
		n := min(decodePoints, len(keys)-first)
		var points [decodePoints]CachedPoint
		s.decodeSome(points[:n], ok[first:first+n], encodings[first*stride:], stride)
		for i := range n {
			keys[first+i].Point = points[i]
		}
		groups := (n + Lanes - 1) / Lanes
		s.raisePoints(groups)
		for tooth := 1; tooth < combTeeth; tooth++ {
			s.cacheRaised(tooth, groups)
			for i := range n {
				to := keys[first+i].tooth(tooth)
				if *to = neutralPoint; ok[first+i] {
					*to = s.cached[i]
				}
			}
		}
	}
}

// raisePoints sets s.points to the multiples of the groups of points that were decoded last, by 2^64 for all groups,
// then by 2^128 and by 2^192. T is 1/(2Z).
func (s *Scratch) raisePoints(groups int) {
	for g := range groups {
		p := &s.points[g]
		s.setAffine(p, &s.decode.x[g], &s.decode.y[g])
		doubleTimes(p, combColumns, &s.room)
		for tooth := 1; tooth < combTeeth-1; tooth++ {
			q := &s.points[tooth*groups+g]
			*q = *p
			doubleTimes(q, combColumns, &s.room)
			p = q
		}
	}
	s.invertAll(s.points[:(combTeeth-1)*groups])
}

// cacheRaised writes the multiples of one kind to s.cached.
func (s *Scratch) cacheRaised(tooth, groups int) {
	for g := range groups {
		// x = (S-D)/(2Z), y = (S+D)/(2Z)
		p, x, y := &s.points[(tooth-1)*groups+g], &s.decode.x[g], &s.decode.y[g]
		sub(x, &p.Sum, &p.Diff)
		mul(x, x, &p.T)
		add(y, &p.Sum, &p.Diff)
		mul(y, y, &p.T)
		s.cacheAffine(g, x, y)
	}
}
