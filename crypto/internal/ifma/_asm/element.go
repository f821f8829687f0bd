package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/mmcloughlin/avo/x86"
)

// A limb vector is one limb of eight field elements: a ZMM register, or 64 bytes in memory. A field element of eight
// lanes is five of them, least significant first, 51 bits each; in memory they lie 64 bytes apart (320 bytes).
const (
	limbs        = 5
	limbBytes    = 64
	elementBytes = limbs * limbBytes
)

// element is a field element in registers.
type element [limbs]VecVirtual

// constants are the registers that every arithmetic kernel keeps: 2^51-1 and 19, in all lanes.
type constants struct{ mask, nineteen VecVirtual }

// c holds the constants of the kernel that is being written.
var c constants

// broadcast fills a new register with v in all lanes.
func broadcast(v uint64) VecVirtual {
	t, z := GP64(), ZMM()
	MOVQ(U64(v), t)
	VPBROADCASTQ(t, z)
	return z
}

// loadConstants emits the loading of c. It comes first in every arithmetic kernel.
func loadConstants() {
	c = constants{mask: broadcast(1<<51 - 1), nineteen: broadcast(19)}
}

// zero returns a new register of zeros.
func zero() VecVirtual {
	z := ZMM()
	i, err := x86.VPXORQ(z, z, z)
	must(err)
	i.CancellingInputs = true // the generator knows this of the older encodings only
	Instruction(i)
	return z
}

// lowHalf returns a new register with 32 bytes of memory in its lower half, and zeros above.
func lowHalf(m Mem) VecVirtual {
	y := YMM()
	i, err := x86.VMOVDQU64(m, y)
	must(err)
	i.Outputs = []Op{y.AsZ()} // the whole register is written, not only what the operand names
	Instruction(i)
	return y.AsZ().(VecVirtual)
}

// blend returns a new register: b in the lanes of k, a in the others.
func blend(k OpmaskVirtual, a, b VecVirtual) VecVirtual {
	z := ZMM()
	i, err := x86.VPBLENDMQ(b, a, k, z)
	must(err)
	i.Inputs = []Op{a, b, k} // not the destination, which the generator takes for merged
	Instruction(i)
	return z
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// source is an operand of a multiplication whose limbs are taken one at a time: a register or memory.
type source interface{ limb(i int) VecVirtual }

func (e element) limb(i int) VecVirtual { return e[i] }

// slot is a field element in memory.
type slot struct{ Mem }

func (s slot) limb(i int) VecVirtual {
	z := ZMM()
	VMOVDQU64(s.at(i), z)
	return z
}

// at is the memory operand of limb i.
func (s slot) at(i int) Mem { return s.Offset(limbBytes * i) }

// load brings the element into registers.
func (s slot) load() (e element) {
	for i := range e {
		e[i] = s.limb(i)
	}
	return e
}

// store writes the element.
func (s slot) store(e element) {
	for i := range e {
		VMOVDQU64(e[i], s.at(i))
	}
}

// slots returns the n consecutive elements that start at disp bytes behind base.
func slots(base Register, disp, n int) []slot {
	s := make([]slot, n)
	for i := range s {
		s[i] = slot{Mem{Base: base, Disp: disp + elementBytes*i}}
	}
	return s
}

// carry takes one pass of carries over all limbs at once, in place: any limbs below 2^63 in, reduced out.
// The carries are below 2^12; the highest comes back 19-fold: limb 0 is below 2^51 + 19*2^12, the others below
// 2^51 + 2^12.
func carry(r element) element {
	var over element
	for i := range r {
		over[i] = ZMM()
		VPSRLQ(U8(51), r[i], over[i])
		VPANDQ(c.mask, r[i], r[i])
	}
	VPMADD52LUQ(c.nineteen, over[4], r[0])
	for i := range 4 {
		VPADDQ(over[i], r[i+1], r[i+1])
	}
	return r
}

// columns are the ten column sums of a product of five by five limbs. A column is zeroed where it is first used.
type columns [2 * limbs]VecVirtual

func (z *columns) add(hi bool, x, y VecVirtual, i int) {
	if z[i] == nil {
		z[i] = zero()
	}
	if hi {
		VPMADD52HUQ(y, x, z[i])
	} else {
		VPMADD52LUQ(y, x, z[i])
	}
}

// double doubles the columns from first to last.
func (z *columns) double(first, last int) {
	for i := first; i <= last; i++ {
		VPADDQ(z[i], z[i], z[i])
	}
}

// fold multiplies the upper five columns by 19 (2^255 = 19 mod p) and adds them to the lower five.
func (z *columns) fold() (r element) {
	for i := range r {
		t := ZMM()
		VPMULLQ(c.nineteen, z[i+limbs], t)
		VPADDQ(t, z[i], z[i])
		r[i] = z[i]
	}
	return r
}

// product is a*b without carries: loose limbs (below 2^52) in, raw limbs out.
//
// The high half of the 104-bit product of limbs i and j weighs 2^52, which is twice the weight of column i+j+1, so the
// high halves are summed first and doubled once. Column k then holds at most 5 low and 2*5 high halves. The worst limb
// is 0: (1 + 19*14) * 2^52 = 267 * 2^52 < 2^60.1.
//
// Rows are the limbs of b: five instructions in a row add to five different columns, so that none waits for the one
// before it.
func product(a element, b source) element {
	var z columns
	for j := range limbs {
		y := b.limb(j)
		for i := range limbs {
			z.add(true, a[i], y, i+j+1)
		}
	}
	z.double(1, 9)
	for j := range limbs {
		y := b.limb(j)
		for i := range limbs {
			z.add(false, a[i], y, i+j)
		}
	}
	return z.fold()
}

// squareRaw is a*a without carries: loose limbs in, raw limbs out, with the bounds of product. The mixed terms are
// summed once and doubled.
func squareRaw(a element) element {
	var z columns
	mixed := [][2]int{{0, 1}, {0, 2}, {0, 3}, {0, 4}, {1, 4}, {2, 4}, {3, 4}, {1, 2}, {1, 3}, {2, 3}}
	for _, m := range mixed {
		z.add(true, a[m[0]], a[m[1]], m[0]+m[1]+1)
	}
	z.double(2, 8)
	for i := range limbs {
		z.add(true, a[i], a[i], 2*i+1)
	}
	for _, m := range mixed {
		z.add(false, a[m[0]], a[m[1]], m[0]+m[1])
	}
	z.double(1, 9)
	for i := range limbs {
		z.add(false, a[i], a[i], 2*i)
	}
	return z.fold()
}

// sum adds y to x in place, without carries.
func sum(x element, y element) element {
	for i := range x {
		VPADDQ(y[i], x[i], x[i])
	}
	return x
}

// bias is a multiple of p, limb by limb: factor * (2^51-19, 2^51-1, ...). It is added before a subtraction so that no
// limb goes below zero. Limb 0 lies at offset 0, the value of the others at offset 8.
type bias struct{ Mem }

func newBias(name string, factor uint64) bias {
	m := GLOBL(name, attrReadOnly)
	DATA(0, U64(factor*(1<<51-19)))
	DATA(8, U64(factor*(1<<51-1)))
	return bias{m}
}

func (b bias) at(i int) Mem {
	if i == 0 {
		return b.Mem
	}
	return b.Offset(8)
}

// difference is x-y plus the bias, into new registers, without carries.
func difference(x, y element, b bias) (d element) {
	for i := range d {
		d[i] = ZMM()
		VPADDQ_BCST(b.at(i), x[i], d[i])
		VPSUBQ(y[i], d[i], d[i])
	}
	return d
}
