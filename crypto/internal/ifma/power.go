package ifma

// powerRoom holds the temporary values of exponentiations.
type powerRoom struct {
	pair   power[[2]Element]
	single power[Element]
}

// power is the room for an exponentiation of one element, or of two side by side: one chain of squarings leaves the
// multipliers idle a third of the time, two do not.
type power[E Element | [2]Element] struct{ t0, t1, t2, z E }

// multiplier and squarer are the kernels of the two widths.
type (
	multiplier[E any] func(out, a, b *E)
	squarer[E any]    func(out, x *E, n int)
)

func mulPair(out, a, b *[2]Element) {
	mul(&out[0], &a[0], &b[0])
	mul(&out[1], &a[1], &b[1])
}

// raise sets out to z^((p-5)/8) = z^(2^252-3): loose in, reduced out. out may be z; neither may lie in r. It takes 252
// squarings and 11 multiplications.
func (r *power[E]) raise(out, z *E, mul multiplier[E], square squarer[E]) {
	t0, t1, t2 := &r.t0, &r.t1, &r.t2
	square(t0, z, 1)  // z^2
	square(t1, t0, 2) // z^8
	mul(t1, z, t1)    // z^9
	mul(t0, t0, t1)   // z^11
	square(t0, t0, 1) // z^22
	mul(t0, t1, t0)   // z^(2^5-1)
	square(t1, t0, 5)
	mul(t0, t1, t0) // z^(2^10-1)
	square(t1, t0, 10)
	mul(t1, t1, t0) // z^(2^20-1)
	square(t2, t1, 20)
	mul(t1, t2, t1) // z^(2^40-1)
	square(t1, t1, 10)
	mul(t0, t1, t0) // z^(2^50-1)
	square(t1, t0, 50)
	mul(t1, t1, t0) // z^(2^100-1)
	square(t2, t1, 100)
	mul(t1, t2, t1) // z^(2^200-1)
	square(t1, t1, 50)
	mul(t0, t1, t0) // z^(2^250-1)
	square(t0, t0, 2)
	mul(out, t0, z) // z^(2^252-3)
}

// invert sets z to 1/z, and 0 to 0: loose in, reduced out. p-2 = 8*(2^252-3) + 3.
func (r *power[E]) invert(z *E, mul multiplier[E], square squarer[E]) {
	r.z = *z
	r.raise(z, &r.z, mul, square)
	square(z, z, 3)
	mul(z, z, &r.z)
	square(&r.z, &r.z, 1)
	mul(z, z, &r.z)
}

// raise sets out to z^(2^252-3) for two elements.
func (r *powerRoom) raise(out, z *[2]Element) { r.pair.raise(out, z, mulPair, squareTimes) }

// raiseOne sets out to z^(2^252-3), in two thirds of the time of raise.
func (r *powerRoom) raiseOne(out, z *Element) { r.single.raise(out, z, mul, squareTimesOne) }

// invert sets both elements of z to their inverses, and 0 to 0.
func (r *powerRoom) invert(z *[2]Element) { r.pair.invert(z, mulPair, squareTimes) }

// invertOne sets z to 1/z, and 0 to 0, in two thirds of the time of invert.
func (r *powerRoom) invertOne(z *Element) { r.single.invert(z, mul, squareTimesOne) }
