package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A point in memory is four elements: Y+X, Y-X, Z and T with X*Y = Z*T (type Point of package ifma).
type point struct{ sum, diff, z, t slot }

const pointBytes = 4 * elementBytes

func pointAt(base Register, disp int) point {
	s := slots(base, disp, 4)
	return point{s[0], s[1], s[2], s[3]}
}

// room is memory of a kernel for the values between two rounds of multiplications. It lies on the stack of the call
// or in the scratch memory of the caller.
type room struct {
	e, f, g, h slot
	between    func() // emits independent work for the middle of an operation, or nil
}

const roomBytes = 4 * elementBytes

func roomAt(base Register, disp int) room {
	s := slots(base, disp, 4)
	return room{e: s[0], f: s[1], g: s[2], h: s[3]}
}

// affine is an affine point of a table, ready to be added: y+x, y-x and 2dxy. The functions bring each of them into
// registers when the addition needs it, so that not all fifteen are live at the same time.
type affine struct{ sum, diff, t func() element }

// Biases of subtractions: 2^11*p is above every raw limb (2^60.1) and twice it, and the sum with a raw limb below
// 2^63.
var (
	biasRaw   bias // 2^11 * p, for raw subtrahends
	biasTwice bias // 2 * p, for reduced subtrahends
)

func declareBiases(prefix string) {
	biasRaw = newBias(prefix+"BiasRaw", 1<<11)
	biasTwice = newBias(prefix+"BiasTwice", 2)
}

// pointSource is a point that an addition reads, pointSink one that it writes. The functions of a source bring a part
// into registers, or name the memory where it is, when the addition needs it.
type pointSource struct{ sum, diff, z, t func() source }

// A sink without t is for points that are doubled next.
type pointSink struct{ sum, diff, z, t func(element) }

func (p point) source() pointSource {
	return pointSource{
		sum: func() source { return p.sum }, diff: func() source { return p.diff },
		z: func() source { return p.z }, t: func() source { return p.t },
	}
}

func (p point) sink() pointSink { return pointSink{p.sum.store, p.diff.store, p.z.store, p.t.store} }

// addMixed emits out = p + q in seven multiplications (Hisil, Wong, Carter, Dawson 2008, section 3.1, for a = -1). All
// of p and q is loose, out is reduced. out may be p.
//
// The product with T comes first and the one with Z before its siblings: so each carry has a whole multiplication to
// hide behind.
func addMixed(out pointSink, p pointSource, q affine, m room) {
	product2dT := product(q.t(), p.t())
	z := p.z()
	var z2 element
	for i := range z2 {
		x := z.limb(i)
		z2[i] = ZMM()
		VPADDQ(x, x, z2[i])
	}
	f := carry(difference(z2, product2dT, biasRaw))
	g := carry(sum(z2, product2dT))
	m.f.store(f)
	m.g.store(g)
	finishAddition(out, product(q.diff(), p.diff()), func() element { return product(q.sum(), p.sum()) }, m)
}

// finishAddition emits the second half that all additions share: from A = (Y1-X1)(Y2-X2), B = (Y1+X1)(Y2+X2), and F
// and G in m, with E = B-A and H = B+A: X3 = EF, Y3 = GH, Z3 = FG, T3 = EH.
func finishAddition(out pointSink, a element, productB func() element, m room) {
	b := productB()
	e := carry(difference(b, a, biasRaw))
	h := carry(sum(b, a))
	m.e.store(e)
	m.h.store(h)
	finishPoint(out, m)
}

// finishPoint emits the four products of E, F, G and H in m.
func finishPoint(out pointSink, m room) {
	out.z(carry(product(m.f.load(), m.g)))
	if m.between != nil {
		m.between()
	}
	if out.t != nil {
		out.t(carry(product(m.e.load(), m.h)))
	}
	x := product(m.e.load(), m.f)
	y := product(m.g.load(), m.h)
	out.diff(carry(difference(y, x, biasRaw)))
	out.sum(carry(sum(y, x)))
}

// addPoints emits out = p + q in nine multiplications: all loose in, reduced out.
func addPoints(out, p, q point, twoD slot, m room) {
	m.e.store(carry(product(p.t.load(), q.t)))
	z2 := product(p.z.load(), q.z)
	z2 = sum(z2, z2)
	m.g.store(z2)
	t := product(m.e.load(), twoD)
	z2 = m.g.load()
	f := carry(difference(z2, t, biasRaw))
	g := carry(sum(z2, t))
	m.f.store(f)
	m.g.store(g)
	a := product(p.diff.load(), q.diff)
	finishAddition(out.sink(), a, func() element { return product(p.sum.load(), q.sum) }, m)
}

// doublePoint emits out = 2p in five multiplications and three squarings: all loose in, reduced out. With S = Y+X and
// D = Y-X, and everything twice the size of the usual formula: E = S^2-D^2, H = S^2+D^2, G = 2SD, F = 4Z^2-G. T of p
// is not read.
func doublePoint(out pointSink, p point, m room) {
	s := squareRaw(p.sum.load())
	d := squareRaw(p.diff.load())
	e := carry(difference(s, d, biasRaw))
	m.e.store(e)
	m.h.store(carry(sum(s, d)))
	g := product(p.sum.load(), p.diff)
	g = sum(g, g)
	z := squareRaw(p.z.load())
	z = sum(z, z)
	z = sum(z, z)
	m.f.store(carry(difference(z, g, biasRaw)))
	m.g.store(carry(g))
	finishPoint(out, m)
}

// pointSet emits additions and doublings of eight points.
func pointSet() {
	declareBiases("point")

	kernel("addPointsIFMA", "func(out, p, q *Point, twoD *Element, room *[4]Element)",
		"addPointsIFMA sets out = p+q: loose in, reduced out.")
	loadConstants()
	out, p, q := pointArgument("out"), pointArgument("p"), pointArgument("q")
	addPoints(out, p, q, argument("twoD"), roomArgument())
	done()

	kernel("addMixedIFMA", "func(out, p *Point, q *Affine, room *[4]Element)",
		"addMixedIFMA sets out = p+q: loose in, reduced out.")
	loadConstants()
	out, p = pointArgument("out"), pointArgument("p")
	s := slots(Load(Param("q"), GP64()), 0, 3)
	addMixed(out.sink(), p.source(), affine{sum: s[0].load, diff: s[1].load, t: s[2].load}, roomArgument())
	done()

	kernel("doublePointIFMA", "func(out, p *Point, room *[4]Element)",
		"doublePointIFMA sets out = 2p: loose in, reduced out.")
	loadConstants()
	out, p = pointArgument("out"), pointArgument("p")
	doublePoint(out.sink(), p, roomArgument())
	done()

	doubleTimes()
}

// doubleTimes emits runs of doublings. Only the last one has a T: a multiplication less for the others.
func doubleTimes() {
	kernel("doubleTimesIFMA", "func(p *Point, n int, room *[4]Element)",
		"doubleTimesIFMA doubles p n times, n at least 1: loose in, reduced out.")
	loadConstants()
	p := pointArgument("p")
	n := Load(Param("n"), GP64())
	m := roomArgument()
	between := p.sink()
	between.t = nil
	DECQ(n)
	JZ(LabelRef("last"))
	Label("again")
	doublePoint(between, p, m)
	DECQ(n)
	JNZ(LabelRef("again"))
	Label("last")
	doublePoint(p.sink(), p, m)
	done()
}

func pointArgument(name string) point { return pointAt(Load(Param(name), GP64()), 0) }
func roomArgument() room              { return roomAt(Load(Param("room"), GP64()), 0) }
