package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Layout of the types of package ifma that the kernels of sums know.
const (
	cachedBytes = 128 // CachedPoint: y+x, y-x, 2dxy in limbs, one word spare
	bucketBytes = 160 // a bucket: one lane of a Point, twenty words
	pointParts  = 5   // those in parts of four words, which are transposed together
)

// pointVector is the vector of a Point that is word i of a part: parts 0 to 3 are limbs 0 to 3 of Y+X, Y-X, Z and T,
// part 4 is their limbs 4.
func pointVector(part, i int) int {
	if part < 4 {
		return limbs*part + i
	}
	return limbs*i + 4
}

// sumRoom is the memory of a bucket addition: type sumRoom of package ifma.
type sumRoom struct {
	m         room
	p         point
	addresses func(lane int) Mem
	next      func(lane int) Mem
}

func sumRoomAt(base Register) sumRoom {
	return sumRoom{
		m: roomAt(base, 0), p: pointAt(base, roomBytes),
		addresses: func(lane int) Mem { return Mem{Base: base, Disp: roomBytes + pointBytes + 8*lane} },
		next:      func(lane int) Mem { return Mem{Base: base, Disp: roomBytes + pointBytes + 64 + 8*lane} },
	}
}

// bucketSet emits sums of points by buckets, where a lane is a window of the scalars.
func bucketSet() {
	declareBiases("bucket")
	bucketsAdd()
	bucketsTake()
	storeCached()
	loadCached()
	storePoints()
}

// bucketsAdd emits the addition of points to buckets. One point goes to all lanes; in each of them it is added to the
// bucket of the digit there. Buckets lie lane by lane with their words together, so that a lane's bucket is three
// cache lines; the words are transposed on the way in and out.
func bucketsAdd() {
	kernel("bucketsAddIFMA",
		"func(buckets *byte, stride int, points *CachedPoint, digits *uint64, n int, room *sumRoom)",
		"bucketsAddIFMA adds each of n points, at least 1, to the bucket of the absolute value of its digit in each lane,\n"+
			"or its negative where the digit is negative. The buckets of a lane lie stride bytes behind those of the one\n"+
			"before it. Points and buckets reduced in, buckets reduced out.")
	loadConstants()
	p := Load(Param("points"), GP64())
	digits := Load(Param("digits"), GP64())
	n := Load(Param("n"), GP64())
	r := sumRoomAt(Load(Param("room"), GP64()))
	lanes := laneBases()

	VMOVDQU64(bucketAddresses(digits, lanes), r.addresses(0))

	Label("point")
	var address [8]GPVirtual
	for i := range address {
		address[i] = GP64()
		MOVQ(r.addresses(i), address[i])
	}
	negative, digit := K(), ZMM()
	VPMOVSXBQ(Mem{Base: digits}, digit)
	VPMOVQ2M(digit, negative)
	ADDQ(U8(8), digits)
	VMOVDQU64(bucketAddresses(digits, lanes), r.next(0))
	part := func(k int) rows {
		return func(lane int) Mem { return Mem{Base: address[lane], Disp: 32 * k} }
	}
	for i := range 8 {
		a := GP64()
		MOVQ(r.next(i), a)
		for line := range 3 {
			PREFETCHT0(Mem{Base: a, Disp: 64 * line})
		}
	}
	var sum, diff element
	out := pointSink{
		z: r.p.z.store, t: r.p.t.store,
		diff: func(e element) { diff = e }, sum: func(e element) { sum = e },
	}
	addMixed(out, bucketSource(part), cached(p, negative), r.m)
	for i := range address { // they do not fit in registers across the addition
		address[i] = GP64()
		MOVQ(r.addresses(i), address[i])
	}
	storeRows(words(sum[:4]), part(0))
	storeRows(words(diff[:4]), part(1))
	storeRows(words{sum[4], diff[4], r.p.z.limb(4), r.p.t.limb(4)}, part(4))
	for k, s := range []slot{r.p.z, r.p.t} {
		storeRows(words{s.limb(0), s.limb(1), s.limb(2), s.limb(3)}, part(2+k))
	}
	following := ZMM()
	VMOVDQU64(r.next(0), following)
	VMOVDQU64(following, r.addresses(0))
	ADDQ(U8(cachedBytes), p)
	DECQ(n)
	JNZ(LabelRef("point"))
	done()
}

// bucketSource is the point whose parts are rows of a bucket in each lane. T, which an addition reads first, brings
// limb 4 of the others with it.
func bucketSource(part func(k int) rows) pointSource {
	var last words
	join := func(k int) source {
		w := loadRows(part(k))
		return element{w[0], w[1], w[2], w[3], last[k]}
	}
	return pointSource{
		t: func() source {
			last = loadRows(part(4))
			return join(3)
		},
		z: func() source { return join(2) }, diff: func() source { return join(1) }, sum: func() source { return join(0) },
	}
}

// bucketAddresses is the address of the bucket of the digit at digits in each lane.
func bucketAddresses(digits Register, lanes VecVirtual) VecVirtual {
	digit, offset := ZMM(), ZMM()
	VPMOVSXBQ(Mem{Base: digits}, digit)
	VPABSQ(digit, digit)
	VPSLLQ(U8(7), digit, offset) // 160 = 128 + 32
	VPSLLQ(U8(5), digit, digit)
	VPADDQ(offset, digit, digit)
	VPADDQ(lanes, digit, digit)
	return digit
}

// laneBases is the address of the first bucket of each lane.
func laneBases() VecVirtual {
	strides := GLOBL("laneNumbers", attrReadOnly)
	for i := range 8 {
		DATA(8*i, U64(i))
	}
	lanes, t := ZMM(), ZMM()
	stride, base := GP64(), GP64()
	Load(Param("stride"), stride)
	VPBROADCASTQ(stride, lanes)
	VMOVDQU64(strides, t)
	VPMULLQ(t, lanes, lanes)
	Load(Param("buckets"), base)
	VPBROADCASTQ(base, t)
	VPADDQ(t, lanes, lanes)
	return lanes
}

// cached is the point at p in all lanes, negated in those of negative.
func cached(p Register, negative OpmaskVirtual) affine {
	limb := func(k, i int) Mem { return Mem{Base: p, Disp: 8 * (limbs*k + i)} }
	either := func(plus, minus int) func() element {
		return func() (e element) {
			for i := range e {
				e[i] = ZMM()
				VPBROADCASTQ(limb(plus, i), e[i])
				VPBROADCASTQ(limb(minus, i), negative, e[i])
			}
			return e
		}
	}
	return affine{
		sum: either(0, 1), diff: either(1, 0),
		t: func() (e element) {
			for i := range e {
				t := ZMM()
				e[i] = ZMM()
				VPBROADCASTQ(limb(2, i), e[i])
				VPBROADCASTQ(biasTwice.at(i), t)
				VPSUBQ(e[i], t, negative, e[i])
			}
			return e
		},
	}
}

// bucketsTake emits the emptying of one bucket of each lane.
func bucketsTake() {
	kernel("bucketsTakeIFMA", "func(out *Point, buckets *byte, stride int)",
		"bucketsTakeIFMA sets out to the bucket at buckets in lane 0, stride bytes behind it in lane 1, and so on, and the\n"+
			"buckets to the neutral element.")
	base, stride := Load(Param("buckets"), GP64()), Load(Param("stride"), GP64())
	at := strided(base, stride)
	out := Load(Param("out"), GP64())
	neutral := GLOBL("neutralBucket", attrReadOnly)
	for i := range 4 * pointParts {
		one := uint64(0)
		if i%4 == 0 && i < 3*4 { // limb 0 of Y+X, Y-X and Z
			one = 1
		}
		DATA(8*i, U64(one))
	}
	for k := range pointParts {
		for i, w := range loadRows(func(lane int) Mem { return at(lane).Offset(32 * k) }) {
			VMOVDQU64(w, Mem{Base: out, Disp: limbBytes * pointVector(k, i)})
		}
		part := YMM()
		VMOVDQU64(neutral.Offset(32*k), part)
		for lane := range 8 {
			VMOVDQU64(part, at(lane).Offset(32*k))
		}
	}
	done()
}

// storeCached emits the writing of points to memory, each by itself.
func storeCached() {
	kernel("storeCachedIFMA", "func(out *CachedPoint, q *Affine)",
		"storeCachedIFMA writes the eight points of q one behind the other.")
	q := Load(Param("q"), GP64())
	out := Load(Param("out"), GP64())
	for k := range 4 {
		var w words
		for i := range w {
			if 4*k+i == 3*limbs {
				w[i] = zero()
				continue
			}
			w[i] = ZMM()
			VMOVDQU64(Mem{Base: q, Disp: limbBytes * (4*k + i)}, w[i])
		}
		storeRows(w, func(lane int) Mem { return Mem{Base: out, Disp: cachedBytes*lane + 32*k} })
	}
	done()
}

// loadCached emits the inverse of storeCached.
func loadCached() {
	kernel("loadCachedIFMA", "func(q *Affine, in *CachedPoint)",
		"loadCachedIFMA sets q to eight points, one behind the other.")
	q := Load(Param("q"), GP64())
	in := Load(Param("in"), GP64())
	for k := range 4 {
		for i, w := range loadRows(func(lane int) Mem { return Mem{Base: in, Disp: cachedBytes*lane + 32*k} }) {
			if 4*k+i < 3*limbs {
				VMOVDQU64(w, Mem{Base: q, Disp: limbBytes * (4*k + i)})
			}
		}
	}
	done()
}

// storePoints emits the writing of points to the rows of lanes.
func storePoints() {
	kernel("storePointsIFMA", "func(rows *byte, stride int, p *Point)",
		"storePointsIFMA writes the twenty words of lane i to rows + i*stride.")
	at := rowsArgument()
	p := Load(Param("p"), GP64())
	for k := range pointParts {
		var w words
		for i := range w {
			w[i] = ZMM()
			VMOVDQU64(Mem{Base: p, Disp: limbBytes * pointVector(k, i)}, w[i])
		}
		storeRows(w, func(lane int) Mem { return at(lane).Offset(32 * k) })
	}
	done()
}
