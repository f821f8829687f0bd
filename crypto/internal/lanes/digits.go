package lanes

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// Widths of windows, in bits, that Digits takes. A wider digit would not fit into an int16.
const (
	MinWidth = 4
	MaxWidth = 15
)

// Windows returns the number of signed digits of a scalar in windows of width bits: those of 252 bits. (The scalar has
// 253, but Digits recodes l - s instead when that is shorter.)
func Windows(width int) int { return (252 + width - 1) / width }

// Digits recodes eight scalars into signed windows for a walk of eight lanes through tables of multiples: dst[j][lane] is
// digit j of *s[lane], and
//
//	Σ dst[j][lane] * 2^(width*j) = s mod l,   |dst[j][lane]| <= 2^(width-1),
//
// so that a table of 2^(width-1) multiples for each window, and signs, do. len(dst) is Windows(width), or it panics. The
// result has a bit for each lane whose scalar is canonical (below l); all digits of other lanes are 0, so that they
// cannot lead outside a table. Not for secrets: digits are meant to be addresses.
func Digits(dst [][Lanes]int16, s *[Lanes]*[32]byte, width int, scratch *Scratch) (canonical uint8) {
	if width < MinWidth || width > MaxWidth || len(dst) != Windows(width) {
		panic("lanes: Digits: width out of range, or wrong number of windows")
	}
	return digits8(&dst[0], &s[0], &halves[width], uint64(width), uint64(len(dst)), &scratch.work().row)
}

// halves[width] is Σ 2^(width-1) * 2^(width*j) over all windows: added to a number it makes all signed digits positive.
// It may have more than 256 bits, since the last window may reach beyond them.
var halves = func() (t [MaxWidth + 1][5]uint64) {
	for width := MinWidth; width <= MaxWidth; width++ {
		for j := range Windows(width) {
			bit := width*j + width - 1
			t[width][bit/64] |= 1 << (bit % 64)
		}
	}
	return t
}()

const halfBytes = 0x8080808080808080 // half a window in every window of 8 bits

// ByteDigits recodes a scalar into 32 signed digits, Σ dst[j] * 256^j = s, for buckets in which a lane is a window. The
// digits are -128 to 127; the last one is 0 to 32. It takes s up to 2^253, which holds for canonical ones.
//
// Digits 0 to 15 stand for multiples of a point, 16 to 31 for multiples of 2^128 times that point: a carry out of the low
// half is part of digit 16.
func ByteDigits(dst *[32]int8, s *[32]byte) {
	var carry uint64
	for i, w := range wordsOf(s) {
		w, carry = bits.Add64(w, halfBytes, carry)
		putDigits((*[8]int8)(dst[8*i:]), w^halfBytes)
	}
}

// CoefficientDigits is ByteDigits for a coefficient: 16 digits suffice for z below 2^127 - 2^120, so no 17th is ever lost.
func CoefficientDigits(dst *[16]int8, z *[16]byte) {
	low, carry := bits.Add64(binary.LittleEndian.Uint64(z[:]), halfBytes, 0)
	high, _ := bits.Add64(binary.LittleEndian.Uint64(z[8:]), halfBytes, carry)
	putDigits((*[8]int8)(dst[:]), low^halfBytes)
	putDigits((*[8]int8)(dst[8:]), high^halfBytes)
}

// putDigits takes a word apart. A byte b of a sum with 0x80 stands for the digit b - 0x80, which is b ^ 0x80 as an int8.
func putDigits(dst *[8]int8, w uint64) {
	binary.LittleEndian.PutUint64((*[8]byte)(unsafe.Pointer(dst))[:], w)
}
