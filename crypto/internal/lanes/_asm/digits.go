package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// digits8 writes signed digits of eight scalars, window by window.
func digits8() {
	TEXT("digits8AVX512", noSplit,
		"func(dst *[8]int16, s **[32]byte, half *[5]uint64, width uint64, windows uint64, row *[5][8]uint64) uint8")
	Pragma("noescape")
	Doc("digits8AVX512 is the kernel behind digits8.")
	dst := Load(Param("dst"), GP64())
	sPtr := Load(Param("s"), GP64())
	half := Load(Param("half"), GP64())
	width := Load(Param("width"), GP64())
	windows := Load(Param("windows"), GP64())
	scratch := Load(Param("row"), GP64())

	var rows [lanes]Mem
	for l := range rows {
		p := GP64()
		MOVQ(at(sPtr, 8*l), p)
		rows[l] = at(p, 0)
	}
	w := gather4(rows, loadPairs())
	one := broadcast(1)

	d, canonical := fromOrder(w, one)
	result := GP32()
	KMOVB(canonical, result)
	Store(result.As8(), ReturnIndex(0))

	Comment("From 2^251 on take l - s and negate the digits: what is recoded is at most 2^251 + c.")
	negate := K()
	VPCMPUQ(U8(cmpGreaterEqual), broadcast(1<<59), w[3], negate)
	for i := range w {
		VMOVDQA64(d[i], negate, w[i])
		VMOVDQA64_Z(w[i], canonical, w[i]) // digits of other lanes are 0
	}

	addHalf(w, half, scratch, one)
	digits(dst, scratch, width, windows, negate)
	VZEROUPPER()
	RET()
}

// fromOrder returns l - w, and the mask of the lanes in which that is positive.
func fromOrder(w []VecVirtual, one VecVirtual) (d []VecVirtual, canonical Register) {
	Comment("d = l - s; a lane is canonical when d > 0.")
	d = zmms(4)
	var borrow Register
	any := ZMM()
	l := table("orderWords", words(order(), 4)...)
	for i := range d {
		lw, less := ZMM(), K()
		VPBROADCASTQ(l.Offset(8*i), lw)
		VPSUBQ(w[i], lw, d[i])
		VPCMPUQ(U8(cmpLess), w[i], lw, less)
		if i > 0 {
			isZero := K()
			VPTESTNMQ(d[i], d[i], borrow, isZero)
			VPSUBQ(one, d[i], borrow, d[i])
			KORB(isZero, less, less)
			VPORQ(d[i], any, any)
		} else {
			move(d[0], any)
		}
		borrow = less
	}
	nonzero := K()
	canonical = K()
	VPTESTMQ(any, any, nonzero)
	KNOTB(borrow, canonical)
	KANDB(nonzero, canonical, canonical)
	return d, canonical
}

// addHalf adds the table entry of the width to w, and leaves the five words of the sum in scratch.
func addHalf(w []VecVirtual, half, scratch Register, one VecVirtual) {
	Comment("Add half of every window, so that all digits of the sum are positive. Nothing carries into word 4: the four",
		"low words of half have no bit above 255 and few below, and the number is below 2^252.")
	var carry Register
	for i := range w {
		h := ZMM()
		VPBROADCASTQ(at(half, 8*i), h)
		VPADDQ(h, w[i], w[i])
		next := K()
		if i < len(w)-1 {
			VPCMPUQ(U8(cmpLess), h, w[i], next)
		}
		if i > 0 {
			VPADDQ(one, w[i], carry, w[i])
		}
		if i > 0 && i < len(w)-1 {
			wrapped := K()
			VPTESTNMQ(w[i], w[i], carry, wrapped)
			KORB(wrapped, next, next)
		}
		carry = next
		move(w[i], at(scratch, row*i))
	}
	top := ZMM()
	VPBROADCASTQ(at(half, 8*4), top)
	move(top, at(scratch, row*4))
}

// digits writes the digits: window j is bits [j*width, (j+1)*width) of the five words in scratch, less half a window.
// The last window takes all bits that are left: its digit may be 2^(width-1).
func digits(dst, scratch, width, windows, negate Register) {
	one, none, mask, half, step := broadcast(1), ZMM(), ZMM(), ZMM(), ZMM()
	zero(none)
	VPBROADCASTQ(width, step)
	VPSLLVQ(step, one, mask)
	VPSRLQ(U8(1), mask, half)
	VPSUBQ(one, mask, mask)

	right := ZMM() // the double shift takes it mod 64
	zero(right)
	bit := GP64()
	XORQ(bit, bit)
	digit := func(mask VecVirtual) {
		word, low, high := GP64(), ZMM(), ZMM()
		MOVQ(bit, word)
		ANDQ(I8(-64), word)
		move(Mem{Base: scratch, Index: word, Scale: 1}, low)
		move(Mem{Base: scratch, Index: word, Scale: 1, Disp: row}, high)
		VPSHRDVQ(right, high, low)
		VPANDQ(mask, low, low)
		VPSUBQ(half, low, low)
		VPSUBQ(low, none, negate, low)
		VPMOVQW(low, at(dst, 0))
	}
	DECQ(windows)
	Label("window")
	digit(mask)
	VPADDQ(step, right, right)
	ADDQ(width, bit)
	ADDQ(Imm(2*lanes), dst)
	DECQ(windows)
	JNZ(LabelRef("window"))
	digit(broadcast(1<<64 - 1))
}
