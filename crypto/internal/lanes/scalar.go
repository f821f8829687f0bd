package lanes

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// Wide is a number below 2^512, in words of 64 bits, the lowest first: a hash, a product, or a sum of products.
type Wide [8]uint64

// AddProduct adds z*k, for any z below 2^128 and k below 2^256. A product is below 2^384, so a Wide holds any number of
// them that a machine could add (2^128). Time does not depend on the values.
func (w *Wide) AddProduct(z *[16]byte, k *[32]byte) {
	k0, k1 := binary.LittleEndian.Uint64(k[:]), binary.LittleEndian.Uint64(k[8:])
	k2, k3 := binary.LittleEndian.Uint64(k[16:]), binary.LittleEndian.Uint64(k[24:])
	for i := range 2 {
		x := binary.LittleEndian.Uint64(z[8*i:])
		h0, l0 := bits.Mul64(x, k0)
		h1, l1 := bits.Mul64(x, k1)
		h2, l2 := bits.Mul64(x, k2)
		h3, l3 := bits.Mul64(x, k3)
		var c uint64
		l1, c = bits.Add64(l1, h0, 0) // the five words of x*k; the top one does not wrap
		l2, c = bits.Add64(l2, h1, c)
		l3, c = bits.Add64(l3, h2, c)
		h3 += c
		w[i], c = bits.Add64(w[i], l0, 0)
		w[i+1], c = bits.Add64(w[i+1], l1, c)
		w[i+2], c = bits.Add64(w[i+2], l2, c)
		w[i+3], c = bits.Add64(w[i+3], l3, c)
		w[i+4], c = bits.Add64(w[i+4], h3, c)
		w[i+5], c = bits.Add64(w[i+5], 0, c)
		w[i+6], c = bits.Add64(w[i+6], 0, c)
		w[7] += c * uint64(1-i) // for i = 1, word 7 was the last one
	}
}

// AddScalar adds s to w.
func (w *Wide) AddScalar(s *[32]byte) {
	var carry uint64
	for i, x := range wordsOf(s) {
		w[i], carry = bits.Add64(w[i], x, carry)
	}
	for i := 4; i < len(w); i++ {
		w[i], carry = bits.Add64(w[i], 0, carry)
	}
}

// Reduce sets dst to wide mod l, canonical; wide is little-endian. Time does not depend on the value.
func Reduce(dst *[32]byte, wide *[64]byte) {
	var w Wide
	for i := range w {
		w[i] = binary.LittleEndian.Uint64(wide[8*i:])
	}
	reduceGeneric(dst, &w)
}

// ReduceWide sets dst[i] to wide[i] mod l, canonical. The slices have the same length, or it panics.
func ReduceWide(dst [][32]byte, wide []Wide, s *Scratch) {
	if len(dst) != len(wide) {
		panic("lanes: ReduceWide: slices of different lengths")
	}
	for ; len(dst) >= Lanes; dst, wide = dst[Lanes:], wide[Lanes:] {
		reduceWide8((*[Lanes][32]byte)(dst), wideRows((*[Lanes]Wide)(wide)))
	}
	switch {
	case len(dst) == 0:
	case len(dst) <= 2: // eight lanes cost about as much as two by themselves
		for i := range dst {
			reduceGeneric(&dst[i], &wide[i])
		}
	default:
		w := s.work()
		copy(w.wide[:], wide)
		reduceWide8((*[Lanes][32]byte)(w.scalars[:]), wideRows(&w.wide))
		copy(dst, w.scalars[:])
	}
}

func wideRows(w *[Lanes]Wide) *[Lanes][8]uint64 { return (*[Lanes][8]uint64)(unsafe.Pointer(w)) }

// MulAdd sets dst[i] to k[i]*a + r[i] mod l, canonical: the last step of signing, where a is the secret scalar (any 32
// bytes, clamped or not) and r the secret nonces. dst, k and r have the same length, or it panics; dst may be k or r.
// Time and addresses depend only on that length; what it put into s is wiped.
func MulAdd(dst, k, r [][32]byte, a *[32]byte, s *Scratch) {
	n := len(dst)
	if len(k) != n || len(r) != n {
		panic("lanes: MulAdd: slices of different lengths")
	}
	for ; n >= Lanes; n -= Lanes {
		mulAdd8((*[Lanes][32]byte)(dst), (*[Lanes][32]byte)(k), (*[Lanes][32]byte)(r), a)
		dst, k, r = dst[Lanes:], k[Lanes:], r[Lanes:]
	}
	if n == 0 {
		return
	}
	w := s.work()
	factors := (*[Lanes][32]byte)(w.scalars[:])
	copy(factors[:], k)
	copy(w.addends[:], r)
	mulAdd8(factors, factors, &w.addends, a)
	copy(dst, factors[:])
	clear(w.scalars[:])
	clear(w.addends[:])
}

// IsCanonical reports whether s < l, as RFC 8032 and ZIP-215 ask of the S of a signature. Its time depends on s, which is
// public there.
func IsCanonical(s *[32]byte) bool {
	if s[31] < byte(order[3]>>56) { // all but one in 2^126 of honest scalars
		return true
	}
	w := wordsOf(s)
	var borrow uint64
	for i := range w {
		_, borrow = bits.Sub64(w[i], order[i], borrow)
	}
	return borrow == 1
}

func wordsOf(s *[32]byte) [4]uint64 {
	return [4]uint64{
		binary.LittleEndian.Uint64(s[:]), binary.LittleEndian.Uint64(s[8:]),
		binary.LittleEndian.Uint64(s[16:]), binary.LittleEndian.Uint64(s[24:]),
	}
}

func putWords(dst *[32]byte, w *[4]uint64) {
	for i, x := range w {
		binary.LittleEndian.PutUint64(dst[8*i:], x)
	}
}
