package edwards

import "math/bits"

// halfSize is the number of bits of what Halves returns: of a at most 127, of b at most 126.
const halfSize = 127

// Halves returns a and b with a = b·k (mod l), a below 2^127, b not 0 modulo l and below 2^126 in size; negative says
// that b is negative, and b is returned without its sign. k is below l. With them an equation in [k]A becomes one in [a]A
// and [b]R, with half as many doublings (Antipa, Brown, Gallant, Lambert, Struik, Vanstone 2005).
//
// It is Euclid's algorithm on l and k, stopped halfway. Each remainder r comes with a t such that r = ±t·k (mod l), the
// signs alternating. r(i-1)·t(i) ≤ l bounds t by l/2^127 where r first goes below 2^127. A quotient is found in parts, none
// too large, from the 64 highest bits of both numbers.
func Halves(k *Scalar) (a, b Scalar, negative bool) {
	r0, r1 := order, *k
	var t0, t1 [2]uint64
	t1[0] = 1
	for size := r1.size(); size > halfSize; size = r1.size() {
		for {
			shift := r0.size() - size
			if shift < 0 {
				break
			}
			q, down := uint64(1), 0
			switch {
			case shift == 0:
				if r0.less(&r1) {
					shift = -1
				}
			case shift < 64:
				// With 2^63 ≤ x and y < 2^63, this is at least 1. r0 ≥ x·2^n and r1 < (y+1)·2^n for the same n.
				q = r0.top() / (r1.top()>>shift + 1)
			default: // k is far below l
				down = shift - 1
			}
			if shift < 0 {
				break
			}
			multiple := r1.shiftedLeft(down)
			r0.subtractMultiple(&multiple, q)
			addMultiple(&t0, &t1, q, uint(down))
		}
		r0, r1 = r1, r0
		t0, t1 = t1, t0
		negative = !negative
	}
	return r1, Scalar{t1[0], t1[1]}, negative
}

// top is the 64 highest bits of s, from the highest that is 1. s has at least 64 bits.
func (s *Scalar) top() uint64 {
	at := s.size() - 64
	limb, shift := at>>6, uint(at&63)
	v := s[limb] >> shift
	if shift > 0 {
		v |= s[limb+1] << (64 - shift)
	}
	return v
}

func (s *Scalar) less(x *Scalar) bool {
	for i := 3; i >= 0; i-- {
		if s[i] != x[i] {
			return s[i] < x[i]
		}
	}
	return false
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

// subtractMultiple sets s = s - q·x, which is not negative.
func (s *Scalar) subtractMultiple(x *Scalar, q uint64) {
	var carry, borrow uint64
	for i := range s {
		hi, lo := bits.Mul64(x[i], q)
		var c uint64
		lo, c = bits.Add64(lo, carry, 0)
		carry = hi + c
		s[i], borrow = bits.Sub64(s[i], lo, borrow)
	}
}

// addMultiple sets t = t + q·x·2^n, which fits. One of q and 2^n is 1.
func addMultiple(t, x *[2]uint64, q uint64, n uint) {
	hi, lo := bits.Mul64(x[0], q)
	hi += x[1] * q
	switch {
	case n >= 64:
		lo, hi = 0, lo<<(n-64)
	case n > 0:
		lo, hi = lo<<n, hi<<n|lo>>(64-n)
	}
	var carry uint64
	t[0], carry = bits.Add64(t[0], lo, 0)
	t[1] += hi + carry
}
