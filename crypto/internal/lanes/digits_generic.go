package lanes

import (
	"math/bits"
	"unsafe"
)

// digits8Generic recodes eight scalars; see Digits. dst points to the first of the rows, s to the first of eight pointers.
func digits8Generic(dst *[Lanes]int16, s **[32]byte, half *[5]uint64, width, windows uint64) (canonical uint8) {
	rows := unsafe.Slice(dst, windows)
	for l, p := range unsafe.Slice(s, Lanes) {
		if !IsCanonical(p) {
			for j := range rows {
				rows[j][l] = 0
			}
			continue
		}
		canonical |= 1 << l
		w := wordsOf(p)
		negate := w[3] >= 1<<59 // from 2^251 on: l - s is at most 2^251 + c
		if negate {
			var borrow uint64
			for i := range w {
				w[i], borrow = bits.Sub64(order[i], w[i], borrow)
			}
		}
		var sum [5]uint64
		var carry uint64
		for i := range w {
			sum[i], carry = bits.Add64(w[i], half[i], carry)
		}
		sum[4] = half[4] // the sum of the others is below 2^256
		for j := range rows {
			bit := uint64(j) * width
			d := sum[bit/64]>>(bit%64) | sum[bit/64+1]<<(64-bit%64)
			if uint64(j) < windows-1 { // the last digit takes all bits that are left, and may be 2^(width-1)
				d &= 1<<width - 1
			}
			d -= 1 << (width - 1)
			if negate {
				d = -d
			}
			rows[j][l] = int16(d)
		}
	}
	return canonical
}
