package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/mmcloughlin/avo/x86"
)

const (
	lanes    = 8  // 64-bit lanes of a 512-bit register
	row      = 64 // bytes of a 512-bit register
	noSplit  = 4  // attr.NOSPLIT
	readOnly = 24 // attr.RODATA | attr.NOPTR
)

// Truth tables of VPTERNLOGQ; the destination is the first input.
const (
	ternXor3     = 0x96 // a ^ b ^ c
	ternChoose   = 0xca // a ? b : c
	ternMajority = 0xe8 // at least two of a, b, c
	ternOrAnd    = 0xa8 // (a | b) & c
)

// Predicates of VPCMPUQ: VPCMPUQ(pred, b, a, k) sets k where a pred b.
const (
	cmpLess         = 1
	cmpGreaterEqual = 5
)

func zmms(n int) []VecVirtual {
	v := make([]VecVirtual, n)
	for i := range v {
		v[i] = ZMM()
	}
	return v
}

func at(base Register, offset int) Mem { return Mem{Base: base, Disp: offset} }

func move(src, dst Op) { VMOVDQU64(src, dst) }

// zero clears v. The generator's tables do not know that this reads nothing; without the flag v would be live from the
// start of the kernel.
func zero(v VecVirtual) {
	i, err := x86.VPXORQ(v, v, v)
	if err != nil {
		panic(err)
	}
	i.CancellingInputs = true
	Instruction(i)
}

// broadcast fills all lanes with a constant.
func broadcast(c uint64) VecVirtual {
	v, r := ZMM(), GP64()
	MOVQ(U64(c), r)
	VPBROADCASTQ(r, v)
	return v
}

var tables = map[string]Mem{}

// table emits a read-only table of quadwords, once for each name.
func table(name string, words ...uint64) Mem {
	if m, ok := tables[name]; ok {
		return m
	}
	m := GLOBL(name, readOnly)
	tables[name] = m
	for i, w := range words {
		DATA(8*i, U64(w))
	}
	return m
}

// transpose8 transposes eight rows of eight quadwords: result j holds quadword j of row l in lane l. The rows are
// destroyed. 24 shuffles.
func transpose8(r []VecVirtual) []VecVirtual {
	t, u, w := zmms(8), zmms(8), zmms(8)
	for i := 0; i < 8; i += 2 { // pairs of rows, 2x2 blocks
		VPUNPCKLQDQ(r[i+1], r[i], t[i])
		VPUNPCKHQDQ(r[i+1], r[i], t[i+1])
	}
	for k := 0; k < 8; k += 4 { // quadruples of rows; h is the parity of the column
		for h := range 2 {
			VSHUFI64X2(U8(0x88), t[k+2+h], t[k+h], u[k+h])   // columns h, h+4
			VSHUFI64X2(U8(0xdd), t[k+2+h], t[k+h], u[k+2+h]) // columns h+2, h+6
		}
	}
	for h := range 4 { // all eight rows
		VSHUFI64X2(U8(0x88), u[4+h], u[h], w[h])
		VSHUFI64X2(U8(0xdd), u[4+h], u[h], w[h+4])
	}
	return w
}

// pairs holds the indices with which VPERMT2Q moves between rows of four quadwords and lanes, in both directions.
type pairs struct{ even, odd VecVirtual }

func loadPairs() pairs {
	p := pairs{ZMM(), ZMM()}
	move(table("pairsEven", 0, 1, 8, 9, 4, 5, 12, 13), p.even)
	move(table("pairsOdd", 2, 3, 10, 11, 6, 7, 14, 15), p.odd)
	return p
}

// sideBySide loads two pieces of 32 bytes. (A plain load of the low half would leave the high half undefined.)
func sideBySide(low, high Mem, v VecVirtual) {
	VBROADCASTI64X4(low, v)
	VINSERTI64X4(U8(1), high, v, v)
}

// gather4 reads eight rows of four quadwords; result j holds quadword j of row l in lane l. 4 inserts, 8 shuffles.
func gather4(rows [lanes]Mem, p pairs) []VecVirtual {
	q := zmms(4)
	for i := range q { // rows i and i+4 side by side
		sideBySide(rows[i], rows[i+4], q[i])
	}
	w := zmms(4)
	hi := zmms(2)
	VPUNPCKLQDQ(q[1], q[0], w[0])
	VPUNPCKHQDQ(q[1], q[0], w[1])
	VPUNPCKLQDQ(q[3], q[2], hi[0])
	VPUNPCKHQDQ(q[3], q[2], hi[1])
	for h := range 2 {
		move(w[h], w[h+2])
		VPERMT2Q(hi[h], p.even, w[h])
		VPERMT2Q(hi[h], p.odd, w[h+2])
	}
	return w
}

// scatter4 is the inverse of gather4; rows lie side by side, 32 bytes each, from dst on.
func scatter4(w []VecVirtual, dst Register, p pairs) {
	for h := range 2 { // rows h, h+4 and h+2, h+6
		lo, hi, lo2 := ZMM(), ZMM(), ZMM()
		if h == 0 {
			VPUNPCKLQDQ(w[1], w[0], lo)
			VPUNPCKLQDQ(w[3], w[2], hi)
		} else {
			VPUNPCKHQDQ(w[1], w[0], lo)
			VPUNPCKHQDQ(w[3], w[2], hi)
		}
		move(lo, lo2)
		VPERMT2Q(hi, p.even, lo)
		VPERMT2Q(hi, p.odd, lo2)
		VMOVDQU(lo.AsY(), at(dst, 32*h))
		VEXTRACTI64X4(U8(1), lo, at(dst, 32*(h+4)))
		VMOVDQU(lo2.AsY(), at(dst, 32*(h+2)))
		VEXTRACTI64X4(U8(1), lo2, at(dst, 32*(h+6)))
	}
}

// contiguous names eight rows of n bytes that lie side by side.
func contiguous(base Register, n int) (rows [lanes]Mem) {
	for l := range rows {
		rows[l] = at(base, n*l)
	}
	return rows
}
