package edwards

// Point is a point of the curve -x² + y² = 1 + d·x²·y² in extended coordinates: x = X/Z, y = Y/Z, x·y = T/Z.
// The zero value is not a point; Identity makes one. The kernels rely on the four elements lying side by side.
type Point struct{ X, Y, Z, T Element }

// Niels is an affine point prepared for addition: y+x, y-x, 2d·x·y. The kernels rely on this order.
type Niels struct{ YPlusX, YMinusX, T2D Element }

// Cached is a point prepared for addition: Y+X, Y-X, 2d·T, 2Z. The kernels rely on this order.
type Cached struct{ YPlusX, YMinusX, T2D, Z2 Element }

// Identity sets p to the neutral point.
func (p *Point) Identity() { *p = Point{Y: one, Z: one} }

// SetAffine sets p to (x, y).
func (p *Point) SetAffine(x, y *Element) {
	p.X, p.Y, p.Z = *x, *y, one
	mul(&p.T, x, y)
}

// SetAffine prepares (x, y).
func (n *Niels) SetAffine(x, y *Element) {
	n.YPlusX.Add(y, x)
	n.YMinusX.Sub(y, x)
	mul(&n.T2D, x, y)
	mul(&n.T2D, &n.T2D, &d2)
}

// Negate sets n to -m.
func (n *Niels) Negate(m *Niels) {
	n.YPlusX, n.YMinusX = m.YMinusX, m.YPlusX
	n.T2D.Negate(&m.T2D)
}

// SetPoint prepares p.
func (c *Cached) SetPoint(p *Point) {
	c.YPlusX.Add(&p.Y, &p.X)
	c.YMinusX.Sub(&p.Y, &p.X)
	mul(&c.T2D, &p.T, &d2)
	c.Z2.Add(&p.Z, &p.Z)
}

// Add sets p = p + q, or p - q when neg is 1.
func (p *Point) Add(q *Point, neg uint64) {
	var c Cached
	c.SetPoint(q)
	p.AddCached(&c, neg)
}

// IsTorsion reports whether 8p is the neutral point.
func (p *Point) IsTorsion() bool {
	q := *p
	q.Double(3)
	return q.X.IsZero() && q.Y.Equal(&q.Z)
}

// encode writes the encoding of p, given 1/Z.
func (p *Point) encode(out *[32]byte, inverse *Element) {
	var x, y Element
	mul(&x, &p.X, inverse)
	mul(&y, &p.Y, inverse)
	y.Bytes(out)
	out[31] |= byte(x.odd() << 7)
}

// EncodeAll writes the encodings of points with a single inversion. scratch is as long as points.
func EncodeAll(out [][32]byte, points []Point, scratch []Element) {
	if len(points) == 0 {
		return
	}
	product := one
	for i := range points {
		scratch[i] = product
		mul(&product, &product, &points[i].Z)
	}
	var inverse Element
	inverse.Invert(&product)
	for i := len(points) - 1; i >= 0; i-- {
		var z Element
		mul(&z, &inverse, &scratch[i])
		mul(&inverse, &inverse, &points[i].Z)
		points[i].encode(&out[i], &z)
	}
}

func addNielsGeneric(p *Point, q *Niels, neg uint64) {
	var c, zz Element
	mul(&c, &p.T, &q.T2D)
	zz.Add(&p.Z, &p.Z)
	finishAddition(p, &q.YPlusX, &q.YMinusX, &c, &zz, neg)
}

func addCachedGeneric(p *Point, q *Cached, neg uint64) {
	var c, zz Element
	mul(&c, &p.T, &q.T2D)
	mul(&zz, &p.Z, &q.Z2)
	finishAddition(p, &q.YPlusX, &q.YMinusX, &c, &zz, neg)
}

// finishAddition is the part of an addition that does not depend on Z (Hisil, Wong, Carter, Dawson 2008, section 3.1).
func finishAddition(p *Point, plus, minus, c, zz *Element, neg uint64) {
	if neg != 0 {
		plus, minus = minus, plus
	}
	var a, b, e, f, g, h Element
	a.Sub(&p.Y, &p.X)
	mul(&a, &a, minus)
	b.Add(&p.Y, &p.X)
	mul(&b, &b, plus)
	e.Sub(&b, &a)
	h.Add(&b, &a)
	f.Sub(zz, c)
	g.Add(zz, c)
	if neg != 0 {
		f, g = g, f
	}
	mul(&p.X, &e, &f)
	mul(&p.Y, &h, &g)
	mul(&p.Z, &f, &g)
	mul(&p.T, &e, &h)
}

func doubleGeneric(p *Point, n int) {
	for range n {
		var a, b, c, e, f, g Element
		square(&a, &p.X, 1)
		square(&b, &p.Y, 1)
		square(&c, &p.Z, 1)
		e.Add(&p.X, &p.Y)
		square(&e, &e, 1)
		c.Add(&c, &c)
		g.Sub(&b, &a)
		b.Add(&b, &a)
		e.Sub(&e, &b)
		f.Sub(&c, &g)
		mul(&p.X, &e, &f)
		mul(&p.Y, &g, &b)
		mul(&p.Z, &f, &g)
		mul(&p.T, &e, &b)
	}
}

func chooseGeneric(z *Niels, window []Niels, index uint64) {
	*z = Niels{}
	for i := range window {
		diff := uint64(i+1) ^ index
		mask := (diff | -diff) >> 63 // 1 unless equal
		mask--
		entry := &window[i]
		for j := range 4 {
			z.YPlusX[j] |= entry.YPlusX[j] & mask
			z.YMinusX[j] |= entry.YMinusX[j] & mask
			z.T2D[j] |= entry.T2D[j] & mask
		}
	}
}
