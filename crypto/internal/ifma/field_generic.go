package ifma

import "math/bits"

// The functions of this file are the twins of the field kernels: the same limbs for every input, not only the same
// values. They serve where there is no AVX-512, and are the oracle of the tests where there is.

const mask52 = 1<<52 - 1

// multiplyAdd52 is VPMADD52LUQ and VPMADD52HUQ: the low and the high 52 bits of the product of two 52-bit factors.
func multiplyAdd52(x, y uint64) (low, high uint64) {
	h, l := bits.Mul64(x&mask52, y&mask52)
	return l & mask52, h<<12 | l>>52
}

// product is x*y without carries: loose in, raw out.
func product(x, y *lane) (r lane) {
	var z [2 * numLimbs]uint64
	for j := range y {
		for i := range x {
			low, high := multiplyAdd52(x[i], y[j])
			z[i+j] += low
			z[i+j+1] += 2 * high
		}
	}
	for i := range r {
		r[i] = z[i] + 19*z[i+numLimbs]
	}
	return r
}

// carry is one pass of carries over all limbs at once: limbs below 2^63 in, reduced out.
func (v lane) carry() (r lane) {
	for i := range v {
		r[i] = v[i] & limbMask
	}
	r[0] += 19 * (v[4] >> limbBits)
	for i := range 4 {
		r[i+1] += v[i] >> limbBits
	}
	return r
}

func (v lane) plus(w lane) lane {
	for i := range v {
		v[i] += w[i]
	}
	return v
}

// minus is v-w plus factor*p, so that no limb goes below zero.
func (v lane) minus(w lane, factor uint64) lane {
	v[0] += factor*(limbMask-18) - w[0]
	for i := 1; i < numLimbs; i++ {
		v[i] += factor*limbMask - w[i]
	}
	return v
}

// Factors of p for subtractions: 2 for a reduced subtrahend, 2^11 for a raw one.
const (
	biasTwice = 2
	biasRaw   = 1 << 11
)

// canonical is v reduced to the least value: reduced in, canonical out.
func (v lane) canonical() lane {
	q := (v[0] + 19) >> limbBits
	for i := 1; i < numLimbs; i++ {
		q = (v[i] + q) >> limbBits
	}
	v[0] += 19 * q
	for i := range 4 {
		v[i+1] += v[i] >> limbBits
		v[i] &= limbMask
	}
	v[4] &= limbMask
	return v
}

func mulGeneric(out, a, b *Element) {
	for l := range Lanes {
		x, y := a.lane(l), b.lane(l)
		out.setLane(l, product(&x, &y).carry())
	}
}

func squareGeneric(out, a *Element) { mulGeneric(out, a, a) }

func addGeneric(out, a, b *Element) {
	for l := range Lanes {
		out.setLane(l, a.lane(l).plus(b.lane(l)).carry())
	}
}

func subGeneric(out, a, b *Element) {
	for l := range Lanes {
		out.setLane(l, a.lane(l).minus(b.lane(l), biasTwice).carry())
	}
}

func squareTimesGeneric(out, x *[2]Element, n int) {
	squareTimesOneGeneric(&out[0], &x[0], n)
	squareTimesOneGeneric(&out[1], &x[1], n)
}

func squareTimesOneGeneric(out, x *Element, n int) {
	*out = *x
	for range n {
		squareGeneric(out, out)
	}
}
