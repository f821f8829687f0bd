package lanes

import "math/bits"

// order is l = 2^252 + c in words of 64 bits; c is its two low words.
var order = [4]uint64{0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 1 << 60}

const (
	topBits = 252 - 3*64 // bits of 2^252 in word 3
	topMask = 1<<topBits - 1
)

// reduceGeneric sets dst to x mod l, canonical, with 2^252 = -c mod l, as the kernels do it:
//
//	x = x0 + 2^252 h         h < 2^260
//	p = c*h = p0 + 2^252 g   p < 2^385, g < 2^133
//	q = c*g                  q < 2^258
//	v = x0 - p0 + q + 2l     0 < v < 2^259
//	v = v0 + 2^252 t         t < 2^7
//	r = v0 - c*t             -2^132 < r < 2^252 < l; then plus l if negative
func reduceGeneric(dst *[32]byte, x *Wide) {
	var h [5]uint64
	for i := range h {
		h[i] = x[3+i] >> topBits
		if 4+i < len(x) {
			h[i] |= x[4+i] << (64 - topBits)
		}
	}
	var p [7]uint64
	mulC(p[:], h[:])
	g := [3]uint64{p[3]>>topBits | p[4]<<4, p[4]>>topBits | p[5]<<4, p[5]>>topBits | p[6]<<4}
	var q [5]uint64
	mulC(q[:], g[:])

	v := [5]uint64{x[0], x[1], x[2], x[3] & topMask}
	var carry, borrow uint64
	for i := range v {
		v[i], carry = bits.Add64(v[i], q[i], carry)
	}
	carry = 0
	twice := [5]uint64{order[0] << 1, order[1]<<1 | order[0]>>63, order[1] >> 63, order[3] << 1, 0}
	for i := range v {
		v[i], carry = bits.Add64(v[i], twice[i], carry)
	}
	p[3] &= topMask
	p[4] = 0
	for i := range v {
		v[i], borrow = bits.Sub64(v[i], p[i], borrow)
	}

	t := v[3]>>topBits | v[4]<<4
	r := [4]uint64{v[0], v[1], v[2], v[3] & topMask}
	var u [4]uint64
	mulC(u[:3], []uint64{t})
	borrow, carry = 0, 0
	for i := range r {
		r[i], borrow = bits.Sub64(r[i], u[i], borrow)
	}
	for i := range r { // a mask, not a branch: signing reduces secrets
		r[i], carry = bits.Add64(r[i], order[i]&-borrow, carry)
	}
	putWords(dst, &r)
}

// mulC sets z to c*x, where len(z) is at least len(x)+2, or the product is known to fit.
func mulC(z, x []uint64) {
	clear(z)
	for i, a := range x {
		var carry uint64
		for j := range 2 {
			hi, lo := bits.Mul64(a, order[j])
			var c uint64
			lo, c = bits.Add64(lo, carry, 0)
			hi += c
			z[i+j], c = bits.Add64(z[i+j], lo, 0)
			carry = hi + c
		}
		z[i+2] = carry
	}
}

// reduceHash8Generic reduces eight hashes as compress8 leaves them: each word is big-endian in the hash, and the hash as a
// number is little-endian. dst may lie on state.
func reduceHash8Generic(dst *[Lanes][32]byte, state *hashState) {
	hashes := *state
	for l := range dst {
		var w Wide
		for i := range w {
			w[i] = bits.ReverseBytes64(hashes[i][l])
		}
		reduceGeneric(&dst[l], &w)
	}
}

// reduceWide8Generic reduces eight numbers below 2^512.
func reduceWide8Generic(dst *[Lanes][32]byte, wide *[Lanes][8]uint64) {
	for l := range dst {
		w := Wide(wide[l])
		reduceGeneric(&dst[l], &w)
	}
}

// mulAdd8Generic sets dst[l] to k[l]*a + r[l] mod l for any bytes; arguments may overlap in whole.
func mulAdd8Generic(dst, k, r *[Lanes][32]byte, a *[32]byte) {
	factor := *a
	for l := range dst {
		mulAddGeneric(&dst[l], &k[l], &r[l], &factor)
	}
}

func mulAddGeneric(dst, k, r, a *[32]byte) {
	kw, aw := wordsOf(k), wordsOf(a)
	var w Wide
	w.AddScalar(r)
	for i, x := range kw { // k*a + r < 2^512
		var carry uint64
		for j, y := range aw {
			hi, lo := bits.Mul64(x, y)
			var c uint64
			lo, c = bits.Add64(lo, carry, 0)
			hi += c
			w[i+j], c = bits.Add64(w[i+j], lo, 0)
			carry = hi + c
		}
		for j := i + 4; j < len(w); j++ {
			w[j], carry = bits.Add64(w[j], carry, 0)
		}
	}
	reduceGeneric(dst, &w)
}
