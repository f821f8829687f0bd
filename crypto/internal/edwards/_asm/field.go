package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Field arithmetic modulo 2^255 - 19 in four limbs of 64 bits. Every input and output is any number below 2^256; nothing
// is brought below the modulus until it is encoded. 2^256 is 38 here, so a carry out of the top comes back as 38.

// limbs is four 64-bit limbs in memory or registers.
type limbs [4]Op

func at(m Mem, offset int) limbs {
	m = m.Offset(offset)
	return limbs{m, m.Offset(8), m.Offset(16), m.Offset(24)}
}

func regs() (r [4]GPVirtual) {
	for i := range r {
		r[i] = GP64()
	}
	return
}

func store(z limbs, r [4]GPVirtual) {
	for i := range r {
		MOVQ(r[i], z[i])
	}
}

// fold reduces the eight limbs lo, hi to four: hi·2^256 = hi·38.
func fold(lo, hi [4]GPVirtual) [4]GPVirtual {
	l, h := GP64(), GP64()
	zero := GP64()
	MOVQ(U32(38), RDX)
	XORQ(zero, zero)
	for i := range 3 {
		MULXQ(hi[i], l, h)
		ADOXQ(l, lo[i])
		ADCXQ(h, lo[i+1])
	}
	top := GP64()
	MULXQ(hi[3], l, top)
	ADOXQ(l, lo[3])
	ADCXQ(zero, top)
	ADOXQ(zero, top)
	IMUL3Q(U8(38), top, top)
	ADDQ(top, lo[0])
	ADCQ(zero, lo[1])
	ADCQ(zero, lo[2])
	ADCQ(zero, lo[3])
	again(lo)
	return lo
}

// again adds 38 to the lowest limb when CF is set. The value is then so small that nothing carries.
func again(r [4]GPVirtual) {
	t := GP64()
	SBBQ(t, t)
	ANDQ(U8(38), t)
	ADDQ(t, r[0])
}

func mul(a, b limbs) [4]GPVirtual {
	var r [8]GPVirtual
	for i := range r {
		r[i] = GP64()
	}
	l, h := GP64(), GP64()
	MOVQ(b[0], RDX)
	MULXQ(a[0], r[0], r[1])
	MULXQ(a[1], l, r[2])
	ADDQ(l, r[1])
	MULXQ(a[2], l, r[3])
	ADCQ(l, r[2])
	MULXQ(a[3], l, r[4])
	ADCQ(l, r[3])
	ADCQ(U8(0), r[4])
	for i := 1; i < 4; i++ {
		MOVQ(b[i], RDX)
		XORQ(r[i+4], r[i+4])
		for j := range 4 {
			MULXQ(a[j], l, h)
			ADOXQ(l, r[i+j])
			ADCXQ(h, r[i+j+1])
		}
		MOVQ(U32(0), l)
		ADOXQ(l, r[i+4])
	}
	return fold([4]GPVirtual{r[0], r[1], r[2], r[3]}, [4]GPVirtual{r[4], r[5], r[6], r[7]})
}

func square(a limbs) [4]GPVirtual {
	var r [8]GPVirtual
	for i := range r {
		r[i] = GP64()
	}
	l, h := GP64(), GP64()
	// Products of different limbs: r1..r6.
	MOVQ(a[0], RDX)
	MULXQ(a[1], r[1], r[2])
	MULXQ(a[2], l, r[3])
	ADDQ(l, r[2])
	MULXQ(a[3], l, r[4])
	ADCQ(l, r[3])
	ADCQ(U8(0), r[4])
	MOVQ(a[1], RDX)
	XORQ(r[5], r[5])
	MULXQ(a[2], l, h)
	ADOXQ(l, r[3])
	ADCXQ(h, r[4])
	MULXQ(a[3], l, h)
	ADOXQ(l, r[4])
	ADCXQ(h, r[5])
	MOVQ(U32(0), l)
	ADOXQ(l, r[5])
	MOVQ(a[2], RDX)
	MULXQ(a[3], l, r[6])
	ADDQ(l, r[5])
	ADCQ(U8(0), r[6])
	// Twice that, plus the squares.
	XORQ(r[7], r[7])
	MOVQ(a[0], RDX)
	MULXQ(RDX, r[0], h)
	ADCXQ(r[1], r[1])
	ADOXQ(h, r[1])
	MOVQ(a[1], RDX)
	MULXQ(RDX, l, h)
	ADCXQ(r[2], r[2])
	ADOXQ(l, r[2])
	ADCXQ(r[3], r[3])
	ADOXQ(h, r[3])
	MOVQ(a[2], RDX)
	MULXQ(RDX, l, h)
	ADCXQ(r[4], r[4])
	ADOXQ(l, r[4])
	ADCXQ(r[5], r[5])
	ADOXQ(h, r[5])
	MOVQ(a[3], RDX)
	MULXQ(RDX, l, h)
	ADCXQ(r[6], r[6])
	ADOXQ(l, r[6])
	ADCXQ(r[7], r[7])
	ADOXQ(h, r[7])
	return fold([4]GPVirtual{r[0], r[1], r[2], r[3]}, [4]GPVirtual{r[4], r[5], r[6], r[7]})
}

func load(a limbs) [4]GPVirtual {
	r := regs()
	for i := range r {
		MOVQ(a[i], r[i])
	}
	return r
}

func add(a, b limbs) [4]GPVirtual {
	r := load(a)
	ADDQ(b[0], r[0])
	ADCQ(b[1], r[1])
	ADCQ(b[2], r[2])
	ADCQ(b[3], r[3])
	t := GP64()
	SBBQ(t, t)
	ANDQ(U8(38), t)
	ADDQ(t, r[0])
	ADCQ(U8(0), r[1])
	ADCQ(U8(0), r[2])
	ADCQ(U8(0), r[3])
	again(r)
	return r
}

func sub(a, b limbs) [4]GPVirtual {
	r := load(a)
	SUBQ(b[0], r[0])
	SBBQ(b[1], r[1])
	SBBQ(b[2], r[2])
	SBBQ(b[3], r[3])
	t := GP64()
	SBBQ(t, t)
	ANDQ(U8(38), t)
	SUBQ(t, r[0])
	SBBQ(U8(0), r[1])
	SBBQ(U8(0), r[2])
	SBBQ(U8(0), r[3])
	SBBQ(t, t)
	ANDQ(U8(38), t)
	SUBQ(t, r[0])
	return r
}
