package edwards

import (
	"encoding/binary"
	"math/bits"
)

// Element is a number modulo p = 2^255 - 19 in four limbs, the lowest first. Any 256 bits are one: nothing is brought
// below p until it is encoded. 2^256 = 38 (mod p), so that a carry out of the top limb comes back as 38 at the bottom.
// Results may alias arguments.
type Element [4]uint64

var (
	one = Element{1}
	// d is the constant of the curve, -121665/121666; d2 is twice that; sqrtM1 is a square root of -1.
	d      = Element{0x75eb4dca135978a3, 0x00700a4d4141d8ab, 0x8cc740797779e898, 0x52036cee2b6ffe73}
	d2     = Element{0xebd69b9426b2f159, 0x00e0149a8283b156, 0x198e80f2eef3d130, 0x2406d9dc56dffce7}
	sqrtM1 = Element{0xc4ee1b274a0ea0b0, 0x2f431806ad2fe478, 0x2b4d00993dfbd7a7, 0x2b8324804fc1df0b}
)

// Add sets z = x + y.
func (z *Element) Add(x, y *Element) {
	var c uint64
	z[0], c = bits.Add64(x[0], y[0], 0)
	z[1], c = bits.Add64(x[1], y[1], c)
	z[2], c = bits.Add64(x[2], y[2], c)
	z[3], c = bits.Add64(x[3], y[3], c)
	z.addSmall(c * 38)
}

// addSmall adds a number of at most 12 bits. When that carries out of the top, what remains is below it, so that the
// last 38 carries no further.
func (z *Element) addSmall(small uint64) {
	var c uint64
	z[0], c = bits.Add64(z[0], small, 0)
	z[1], c = bits.Add64(z[1], 0, c)
	z[2], c = bits.Add64(z[2], 0, c)
	z[3], c = bits.Add64(z[3], 0, c)
	z[0] += c * 38
}

// Sub sets z = x - y.
func (z *Element) Sub(x, y *Element) {
	var b uint64
	z[0], b = bits.Sub64(x[0], y[0], 0)
	z[1], b = bits.Sub64(x[1], y[1], b)
	z[2], b = bits.Sub64(x[2], y[2], b)
	z[3], b = bits.Sub64(x[3], y[3], b)
	z[0], b = bits.Sub64(z[0], b*38, 0)
	z[1], b = bits.Sub64(z[1], 0, b)
	z[2], b = bits.Sub64(z[2], 0, b)
	z[3], b = bits.Sub64(z[3], 0, b)
	z[0] -= b * 38 // a second borrow leaves at least 2^256 - 38
}

// Negate sets z = -x.
func (z *Element) Negate(x *Element) { z.Sub(&Element{}, x) }

// mulGeneric sets z = x·y: four rows of products, then the upper half comes down times 38.
func mulGeneric(z, x, y *Element) {
	var r0, r1, r2, r3, r4, r5, r6, r7 uint64
	r0, r1, r2, r3, r4 = addRow(x, y[0], r0, r1, r2, r3)
	r1, r2, r3, r4, r5 = addRow(x, y[1], r1, r2, r3, r4)
	r2, r3, r4, r5, r6 = addRow(x, y[2], r2, r3, r4, r5)
	r3, r4, r5, r6, r7 = addRow(x, y[3], r3, r4, r5, r6)
	high := Element{r4, r5, r6, r7}
	r0, r1, r2, r3, r4 = addRow(&high, 38, r0, r1, r2, r3)
	*z = Element{r0, r1, r2, r3}
	z.addSmall(r4 * 38) // r4 is at most 38: the product is below 2^12
}

// addRow returns r + x·y: five limbs, which always hold it, since (2^256-1)·2^64 does.
func addRow(x *Element, y, r0, r1, r2, r3 uint64) (s0, s1, s2, s3, s4 uint64) {
	h0, l0 := bits.Mul64(x[0], y)
	h1, l1 := bits.Mul64(x[1], y)
	h2, l2 := bits.Mul64(x[2], y)
	h3, l3 := bits.Mul64(x[3], y)
	var c uint64
	s0, c = bits.Add64(r0, l0, 0)
	s1, c = bits.Add64(r1, l1, c)
	s2, c = bits.Add64(r2, l2, c)
	s3, c = bits.Add64(r3, l3, c)
	s4 = c
	s1, c = bits.Add64(s1, h0, 0)
	s2, c = bits.Add64(s2, h1, c)
	s3, c = bits.Add64(s3, h2, c)
	s4 += h3 + c
	return s0, s1, s2, s3, s4
}

// squareGeneric squares x n times, n > 0.
func squareGeneric(z, x *Element, n int) {
	mulGeneric(z, x, x)
	for range n - 1 {
		mulGeneric(z, z, z)
	}
}

// reduced returns x below p.
func (x *Element) reduced() Element {
	r := *x
	for range 2 { // after the first round r < 2^255 + 38, after the second r < 2^255
		top := r[3] >> 63
		r[3] &= 1<<63 - 1
		r.addSmall(top * 19)
	}
	// r ≥ p exactly when r + 19 reaches 2^255.
	t := r
	t.addSmall(19)
	mask := -(t[3] >> 63)
	t[3] &= 1<<63 - 1
	for i := range r {
		r[i] = r[i]&^mask | t[i]&mask
	}
	return r
}

// Bytes encodes x in 32 bytes, little-endian, below p.
func (x *Element) Bytes(out *[32]byte) {
	for i, limb := range x.reduced() {
		binary.LittleEndian.PutUint64(out[8*i:], limb)
	}
}

// SetBytes sets z to the number in the low 255 bits of in, which may be p or above.
func (z *Element) SetBytes(in *[32]byte) {
	for i := range z {
		z[i] = binary.LittleEndian.Uint64(in[8*i:])
	}
	z[3] &= 1<<63 - 1
}

// IsZero reports whether x = 0.
func (x *Element) IsZero() bool { return x.reduced() == Element{} }

// Equal reports whether x = y.
func (x *Element) Equal(y *Element) bool { return x.reduced() == y.reduced() }

// odd is the lowest bit of x below p, which is the sign in the encoding of a point.
func (x *Element) odd() uint64 { r := x.reduced(); return r[0] & 1 }

// selectNegated sets z to -z when choice is 1, in constant time; choice is 0 or 1.
func (z *Element) selectNegated(choice uint64) {
	var n Element
	n.Negate(z)
	mask := -choice
	for i := range z {
		z[i] = z[i]&^mask | n[i]&mask
	}
}

// swap exchanges x and y when choice is 1, in constant time; choice is 0 or 1.
func swap(x, y *Element, choice uint64) {
	mask := -choice
	for i := range x {
		t := (x[i] ^ y[i]) & mask
		x[i] ^= t
		y[i] ^= t
	}
}

// powers returns x^(2^250 - 1) and x^11, the common part of Invert and root.
func powers(x *Element) (high, x11 Element) {
	var x9, t, u Element
	square(&t, x, 1)
	square(&x9, &t, 2)
	mul(&x9, &x9, x)
	mul(&x11, &x9, &t)
	square(&t, &x11, 1)
	mul(&t, &t, &x9) // 2^5 - 1
	square(&u, &t, 5)
	mul(&t, &u, &t) // 2^10 - 1
	square(&u, &t, 10)
	mul(&u, &u, &t) // 2^20 - 1
	square(&high, &u, 20)
	mul(&u, &high, &u) // 2^40 - 1
	square(&u, &u, 10)
	mul(&t, &u, &t) // 2^50 - 1
	square(&u, &t, 50)
	mul(&u, &u, &t) // 2^100 - 1
	square(&high, &u, 100)
	mul(&u, &high, &u) // 2^200 - 1
	square(&u, &u, 50)
	mul(&high, &u, &t) // 2^250 - 1
	return high, x11
}

// Invert sets z = 1/x = x^(p-2), or 0 when x = 0, in constant time.
func (z *Element) Invert(x *Element) {
	high, x11 := powers(x)
	square(&high, &high, 5)
	mul(z, &high, &x11)
}
