package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Layout of type plan of package ifma.
const (
	planSteps     = 84
	planNegative  = planSteps * 64             // masks, one word for each step, behind the addresses
	planBytes     = planNegative + planSteps*8 // whole
	entryBytes    = 96                         // y+x, y-x, 2dxy, 32 bytes each
	prefetchSteps = 6                          // how far ahead of the additions the entries are fetched
)

// walkSet emits the walk through the tables of multiples.
func walkSet() {
	declareBiases("walk")
	fetchFirst()
	walk()
	digits()
}

// entries are the table entries of eight lanes in packed form, by their addresses.
type entries struct {
	address [8]GPVirtual
	negate  OpmaskVirtual
}

func loadEntries(p plan) (e entries) {
	for i := range e.address {
		e.address[i] = GP64()
		MOVQ(p.address(i), e.address[i])
	}
	e.negate = K()
	KMOVB(p.negative(), e.negate)
	return e
}

// part transposes one 32-byte part of the entries.
func (e entries) part(i int) words {
	return loadRows(func(lane int) Mem { return Mem{Base: e.address[lane], Disp: 32 * i} })
}

// prepared is memory for the entries of one step: 2dxy in limbs, y-x and y+x in words, the sign applied.
type prepared struct {
	t         slot
	diff, sum func(i int) Mem
}

func preparedAt(base Register, disp int) prepared {
	words := func(at int) func(int) Mem {
		return func(i int) Mem { return Mem{Base: base, Disp: disp + elementBytes + 64*(at+i)} }
	}
	return prepared{t: slot{Mem{Base: base, Disp: disp}}, diff: words(0), sum: words(4)}
}

// prepare emits the transposing of entries. The negative of (y+x, y-x, 2dxy) is (y-x, y+x, -2dxy).
func (e entries) prepare(to prepared) {
	t := unpack(e.part(2))
	for i := range t {
		n := ZMM()
		VPBROADCASTQ(biasTwice.at(i), n)
		VPSUBQ(t[i], n, e.negate, t[i])
	}
	to.t.store(t)
	sum, diff := e.part(0), e.part(1)
	for i := range sum {
		VMOVDQU64(blend(e.negate, sum[i], diff[i]), to.sum(i))
		VMOVDQU64(blend(e.negate, diff[i], sum[i]), to.diff(i))
	}
}

// affine are prepared entries as points.
func (p prepared) affine() affine {
	coordinate := func(at func(int) Mem) func() element {
		return func() element {
			var w words
			for i := range w {
				w[i] = ZMM()
				VMOVDQU64(at(i), w[i])
			}
			return unpack(w)
		}
	}
	return affine{t: p.t.load, diff: coordinate(p.diff), sum: coordinate(p.sum)}
}

// plan is the place in the plan of a group: its base and the current step times 8.
type plan struct{ base, step8 Register }

func (p plan) address(lane int) Mem {
	return Mem{Base: p.base, Index: p.step8, Scale: 8, Disp: 8 * lane}
}
func (p plan) negative() Mem { return Mem{Base: p.base, Index: p.step8, Scale: 1, Disp: planNegative} }

// walk emits the sum of the entries of a plan, eight lanes at a time. Every step fetches the entries of the step
// prefetchSteps later, in the end those of the next plan: the tables live in the third-level cache or behind it, and an
// addition is shorter than the way there.
func walk() {
	kernel("walkIFMA", "func(out *Point, p, next *plan, steps int, first *Element, room *walkRoom)",
		"walkIFMA sets out to the sum of the entries of p in each lane, at least prefetchSteps+1 of them, and fetches\n"+
			"the first entries of next. first is 1/(2d). Packed entries in, reduced out.")
	loadConstants()
	out := pointArgument("out")
	m := roomArgument()
	p := plan{base: Load(Param("p"), GP64()), step8: GP64()}
	ahead := GP64()
	XORQ(p.step8, p.step8)
	LEAQ(Mem{Base: p.base, Disp: 64 * prefetchSteps}, ahead)

	prefetch(ahead)
	base := GP64()
	Load(Param("room"), base)
	entry := preparedAt(base, roomBytes)
	loadEntries(p).prepare(entry)
	q := entry.affine()
	first := argument("first")
	out.t.store(carry(product(q.t(), first)))
	out.diff.store(q.diff())
	out.sum.store(q.sum())
	storeOne(out.z)
	ADDQ(U8(8), p.step8)
	ADDQ(U8(64), ahead)
	loadEntries(p).prepare(entry)

	Label("step")
	left, next := GP64(), GP64()
	Load(Param("steps"), left)
	Load(Param("next"), next)
	SHLQ(U8(3), left)
	SUBQ(p.step8, left)
	CMPQ(left, U8(8*prefetchSteps))
	CMOVQEQ(next, ahead)
	prefetch(ahead)
	ADDQ(U8(64), ahead)
	// The entries of the next step are prepared in the middle of this one; after the last step, once more its own.
	end, last := GP64(), GP64()
	m.between = func() {
		ADDQ(U8(8), p.step8)
		Load(Param("steps"), end)
		SHLQ(U8(3), end)
		LEAQ(Mem{Base: end, Disp: -8}, last)
		following := plan{base: p.base, step8: GP64()}
		MOVQ(p.step8, following.step8)
		CMPQ(p.step8, end)
		CMOVQEQ(last, following.step8.(GPVirtual))
		loadEntries(following).prepare(entry)
	}
	addMixed(out.sink(), out.source(), entry.affine(), m)
	Load(Param("steps"), end)
	SHLQ(U8(3), end)
	CMPQ(p.step8, end)
	JNE(LabelRef("step"))
	done()
}

// fetchFirst emits the fetching of the first entries of a round, which no walk before it fetches.
func fetchFirst() {
	kernel("fetchFirstIFMA", "func(p *plan)", "fetchFirstIFMA fetches the entries of the first steps of p.")
	ahead := GP64()
	Load(Param("p"), ahead)
	for range prefetchSteps {
		prefetch(ahead)
		ADDQ(U8(64), ahead)
	}
	RET()
}

// prefetch fetches the two cache lines of the eight entries whose addresses are at ahead.
func prefetch(ahead Register) {
	for lane := range 8 {
		a := GP64()
		MOVQ(Mem{Base: ahead, Disp: 8 * lane}, a)
		PREFETCHT0(Mem{Base: a})
		PREFETCHT0(Mem{Base: a, Disp: 64})
	}
}

func storeOne(s slot) {
	z := zero()
	for i := 1; i < limbs; i++ {
		VMOVDQU64(z, s.at(i))
	}
	VMOVDQU64(broadcast(1), s.at(0))
}

// digits emits the recoding of scalars to signed digits, and of digits to addresses.
func digits() {
	order := GLOBL("order", attrReadOnly)
	for i, w := range [4]uint64{0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 1 << 60} {
		DATA(8*i, U64(w))
	}
	kernel("planDigitsIFMA",
		"func(p *plan, first int, scalars *byte, stride int, base *[8]uint64, w *window, flip uint64, room *[4]Element)",
		"planDigitsIFMA writes steps first, first+1 ... of p: for each window of w the address of the entry of the\n"+
			"digit's absolute value, and whether it is subtracted. The scalars, below the order, lie stride bytes apart;\n"+
			"base holds the address of each lane's table. With flip (all ones) the signs are the opposite.")
	var s words
	base, stride := Load(Param("scalars"), GP64()), Load(Param("stride"), GP64())
	s = loadRows(strided(base, stride))
	negative := foldScalars(s, order)
	m := Load(Param("room"), GP64())
	z := zero()
	for i := range s {
		VMOVDQU64(s[i], Mem{Base: m, Disp: 64 * i})
	}
	VMOVDQU64(z, Mem{Base: m, Disp: 64 * 4})
	flip := Load(Param("flip"), GP64())
	XORQ(flip, negative)
	digitLoop(m, negative)
}

// foldScalars replaces a scalar s of 2^251 or more by order-s, and returns the lanes where it did. So the digits need
// 252 bits: the largest is 2^251 plus 125 bits, whose top digit is no more than half the base.
func foldScalars(s words, order Mem) GPVirtual {
	var d words
	var borrow OpmaskVirtual
	ones := broadcast(^uint64(0))
	for i := range s {
		l, t := ZMM(), ZMM()
		VPBROADCASTQ(order.Offset(8*i), l)
		d[i] = t
		VPSUBQ(s[i], l, t)
		b := K()
		VPCMPUQ(U8(1), s[i], l, b) // l < s
		if i > 0 {
			both := K()
			zeroLanes := K()
			VPTESTNMQ(t, t, zeroLanes)
			KANDB(borrow, zeroLanes, both)
			VPADDQ(ones, t, borrow, t)
			KORB(both, b, b)
		}
		borrow = b
	}
	big := K()
	bound := broadcast(1 << 59)
	VPCMPUQ(U8(5), bound, s[3], big) // s[3] >= bound
	for i := range s {
		VMOVDQA64(d[i], big, s[i])
	}
	r := GP64()
	KMOVB(big, r.As32())
	return r
}

// digitLoop emits one round for each window. A digit d of w bits (with the carry of the one below) above 2^(w-1)
// becomes 2^w-d, subtracted, and carries 1.
func digitLoop(m Register, negative GPVirtual) {
	p := Load(Param("p"), GP64())
	step := Load(Param("first"), GP64())
	w := Load(Param("w"), GP64())
	addresses, signs := GP64(), GP64()
	MOVQ(step, addresses)
	SHLQ(U8(6), addresses)
	ADDQ(p, addresses)
	LEAQ(Mem{Base: p, Index: step, Scale: 8, Disp: planNegative}, signs)

	table, advance := ZMM(), ZMM()
	tables := Load(Param("base"), GP64())
	VMOVDQU64(Mem{Base: tables}, table)
	bits, left := GP64(), GP64()
	MOVQ(Mem{Base: w, Disp: 0}, bits)
	MOVQ(Mem{Base: w, Disp: 8}, left)
	VPBROADCASTQ(Mem{Base: w, Disp: 16}, advance)
	base, mask, half, carries := ZMM(), ZMM(), ZMM(), zero()
	VPBROADCASTQ(Mem{Base: w, Disp: 24}, base)
	VPBROADCASTQ(Mem{Base: w, Disp: 32}, mask)
	VPBROADCASTQ(Mem{Base: w, Disp: 40}, half)
	one := broadcast(1)
	at := GP64()
	XORQ(at, at)

	Label("window")
	word, shift := GP64(), GP64()
	MOVQ(at, word)
	SHRQ(U8(6), word)
	SHLQ(U8(6), word)
	ADDQ(m, word)
	MOVQ(at, shift)
	ANDQ(U8(63), shift)
	right, digit, upper := XMM(), ZMM(), ZMM()
	VMOVQ(shift, right)
	VMOVDQU64(Mem{Base: word}, digit)
	VPSRLQ(right, digit, digit)
	NEGQ(shift)
	ADDQ(U8(64), shift)
	left64 := XMM()
	VMOVQ(shift, left64)
	VMOVDQU64(Mem{Base: word, Disp: 64}, upper)
	VPSLLQ(left64, upper, upper)
	VPTERNLOGQ(U8(orThenAnd), mask, upper, digit)
	VPADDQ(carries, digit, digit)
	above := K()
	VPCMPUQ(U8(6), half, digit, above) // digit > half
	VPSUBQ(digit, base, above, digit)
	VMOVDQA64_Z(one, above, carries)
	sign := GP64()
	KMOVB(above, sign.As32())
	XORQ(negative, sign)
	MOVQ(sign, Mem{Base: signs})

	// digit * 96 = digit*64 + digit*32
	times64 := ZMM()
	VPSLLQ(U8(6), digit, times64)
	VPSLLQ(U8(5), digit, digit)
	VPADDQ(times64, digit, digit)
	VPADDQ(table, digit, digit)
	VMOVDQU64(digit, Mem{Base: addresses})
	VPADDQ(advance, table, table)
	ADDQ(U8(64), addresses)
	ADDQ(U8(8), signs)
	ADDQ(bits, at)
	DECQ(left)
	JNZ(LabelRef("window"))
	done()
}
