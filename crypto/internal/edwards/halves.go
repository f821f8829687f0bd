package edwards

import "math/bits"

// halfSize is the number of bits of what Halves returns: of a at most 127, of b at most 126.
const halfSize = 127

// Halves returns a and b with a = b·k (mod l), a below 2^127, b not 0 modulo l and below 2^126 in size; negative says
// that b is negative, and b is returned without its sign. k is below l. With them an equation in [k]A becomes one in [a]A
// and [b]R, with half as many doublings (Antipa, Brown, Gallant, Lambert, Struik, Vanstone 2005).
//
// It is Euclid's algorithm on l and k, stopped halfway. Each remainder r comes with a t such that r = ±t·k (mod l), the
// signs alternating. r(i-1)·t(i) ≤ l bounds t by l/2^127 where r first goes below 2^127. A quotient is found bit by bit:
// about 180 subtractions in all.
func Halves(k *Scalar) (a, b Scalar, negative bool) {
	r0, r1 := order, *k
	var t0, t1 [2]uint64
	t1[0] = 1
	for r1.size() > halfSize {
		for size := r1.size(); ; {
			shift := r0.size() - size
			if shift < 0 {
				break
			}
			shifted := r1.shiftedLeft(shift)
			if !r0.subtract(&shifted) {
				if shift == 0 {
					break
				}
				shift--
				shifted = r1.shiftedLeft(shift)
				r0.subtract(&shifted)
			}
			addShifted(&t0, &t1, uint(shift))
		}
		r0, r1 = r1, r0
		t0, t1 = t1, t0
		negative = !negative
	}
	return r1, Scalar{t1[0], t1[1]}, negative
}

// size is the number of bits of s.
func (s *Scalar) size() int {
	for i := 3; i >= 0; i-- {
		if s[i] != 0 {
			return 64*i + bits.Len64(s[i])
		}
	}
	return 0
}

// shiftedLeft returns s·2^n, which fits.
func (s *Scalar) shiftedLeft(n int) (out Scalar) {
	limbs, shift := n>>6, uint(n&63)
	for i := 3; i >= limbs; i-- {
		out[i] = s[i-limbs] << shift
		if i > limbs {
			out[i] |= s[i-limbs-1] >> (64 - shift) // 0 when shift is 0
		}
	}
	return out
}

// subtract sets s = s - x and reports true, or, when x is larger, leaves s and reports false.
func (s *Scalar) subtract(x *Scalar) bool {
	var d Scalar
	var borrow uint64
	for i := range d {
		d[i], borrow = bits.Sub64(s[i], x[i], borrow)
	}
	if borrow != 0 {
		return false
	}
	*s = d
	return true
}

// addShifted sets t = t + x·2^n, which fits.
func addShifted(t, x *[2]uint64, n uint) {
	lo, hi := x[0]<<n, x[1]<<n|x[0]>>(64-n)
	if n >= 64 {
		lo, hi = 0, x[0]<<(n-64)
	}
	var carry uint64
	t[0], carry = bits.Add64(t[0], lo, 0)
	t[1] += hi + carry
}
