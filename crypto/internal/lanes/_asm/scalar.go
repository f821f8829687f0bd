package main

import (
	"math/big"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Scalars are integers mod l = 2^252 + c, in radix 2^52; limbs of an input are below 2^52 unless said otherwise.
const (
	radixBits = 52
	topBits   = 252 - 4*radixBits // bits of 2^252 that lie in limb 4
)

// order returns l.
func order() *big.Int {
	c, _ := new(big.Int).SetString("27742317777372353535851937790883648493", 10)
	return c.Add(c, new(big.Int).Lsh(big.NewInt(1), 252))
}

// limbs splits a number into n limbs of some bits; the last one takes the rest.
func limbs(x *big.Int, n int, bits uint) []uint64 {
	x = new(big.Int).Set(x)
	mask := new(big.Int).SetUint64(1<<bits - 1)
	v := make([]uint64, n)
	for i := range v {
		v[i] = x.Uint64()
		if i < n-1 {
			v[i] = new(big.Int).And(x, mask).Uint64()
			x.Rsh(x, bits)
		}
	}
	return v
}

// words splits a number into n words of 64 bits.
func words(x *big.Int, n int) []uint64 {
	v := make([]uint64, n)
	for i := range v {
		shifted := new(big.Int).Rsh(x, uint(64*i))
		v[i] = shifted.And(shifted, new(big.Int).SetUint64(1<<64-1)).Uint64()
	}
	return v
}

// constants are kept in registers through a whole kernel.
type constants struct {
	mask VecVirtual   // 2^52 - 1
	top  VecVirtual   // 2^44 - 1
	c    []VecVirtual // l - 2^252, three limbs: 52, 52 and 21 bits
}

func loadConstants() constants {
	k := constants{mask: broadcast(1<<radixBits - 1), top: broadcast(1<<topBits - 1)}
	for _, w := range limbs(order(), 5, radixBits)[:3] {
		k.c = append(k.c, broadcast(w))
	}
	return k
}

// split turns words of 64 bits into limbs of 52; the words stay.
func (k constants) split(w []VecVirtual, n int) []VecVirtual {
	x := zmms(n)
	for i := range x {
		bit := radixBits * i
		q, shift := bit/64, bit%64
		switch {
		case shift == 0:
			VPANDQ(k.mask, w[q], x[i])
		case q == len(w)-1: // no word above; at most 52 bits are left
			VPSRLQ(U8(shift), w[q], x[i])
		case shift <= 64-radixBits:
			VPSRLQ(U8(shift), w[q], x[i])
			VPANDQ(k.mask, x[i], x[i])
		default:
			VPSHRDQ(U8(shift), w[q+1], w[q], x[i])
			VPANDQ(k.mask, x[i], x[i])
		}
	}
	return x
}

// join is the inverse of split for five limbs that hold less than 2^256.
func join(x []VecVirtual) []VecVirtual {
	w := zmms(4)
	for i := range w {
		low := ZMM()
		if i == 0 {
			move(x[0], low)
		} else {
			VPSRLQ(U8(12*i), x[i], low)
		}
		VPSLLQ(U8(52-12*i), x[i+1], w[i])
		VPORQ(low, w[i], w[i])
	}
	return w
}

// above returns n limbs of x >> 252, where x starts at limb 4 of the number.
func (k constants) above(x []VecVirtual, n int) []VecVirtual {
	h := zmms(n)
	for i := range h {
		VPSRLQ(U8(topBits), x[i], h[i])
		if i+1 < len(x) {
			high := ZMM()
			VPSLLQ(U8(radixBits-topBits), x[i+1], high)
			VPTERNLOGQ(U8(ternOrAnd), k.mask, high, h[i])
		}
	}
	return h
}

// carry makes limbs of 52 bits out of signed sums; the last one keeps the sign.
func (k constants) carry(x []VecVirtual) {
	for i := range len(x) - 1 {
		c := ZMM()
		VPSRAQ(U8(radixBits), x[i], c)
		VPANDQ(k.mask, x[i], x[i])
		VPADDQ(c, x[i+1], x[i+1])
	}
}

// multiply returns the columns of a*b, not carried: a column holds at most 2*min(len(a), len(b)) terms below 2^52.
// Low and high halves go to separate accumulators, so that no chain of VPMADD52 is longer than it must be.
func multiply(a, b []VecVirtual) []VecVirtual {
	n := len(a) + len(b)
	z := zmms(n)
	for _, v := range z {
		zero(v)
	}
	for i := range a {
		for j := range b {
			VPMADD52LUQ(b[j], a[i], z[i+j])
		}
		for j := range b {
			VPMADD52HUQ(b[j], a[i], z[i+j+1])
		}
	}
	return z
}

// reduce returns x mod l, in [0, l), for ten limbs x < 2^512. With 2^252 = -c mod l:
//
//	x = x0 + 2^252 h         h < 2^260
//	p = c*h = p0 + 2^252 g   p < 2^385, g < 2^133
//	q = c*g                  q < 2^258
//	v = x0 - p0 + q + 2l     congruent to x; 0 < v < 2^259, since x0, p0 < 2^252 and 2l > 2^253
//	v = v0 + 2^252 t         t < 2^7
//	r = v0 - c*t             -2^132 < r < 2^252 < l
//
// so r, or r + l when r is negative, is canonical. The instructions and addresses do not depend on x.
func (k constants) reduce(x []VecVirtual) []VecVirtual {
	h := k.above(x[4:10], 5)
	p := multiply(h, k.c)
	k.carry(p)
	g := k.above(p[4:8], 3)
	q := multiply(g, k.c)[:5] // column 5 is the high half of g2*c2 < 2^29 * 2^21: zero

	v := x[:5]
	VPANDQ(k.top, v[4], v[4])
	VPANDQ(k.top, p[4], p[4])
	l := order()
	twice := limbs(new(big.Int).Lsh(l, 1), 5, radixBits)
	for i := range v { // |v[i]| < 2^56
		VPADDQ(q[i], v[i], v[i])
		VPSUBQ(p[i], v[i], v[i])
		if twice[i] != 0 {
			VPADDQ_BCST(table("twiceOrder", twice...).Offset(8*i), v[i], v[i])
		}
	}
	k.carry(v)

	t := ZMM()
	VPSRLQ(U8(topBits), v[4], t)
	VPANDQ(k.top, v[4], v[4])
	u := multiply([]VecVirtual{t}, k.c)[:3] // column 3 is the high half of t*c2 < 2^28: zero
	for i := range u {
		VPSUBQ(u[i], v[i], v[i])
	}
	k.carry(v)

	negative := K()
	VPMOVQ2M(v[4], negative)
	for i, w := range limbs(l, 5, radixBits) {
		if w != 0 {
			VPADDQ_BCST(table("order", limbs(l, 5, radixBits)...).Offset(8*i), v[i], negative, v[i])
		}
	}
	k.carry(v)
	return v
}

// reduceHash8 reduces eight hashes as compress8 leaves them.
func reduceHash8() {
	TEXT("reduceHash8AVX512", noSplit, "func(dst *[8][32]byte, state *[8][8]uint64)")
	Pragma("noescape")
	Doc("reduceHash8AVX512 is the kernel behind reduceHash8.")
	dst := Load(Param("dst"), GP64())
	state := Load(Param("state"), GP64())
	k := loadConstants()
	swap := byteSwap()
	w := zmms(8)
	for i := range w { // the hash is a string of big-endian words, and as a number little-endian
		move(at(state, row*i), w[i])
		VPSHUFB(swap, w[i], w[i])
	}
	scatter4(join(k.reduce(k.split(w, 10))), dst, loadPairs())
	VZEROUPPER()
	RET()
}

// reduceWide8 reduces eight little-endian numbers of 512 bits.
func reduceWide8() {
	TEXT("reduceWide8AVX512", noSplit, "func(dst *[8][32]byte, wide *[8][8]uint64)")
	Pragma("noescape")
	Doc("reduceWide8AVX512 is the kernel behind reduceWide8.")
	dst := Load(Param("dst"), GP64())
	wide := Load(Param("wide"), GP64())
	rows := zmms(lanes)
	for l, r := range rows {
		move(at(wide, row*l), r)
	}
	w := transpose8(rows)
	k := loadConstants()
	scatter4(join(k.reduce(k.split(w, 10))), dst, loadPairs())
	VZEROUPPER()
	RET()
}

// mulAdd8 multiplies eight scalars by one and adds eight. k*a + r <= (2^256-1)^2 + 2^256-1 < 2^512, so any bytes will do.
func mulAdd8() {
	TEXT("mulAdd8AVX512", noSplit, "func(dst *[8][32]byte, k *[8][32]byte, r *[8][32]byte, a *[32]byte)")
	Pragma("noescape")
	Doc("mulAdd8AVX512 is the kernel behind mulAdd8.")
	dst := Load(Param("dst"), GP64())
	kPtr := Load(Param("k"), GP64())
	rPtr := Load(Param("r"), GP64())
	aPtr := Load(Param("a"), GP64())

	c := constants{mask: broadcast(1<<radixBits - 1)}
	p := loadPairs()
	aWords := zmms(4)
	for i, w := range aWords {
		VPBROADCASTQ(at(aPtr, 8*i), w)
	}
	a := c.split(aWords, 5)
	k := c.split(gather4(contiguous(kPtr, 32), p), 5)
	z := multiply(a, k) // columns below 10 * 2^52
	for i, r := range c.split(gather4(contiguous(rPtr, 32), p), 5) {
		VPADDQ(r, z[i], z[i])
	}
	c.carry(z)
	full := loadConstants()
	scatter4(join(full.reduce(z)), dst, p)
	VZEROUPPER()
	RET()
}
