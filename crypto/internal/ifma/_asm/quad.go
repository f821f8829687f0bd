package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// quadSet emits doublings and additions of one point whose coordinates are lanes: Y+X, Y-X, Z and T of one point in
// lanes 0 to 3, of another in lanes 4 to 7. An operation is two multiplications, one after the other, instead of
// eight side by side: for one point three times as fast, for eight points three times as slow.
func quadSet() {
	declareBiases("quad")
	quadDouble()
	quadAdd()
}

// permute takes lanes a, b, c, d of each half of every limb.
func permute(e element, a, b, c, d int) (r element) {
	for i := range r {
		r[i] = ZMM()
		VPERMQ(U8(a|b<<2|c<<4|d<<6), e[i], r[i])
	}
	return r
}

// laneMask is a mask register with the same four bits for both halves.
func laneMask(bits uint64) OpmaskVirtual {
	t, k := GP64(), K()
	MOVQ(U64(bits|bits<<4), t)
	KMOVB(t.As32(), k)
	return k
}

// quadMasks are the lanes that are sums or differences.
type quadMasks struct{ subtract, first, second OpmaskVirtual }

func loadQuadMasks() quadMasks {
	return quadMasks{subtract: laneMask(0b0101), first: laneMask(0b0001), second: laneMask(0b0010)}
}

// finish emits the second half of an operation. From a and b, raw, come (E, G, F, H) = (a-b, a+b, a-b, a+b), and from
// those (X, Y, Z, T) = (EF, GH, FG, EH) and the result (Y+X, Y-X, Z, T).
func (k quadMasks) finish(a, b element) element {
	egfh := carry(combine(a, b, k.subtract))
	xyzt := product(permute(egfh, 0, 1, 2, 0), permute(egfh, 2, 3, 1, 3))
	y, x := permute(xyzt, 1, 1, 2, 3), permute(xyzt, 0, 0, 0, 0)
	for i := range y {
		t := ZMM()
		VPADDQ_BCST(biasRaw.at(i), y[i], t)
		VPADDQ(x[i], y[i], k.first, y[i])
		VPSUBQ(x[i], t, k.second, y[i])
	}
	return carry(y)
}

// combine is a-b in the lanes of k and a+b in the others.
func combine(a, b element, k OpmaskVirtual) (r element) {
	for i := range r {
		t := ZMM()
		r[i] = ZMM()
		VPADDQ(b[i], a[i], r[i])
		VPADDQ_BCST(biasRaw.at(i), a[i], t)
		VPSUBQ(b[i], t, k, r[i])
	}
	return r
}

// quadDouble emits doublings: with S = Y+X and D = Y-X the products are (S^2, D^2, Z^2, SD), and E = S^2-D^2, G = 2SD,
// F = 4Z^2-2SD, H = S^2+D^2 (see doublePoint).
func quadDouble() {
	kernel("quadDoubleIFMA", "func(p *quad, n int)",
		"quadDoubleIFMA doubles both points of p n times, n at least 1: loose in, reduced out.")
	loadConstants()
	shifts := GLOBL("quadShifts", attrReadOnly)
	for i, v := range []uint64{0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0} {
		DATA(8*i, U64(v))
	}
	p := argument("p")
	n := Load(Param("n"), GP64())
	masks := loadQuadMasks()
	x := p.load()
	Label("again")
	r := product(permute(x, 0, 1, 2, 0), permute(x, 0, 1, 2, 1))
	a, b := permute(r, 0, 3, 2, 0), permute(r, 1, 3, 3, 1)
	for i := range a {
		VPSLLVQ(shifts, a[i], a[i])
		VPSLLVQ(shifts.Offset(64), b[i], b[i])
	}
	move(x, masks.finish(a, b))
	DECQ(n)
	JNZ(LabelRef("again"))
	p.store(x)
	done()
}

// quadAdd emits an addition. Entries hold (Y+X, Y-X, 2Z, 2dT), so the products are (B, A, 2ZZ', 2dTT').
func quadAdd() {
	kernel("quadAddIFMA", "func(p *quad, lower, upper *quadEntry)",
		"quadAddIFMA adds lower to the first point of p and upper to the second: loose in, reduced out.")
	loadConstants()
	p := argument("p")
	lower, upper := Load(Param("lower"), GP64()), Load(Param("upper"), GP64())
	masks := loadQuadMasks()
	var q element
	for i := range q {
		q[i] = ZMM()
		VINSERTI64X4(U8(1), Mem{Base: upper, Disp: 32 * i}, lowHalf(Mem{Base: lower, Disp: 32 * i}), q[i])
	}
	r := product(q, p)
	p.store(masks.finish(permute(r, 0, 2, 2, 0), permute(r, 1, 3, 3, 1)))
	done()
}
