package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// combColumns is the number of digits of a quarter of a scalar.
const combColumns = 64

// combSet emits multiples of points by columns of their scalars.
func combSet() {
	declareBiases("comb")
	comb()
}

// combRoom is the memory of a multiplication: type combRoom of package ifma.
type combRoom struct {
	m         room
	entry     point
	scalars   func(word int) Mem
	addresses func(lane int) Mem
}

func combRoomAt(base Register) combRoom {
	words := roomBytes + pointBytes
	return combRoom{
		m: roomAt(base, 0), entry: pointAt(base, roomBytes),
		scalars:   func(word int) Mem { return Mem{Base: base, Disp: words + 64*word} },
		addresses: func(lane int) Mem { return Mem{Base: base, Disp: words + 4*64 + 8*lane} },
	}
}

// comb emits 64 times a doubling and an addition. The entry to be added is brought into vectors in the middle of the
// doubling, where it fills the wait for a product.
func comb() {
	kernel("combIFMA", "func(out *Point, table *byte, scalars *Words, room *combRoom)",
		"combIFMA adds to 2^64 times out, in each lane, the entries of the columns of a scalar, the highest first: bit i\n"+
			"of words 0, 1 and 2 picks the entry, by whether it equals bit i of word 3, and a 1 there negates it. Lanes of\n"+
			"the table lie 8 entries apart; an entry is (Y+X, Y-X, Z, 2dT). Out loose, entries reduced in; reduced out.")
	loadConstants()
	p := pointArgument("out")
	scalars := Load(Param("scalars"), GP64())
	r := combRoomAt(Load(Param("room"), GP64()))
	sign := ZMM()
	VMOVDQU64(Mem{Base: scalars, Disp: 3 * 64}, sign)
	VMOVDQU64(sign, r.scalars(3))
	for i := range 3 {
		same := ZMM()
		VMOVDQU64(Mem{Base: scalars, Disp: 64 * i}, same)
		VPTERNLOGQ(U8(equalBits), same, sign, same)
		VMOVDQU64(same, r.scalars(i))
	}
	n := GP64()
	MOVQ(U64(combColumns), n)

	Label("column")
	combAddresses(r)
	m := r.m
	m.between = func() { combEntry(r) }
	doublePoint(p.sink(), p, m)
	addEntry(p.sink(), p, r.entry, r.m)
	DECQ(n)
	JNZ(LabelRef("column"))
	done()
}

// equalBits is the truth table of ^(a^b) for VPTERNLOGQ, whatever the third operand is.
const equalBits = 0xc3

// combAddresses emits the addresses of the entries of the highest column, and shifts the words by one.
func combAddresses(r combRoom) {
	lanes := GLOBL("combLanes", attrReadOnly)
	for i := range 8 {
		DATA(8*i, U64(i*8*bucketBytes))
	}
	table, address := GP64(), ZMM()
	Load(Param("table"), table)
	VPBROADCASTQ(table, address)
	VPADDQ(lanes, address, address)
	for i := range 3 {
		word, bit, offset := ZMM(), ZMM(), ZMM()
		VMOVDQU64(r.scalars(i), word)
		VPSRLQ(U8(63), word, bit)
		VPADDQ(word, word, word)
		VMOVDQU64(word, r.scalars(i))
		VPSLLQ(U8(7+i), bit, offset) // an entry is 160 = 128 + 32 bytes
		VPADDQ(offset, address, address)
		VPSLLQ(U8(5+i), bit, offset)
		VPADDQ(offset, address, address)
	}
	VMOVDQU64(address, r.addresses(0))
}

// combEntry emits the transposing of the entries at the addresses, with their signs, and shifts the word of signs.
func combEntry(r combRoom) {
	word, negative := ZMM(), K()
	VMOVDQU64(r.scalars(3), word)
	VPMOVQ2M(word, negative)
	VPADDQ(word, word, word)
	VMOVDQU64(word, r.scalars(3))
	var address [8]GPVirtual
	for i := range address {
		address[i] = GP64()
		MOVQ(r.addresses(i), address[i])
	}
	part := func(k int) words {
		return loadRows(func(lane int) Mem { return Mem{Base: address[lane], Disp: 32 * k} })
	}
	last := part(4)
	sum, diff := part(0), part(1)
	for i := range limbs {
		s, d := last[0], last[1]
		if i < 4 {
			s, d = sum[i], diff[i]
		}
		VMOVDQU64(blend(negative, s, d), r.entry.sum.at(i))
		VMOVDQU64(blend(negative, d, s), r.entry.diff.at(i))
	}
	z := part(2)
	t := part(3)
	for i := range limbs {
		zi, ti := last[2], last[3]
		if i < 4 {
			zi, ti = z[i], t[i]
		}
		VMOVDQU64(zi, r.entry.z.at(i))
		twoP := ZMM()
		VPBROADCASTQ(biasTwice.at(i), twoP)
		VPSUBQ(ti, twoP, negative, ti)
		VMOVDQU64(ti, r.entry.t.at(i))
	}
}

// addEntry emits out = p + q in eight multiplications, where T of q has been multiplied by 2d: all loose in, reduced
// out.
func addEntry(out pointSink, p, q point, m room) {
	t := product(p.t.load(), q.t)
	z2 := product(p.z.load(), q.z)
	z2 = sum(z2, z2)
	f := carry(difference(z2, t, biasRaw))
	g := carry(sum(z2, t))
	m.f.store(f)
	m.g.store(g)
	finishAddition(out, product(p.diff.load(), q.diff), func() element { return product(p.sum.load(), q.sum) }, m)
}
