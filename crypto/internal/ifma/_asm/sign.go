package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Layout of type oddTable of package ifma: for each window of 6 bits, for each of 15 limbs (y+x, y-x, 2dxy), the 32
// odd multiples 1, 3 ... 63, one word each.
const (
	oddWindows     = 43
	oddBits        = 6
	oddLimbBytes   = 32 * 8
	oddWindowBytes = 3 * limbs * oddLimbBytes
)

// signSet emits multiples of the base point for secret scalars.
func signSet() {
	declareBiases("sign")
	multiplyBase()
}

// multiplyBase emits the multiplication. Nothing that depends on the scalar reaches a jump or an address: the loop
// counts windows, and entries are picked out of four registers by permutation.
func multiplyBase() {
	order := GLOBL("signOrder", attrReadOnly)
	for i, w := range [4]uint64{0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 1 << 60} {
		DATA(8*i, U64(w))
	}
	kernel("multiplyBaseIFMA",
		"func(out *Point, scalars *byte, stride int, table *oddTable, first *Element, room *[5]Element)",
		"multiplyBaseIFMA sets out to the base point times eight scalars below 2^255, stride bytes apart. first is 1/(2d).\n"+
			"Reduced out. Time and addresses do not depend on the scalars. The caller wipes room and out.")
	oddWords(order)
	loadConstants()
	out := pointArgument("out")
	base := GP64()
	Load(Param("room"), base)
	m := roomAt(base, 0)
	table := GP64()
	Load(Param("table"), table)
	at := GP64()
	XORQ(at, at)

	q := selected(table, base, at)
	first := argument("first")
	out.t.store(carry(product(q.t(), first)))
	out.diff.store(q.diff())
	out.sum.store(q.sum())
	storeOne(out.z)
	ADDQ(U8(oddBits), at)
	ADDQ(U32(oddWindowBytes), table)

	Label("window")
	addMixed(out.sink(), out.source(), selected(table, base, at), m)
	ADDQ(U8(oddBits), at)
	ADDQ(U32(oddWindowBytes), table)
	CMPQ(at, U32(oddBits*oddWindows))
	JNE(LabelRef("window"))
	done()
}

// wordsAt is where the recoded scalars lie in the room of a multiplication: five vectors, behind the four elements.
const wordsAt = roomBytes

// oddWords emits the recoding: the order is added to even scalars, so that s is odd, and room gets the words of (s +
// 2^258-1)/2 = s/2 + 2^257. Its windows u of 6 bits are the digits 2u-63 of s: odd, from -63 to 63, without carries
// from one to the next, and never zero.
func oddWords(order Mem) {
	s := loadRows(strided(Load(Param("scalars"), GP64()), Load(Param("stride"), GP64())))
	one := broadcast(1)
	even := K()
	VPTESTNMQ(one, s[0], even)
	var carryIn OpmaskVirtual
	for i := range s {
		l := ZMM()
		VPBROADCASTQ_Z(order.Offset(8*i), even, l)
		VPADDQ(l, s[i], s[i])
		carryOut := K()
		VPCMPUQ(U8(1), l, s[i], carryOut) // the sum is less than a summand
		if i > 0 {
			VPADDQ(one, s[i], carryIn, s[i])
			wrapped := K()
			VPTESTNMQ(s[i], s[i], wrapped)
			KANDB(carryIn, wrapped, wrapped)
			KORB(wrapped, carryOut, carryOut)
		}
		carryIn = carryOut
	}
	base := Load(Param("room"), GP64())
	for i := range s {
		w := ZMM()
		VPSRLQ(U8(1), s[i], w)
		if i < 3 {
			high := ZMM()
			VPSLLQ(U8(63), s[i+1], high)
			VPORQ(high, w, w)
		}
		VMOVDQU64(w, Mem{Base: base, Disp: wordsAt + 64*i})
	}
	top := ZMM()
	VPADDQ(one, one, top)
	VMOVDQU64(top, Mem{Base: base, Disp: wordsAt + 64*4})
}

// selected is the entry of the window at bit position at, in each lane. Digit 2u-63 is entry u-32, or the negative of
// entry 31-u where bit 5 of u is clear.
func selected(table, base, at Register) affine {
	index, negative, upper := oddDigit(base, at)
	limb := func(part, i int) VecVirtual {
		entry := Mem{Base: table, Disp: oddLimbBytes * (limbs*part + i)}
		low, high := ZMM(), ZMM()
		for half, r := range []VecVirtual{low, high} {
			t := ZMM()
			VMOVDQU64(entry.Offset(128*half), t)
			VMOVDQA64(index, r)
			VPERMI2Q(entry.Offset(128*half+64), t, r)
		}
		return blend(upper, low, high)
	}
	var s, d element
	return affine{
		t: func() (t element) {
			for i := range t {
				n := ZMM()
				t[i] = limb(2, i)
				VPBROADCASTQ(biasTwice.at(i), n)
				VPSUBQ(t[i], n, negative, t[i])
			}
			return t
		},
		diff: func() element {
			for i := range d {
				plus, minus := limb(0, i), limb(1, i)
				d[i] = blend(negative, minus, plus)
				s[i] = blend(negative, plus, minus)
			}
			return d
		},
		sum: func() element { return s },
	}
}

// oddDigit is the index 0 to 31 of the window at bit position at, the lanes where the entry is subtracted, and those
// where the index is 16 or more.
func oddDigit(base, at Register) (index VecVirtual, negative, upper OpmaskVirtual) {
	word, shift := GP64(), GP64()
	MOVQ(at, word)
	SHRQ(U8(6), word)
	SHLQ(U8(6), word)
	ADDQ(base, word)
	MOVQ(at, shift)
	ANDQ(U8(63), shift)
	right, left, high := XMM(), XMM(), ZMM()
	index = ZMM()
	VMOVQ(shift, right)
	VMOVDQU64(Mem{Base: word, Disp: wordsAt}, index)
	VPSRLQ(right, index, index)
	NEGQ(shift)
	ADDQ(U8(64), shift)
	VMOVQ(shift, left)
	// The last window begins in word 3 and ends in word 4.
	VMOVDQU64(Mem{Base: word, Disp: wordsAt + 64}, high)
	VPSLLQ(left, high, high)
	VPORQ(high, index, index)

	negative, upper = K(), K()
	sign, low, half := broadcast(32), broadcast(31), broadcast(16)
	VPTESTNMQ(sign, index, negative)
	VPXORQ(low, index, negative, index)
	VPANDQ(low, index, index)
	VPTESTMQ(half, index, upper)
	return index, negative, upper
}
