package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// encodeSet emits the ways between field elements and bytes.
func encodeSet() {
	declareBiases("encode")
	encode()
	matchRows()
	packRows()
	unpackRows()
	niels()
	root()
	zeros()
}

// encode emits the affine coordinates of points and their encoding.
func encode() {
	kernel("encodeIFMA", "func(out *Words, p *Point, inverse *Element)",
		"encodeIFMA sets out to the encodings of p (RFC 8032): y with the lowest bit of x on top. inverse is 1/(2Z); T is\n"+
			"not used. Reduced in.")
	loadConstants()
	p := pointArgument("p")
	inverse := argument("inverse")
	s, d := p.sum.load(), p.diff.load()
	x := canonical(carry(product(carry(difference(s, d, biasTwice)), inverse)))
	sign := ZMM()
	VPSLLQ(U8(63), x[0], sign)
	y := canonical(carry(product(carry(sum(s, d)), inverse)))
	w := pack(y)
	VPORQ(sign, w[3], w[3])
	out := Load(Param("out"), GP64())
	for i := range w {
		VMOVDQU64(w[i], Mem{Base: out, Disp: 64 * i})
	}
	done()
}

func wordsArgument(name string) (w words) {
	base := Load(Param(name), GP64())
	for i := range w {
		w[i] = ZMM()
		VMOVDQU64(Mem{Base: base, Disp: 64 * i}, w[i])
	}
	return w
}

func rowsArgument() rows {
	return strided(Load(Param("rows"), GP64()), Load(Param("stride"), GP64()))
}

// matchRows emits the comparison of encodings with received bytes.
func matchRows() {
	kernel("matchRowsIFMA", "func(w *Words, rows *byte, stride int) uint64",
		"matchRowsIFMA compares 32 bytes of each lane with those at rows, stride bytes apart. Bit i is set if lane i\n"+
			"is equal.")
	a := loadRows(rowsArgument())
	b := wordsArgument("w")
	var differ = ZMM()
	VPXORQ(a[0], b[0], differ)
	for i := 1; i < 4; i++ {
		VPXORQ(a[i], b[i], a[i])
		VPORQ(a[i], differ, differ)
	}
	equal := K()
	VPTESTNMQ(differ, differ, equal)
	r := GP64()
	KMOVB(equal, r.As32())
	Store(r, ReturnIndex(0))
	done()
}

// packRows emits the writing of encodings.
func packRows() {
	kernel("storeRowsIFMA", "func(w *Words, rows *byte, stride int)",
		"storeRowsIFMA writes the 32 bytes of each lane to rows, stride bytes apart.")
	r := rowsArgument()
	storeRows(wordsArgument("w"), r)
	done()
}

// unpackRows emits the reading of field elements.
func unpackRows() {
	kernel("unpackRowsIFMA", "func(out *Element, rows *byte, stride int) uint64",
		"unpackRowsIFMA reads eight little-endian numbers of 255 bits, stride bytes apart, and returns their top bits:\n"+
			"bit i is the one of lane i. Packed out.")
	loadConstants()
	r := rowsArgument()
	w := loadRows(r)
	argument("out").store(unpack(w))
	sign := K()
	top := broadcast(1 << 63)
	VPTESTMQ(top, w[3], sign)
	bits := GP64()
	KMOVB(sign, bits.As32())
	Store(bits, ReturnIndex(0))
	done()
}

// niels emits table entries.
func niels() {
	kernel("entriesIFMA", "func(rows *byte, p *Point, inverse, d *Element, room *[4]Element)",
		"entriesIFMA writes the table entries y+x, y-x and 2dxy of eight points, canonical, 32 bytes each, 96 bytes for\n"+
			"each lane. inverse is 1/(2Z), d is 2d; T is not used. Reduced in.")
	loadConstants()
	p := pointArgument("p")
	inverse := argument("inverse")
	m := roomArgument()
	out := Load(Param("rows"), GP64())
	part := func(i int) rows {
		return func(lane int) Mem { return Mem{Base: out, Disp: entryBytes*lane + 32*i} }
	}
	// y+x = (2Y+2X)/(2Z) = 2S/(2Z), y-x = 2D/(2Z).
	twice := func(s slot) element {
		e := s.load()
		return carry(sum(e, e))
	}
	a := carry(product(twice(p.sum), inverse))
	m.e.store(a)
	storeRows(pack(canonical(a)), part(0))
	b := carry(product(twice(p.diff), inverse))
	m.f.store(b)
	storeRows(pack(canonical(b)), part(1))
	// xy = ((y+x)^2 - (y-x)^2) / 4, and 2d/4 comes as the constant.
	t := carry(difference(squareRaw(m.e.load()), squareRaw(m.f.load()), biasRaw))
	storeRows(pack(canonical(carry(product(t, argument("d"))))), part(2))
	done()
}

// root emits the end of decoding: which square root it is, and its sign.
func root() {
	kernel("rootIFMA", "func(x, r, check, u, sqrtM1 *Element, signs uint64, room *[4]Element) uint64",
		"rootIFMA sets x to the square root of u/v with the given sign, from the candidate r and check = v*r^2, and\n"+
			"returns the lanes that have one: check is u (r is the root) or -u (r*sqrt(-1) is). Where x is 0 the sign is\n"+
			"ignored, as ZIP-215 says. Reduced in and out.")
	loadConstants()
	m := roomArgument()
	u := argument("u").load()
	plus := canonical(u)
	check := canonical(argument("check").load())
	isPlus, isMinus := equal(check, plus), isNegative(check, plus)
	r := argument("r").load()
	m.e.store(r)
	turned := carry(product(r, argument("sqrtM1")))
	r = m.e.load()
	for i := range r {
		VMOVDQA64(turned[i], isMinus, r[i])
	}
	r = canonical(r)
	odd, wanted := K(), K()
	one := broadcast(1)
	VPTESTMQ(one, r[0], odd)
	signs := GP64()
	Load(Param("signs"), signs)
	KMOVB(signs.As32(), wanted)
	KXORB(odd, wanted, wanted)
	for i := range r {
		n := ZMM()
		VPBROADCASTQ(biasTwice.at(i), n)
		VPSUBQ(r[i], n, wanted, r[i])
	}
	argument("x").store(carry(r))
	good := K()
	KORB(isPlus, isMinus, good)
	bits := GP64()
	KMOVB(good, bits.As32())
	Store(bits, ReturnIndex(0))
	done()
}

// zeros emits the comparison with zero.
func zeros() {
	kernel("zerosIFMA", "func(e *Element) uint64", "zerosIFMA returns the lanes that are 0 modulo p. Reduced in.")
	loadConstants()
	zeros := isZero(canonical(argument("e").load()))
	bits := GP64()
	KMOVB(zeros, bits.As32())
	Store(bits, ReturnIndex(0))
	done()
}

// equal compares canonical elements.
func equal(a, b element) OpmaskVirtual {
	differ := ZMM()
	VPXORQ(a[0], b[0], differ)
	for i := 1; i < limbs; i++ {
		t := ZMM()
		VPXORQ(a[i], b[i], t)
		VPORQ(t, differ, differ)
	}
	k := K()
	VPTESTNMQ(differ, differ, k)
	return k
}

// isNegative tells where a = -b: where a+b, canonical, is zero.
func isNegative(a, b element) OpmaskVirtual { return isZero(canonical(carry(sum(b, a)))) }

// isZero compares a canonical element with zero.
func isZero(e element) OpmaskVirtual {
	any := ZMM()
	VPORQ(e[0], e[1], any)
	for i := 2; i < limbs; i++ {
		VPORQ(e[i], any, any)
	}
	k := K()
	VPTESTNMQ(any, any, k)
	return k
}
