package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// words are four vectors of 64-bit words: the 32 bytes of eight lanes, least significant word first.
type words [4]VecVirtual

// rows gives the memory operand of 32 bytes of lane i.
type rows func(i int) Mem

// strided are rows that lie stride bytes apart.
func strided(base, stride Register) rows {
	three, upper := GP64(), GP64()
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, three)
	LEAQ(Mem{Base: base, Index: stride, Scale: 4}, upper)
	return func(i int) Mem {
		m := Mem{Base: base}
		if i >= 4 {
			m.Base = upper
		}
		switch i % 4 {
		case 1:
			m.Index, m.Scale = stride, 1
		case 2:
			m.Index, m.Scale = stride, 2
		case 3:
			m.Index, m.Scale = three, 1
		}
		return m
	}
}

// loadRows transposes eight rows of 32 bytes. Rows are paired so that unpacking and shuffling by halves, which need no
// index registers, leave the lanes in order: (0,2) with (1,3), (4,6) with (5,7).
func loadRows(r rows) (w words) {
	var pair [4]VecVirtual
	for i, first := range []int{0, 1, 4, 5} {
		pair[i] = ZMM()
		VINSERTI64X4(U8(1), r(first+2), lowHalf(r(first)), pair[i])
	}
	var half [4]VecVirtual // word 0 and 2 of the lower lanes, word 1 and 3; the same of the upper lanes
	for i := range half {
		half[i] = ZMM()
	}
	VPUNPCKLQDQ(pair[1], pair[0], half[0])
	VPUNPCKHQDQ(pair[1], pair[0], half[1])
	VPUNPCKLQDQ(pair[3], pair[2], half[2])
	VPUNPCKHQDQ(pair[3], pair[2], half[3])
	for i := range w {
		w[i] = ZMM()
		VSHUFI64X2(U8(0x88+0x55*(i/2)), half[2+i%2], half[i%2], w[i])
	}
	return w
}

// storeRows is the inverse of loadRows.
func storeRows(w words, r rows) {
	low, high := rowIndexes()
	for odd, unpack := range []func(...Op){VPUNPCKLQDQ, VPUNPCKHQDQ} {
		// Words 0 and 1 of the even (odd) lanes, and words 2 and 3.
		first, second, upper := ZMM(), ZMM(), ZMM()
		unpack(w[1], w[0], first)
		unpack(w[3], w[2], second)
		VMOVDQA64(first, upper)
		VPERMT2Q(second, low, first)
		VPERMT2Q(second, high, upper)
		for i, pair := range []VecVirtual{first, upper} {
			VMOVDQU64(pair.AsY(), r(4*i+odd))
			VEXTRACTI64X4(U8(1), pair, r(4*i+odd+2))
		}
	}
}

// rowIndexes loads the permutations that join 128-bit halves of rows: quarters 0 and 1 of two registers, or 2 and 3.
func rowIndexes() (low, high VecVirtual) {
	if !indexesDeclared {
		indexesDeclared = true
		indexes = GLOBL("rowIndexes", attrReadOnly)
		for i, v := range []uint64{0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15} {
			DATA(8*i, U64(v))
		}
	}
	low, high = ZMM(), ZMM()
	VMOVDQU64(indexes, low)
	VMOVDQU64(indexes.Offset(64), high)
	return low, high
}

var (
	indexes         Mem
	indexesDeclared bool
)

// unpack cuts 255 bits into limbs of 51: the top bit of the 256 is dropped.
func unpack(w words) (e element) {
	for i := range e {
		e[i] = ZMM()
	}
	VPANDQ(c.mask, w[0], e[0])
	for i := 1; i < 4; i++ {
		low := ZMM()
		VPSRLQ(U8(64-13*i), w[i-1], low)
		VPSLLQ(U8(13*i), w[i], e[i])
		VPTERNLOGQ(U8(orThenAnd), c.mask, low, e[i])
	}
	VPSRLQ(U8(12), w[3], e[4])
	VPANDQ(c.mask, e[4], e[4])
	return e
}

// orThenAnd is the truth table of (a|b)&c for VPTERNLOGQ.
const orThenAnd = 0xa8

// pack joins limbs below 2^51 to words: the inverse of unpack.
func pack(e element) (w words) {
	for i := range w {
		high := ZMM()
		w[i] = ZMM()
		VPSLLQ(U8(51-13*i), e[i+1], high)
		if i == 0 {
			VPORQ(e[0], high, w[0])
			continue
		}
		VPSRLQ(U8(13*i), e[i], w[i])
		VPORQ(high, w[i], w[i])
	}
	return w
}

// canonical subtracts p if the value is p or more: reduced in, canonical out, in place. Reduced values are below 2p, so
// once is enough: the quotient is the carry out of the top when 19 is added.
func canonical(e element) element {
	q := ZMM()
	VPADDQ(c.nineteen, e[0], q)
	VPSRLQ(U8(51), q, q)
	for i := 1; i < limbs; i++ {
		VPADDQ(e[i], q, q)
		VPSRLQ(U8(51), q, q)
	}
	VPMADD52LUQ(c.nineteen, q, e[0])
	for i := range 4 {
		over := ZMM()
		VPSRLQ(U8(51), e[i], over)
		VPANDQ(c.mask, e[i], e[i])
		VPADDQ(over, e[i+1], e[i+1])
	}
	VPANDQ(c.mask, e[4], e[4])
	return e
}
