package edwards

import (
	"encoding/binary"
	"math/bits"
)

// Scalar is a non-negative integer in four limbs, the lowest first. What this package does with scalars keeps them as
// integers; whoever makes them reduces them modulo the group order.
type Scalar [4]uint64

// order is the order l of the prime subgroup.
var order = Scalar{0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 1 << 60}

// SetBytes sets s to the little-endian number in.
func (s *Scalar) SetBytes(in *[32]byte) {
	for i := range s {
		s[i] = binary.LittleEndian.Uint64(in[8*i:])
	}
}

// Bytes sets out to s, little-endian.
func (s *Scalar) Bytes(out *[32]byte) {
	for i, limb := range s {
		binary.LittleEndian.PutUint64(out[8*i:], limb)
	}
}

// Reduced reports whether s is below the group order. Not in constant time.
func (s *Scalar) Reduced() bool { return s.less(&order) }

// IsZero reports whether s is 0.
func (s *Scalar) IsZero() bool { return *s == Scalar{} }

// wideProducts is how many products of 126 and 253 bits the 448 bits of a WideSum hold at least.
const wideProducts = 1 << 32

// WideSum is a sum of products z·s with z < 2^126 and s < 2^253, kept as an integer and reduced once. A product is below
// 2^379, so that 448 bits hold more than wideProducts of them.
type WideSum [7]uint64

// AddProduct adds (lo + 2^64·hi)·s.
func (w *WideSum) AddProduct(lo, hi uint64, s *Scalar) {
	w.addRow(0, lo, s)
	w.addRow(1, hi, s)
}

// addRow adds z·s·2^(64·at).
func (w *WideSum) addRow(at int, z uint64, s *Scalar) {
	var carry, c uint64
	for i, limb := range s {
		hi, lo := bits.Mul64(limb, z)
		lo, c = bits.Add64(lo, carry, 0)
		hi += c
		w[at+i], c = bits.Add64(w[at+i], lo, 0)
		carry = hi + c
	}
	w[at+4], c = bits.Add64(w[at+4], carry, 0)
	for i := at + 5; i < len(w); i++ {
		w[i], c = bits.Add64(w[i], 0, c)
	}
}

// Bytes writes the sum little-endian, for a reduction modulo the group order.
func (w *WideSum) Bytes(out *[64]byte) {
	for i, limb := range w {
		binary.LittleEndian.PutUint64(out[8*i:], limb)
	}
	clear(out[56:])
}

// windows is the number of signed digits of the given width that any scalar below 2^size needs: two bits more than the
// scalar has, since the largest number in n digits is a little below 2^(width·n - 1), and the last digit takes a carry.
func windows(size, width int) int { return (size+1)/width + 1 }

// recode writes s in signed digits: s = Σ digits[i]·2^(width·i) with -2^(width-1) ≤ digit < 2^(width-1). s is below
// 2^size and len(digits) is windows(size, width), so that no carry is left.
func (s *Scalar) recode(digits []int16, width int) {
	half, mask := uint64(1)<<(width-1), uint64(1)<<width-1
	carry := uint64(0)
	for i := range digits {
		at := i * width
		limb, shift := at>>6, at&63
		var v uint64
		if limb < 4 {
			v = s[limb] >> shift
			if shift+width > 64 && limb < 3 {
				v |= s[limb+1] << (64 - shift)
			}
		}
		v = v&mask + carry
		carry = (v + half) >> width
		digits[i] = int16(v - carry<<width)
	}
}

// nafDigits is the length of a non-adjacent form: scalars are below 2^253, and the last digit may carry once more.
const nafDigits = 256

// nonAdjacent writes the width-5 non-adjacent form of s: digits are 0 or odd and below 16 in size, and of five
// neighbours at most one is not 0. Returns the position above the highest digit. s is below 2^253.
func (s *Scalar) nonAdjacent(naf *[nafDigits]int8) int {
	const width = 5
	clear(naf[:])
	top, carry := 0, uint64(0)
	for at := 0; at < nafDigits; {
		limb, shift := at>>6, at&63
		v := s[limb] >> shift
		if shift+width > 64 && limb < 3 {
			v |= s[limb+1] << (64 - shift)
		}
		v = v&(1<<width-1) + carry
		if v&1 == 0 {
			at++
			continue
		}
		carry = v >> (width - 1)
		naf[at] = int8(v) - int8(carry<<width)
		top = at + 1
		at += width
	}
	return top
}
