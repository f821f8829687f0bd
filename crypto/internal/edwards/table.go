package edwards

// scalarSize is the number of bits of a scalar below the group order.
const scalarSize = 253

// basePoint is the generator B of the prime subgroup, encoded: y = 4/5, x even.
var basePoint = [32]byte{
	0x58, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
	0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
}

// Table holds multiples of one point P, so that a multiple of P is a sum of entries without a doubling:
// entries[i·half + j] = (j+1)·2^(width·i)·P, affine, 96 bytes each, where half = 2^(width-1).
type Table struct {
	width   int
	entries []Niels
}

// NewTable computes the table of the point (x, y). Width is 2 to 14: 393 kB for 8 bits, 1.3 MB for 10. It takes about
// 0.2 µs for each entry.
func NewTable(x, y *Element, width int) *Table {
	half := 1 << (width - 1)
	count := windows(scalarSize, width)
	t := &Table{width: width, entries: make([]Niels, count*half)}
	points := make([]Point, half)
	scratch := make([]Element, half)
	var base Point
	base.SetAffine(x, y)
	for i := range count {
		var step Cached
		step.SetPoint(&base)
		points[0] = base
		for j := 1; j < half; j++ {
			points[j] = points[j-1]
			points[j].AddCached(&step, 0)
		}
		setNiels(t.entries[i*half:], points, scratch)
		base = points[half-1]
		base.Double(1) // 2·2^(width-1) = 2^width
	}
	return t
}

// NewBaseTable computes the table of the generator.
func NewBaseTable(width int) *Table {
	var x, y Element
	Decode(&x, &y, &basePoint)
	return NewTable(&x, &y, width)
}

// setNiels makes points affine, with one inversion.
func setNiels(out []Niels, points []Point, scratch []Element) {
	product := one
	for i := range points {
		scratch[i] = product
		mul(&product, &product, &points[i].Z)
	}
	product.Invert(&product)
	for i := len(points) - 1; i >= 0; i-- {
		var inverse, x, y Element
		mul(&inverse, &product, &scratch[i])
		mul(&product, &product, &points[i].Z)
		mul(&x, &points[i].X, &inverse)
		mul(&y, &points[i].Y, &inverse)
		out[i].SetAffine(&x, &y)
	}
}

// maxWindows is the number of digits of the narrowest table.
const maxWindows = (scalarSize+1)/2 + 1

// Step is one addition of a walk through tables: an entry, added when negative is 0, subtracted when it is 1. The kernels
// rely on this layout.
type Step struct {
	entry    *Niels
	negative uint64
}

// walkAhead is how many steps before its use a walk fetches an entry into the cache, and so how many it reads past its
// end. An addition takes longer than an access to the third-level cache, and shorter than one to memory.
const walkAhead = 6

// Walk is a list of sums of table entries, one after the other, so that the entries of the next sum are fetched while the
// last ones of this are added. It keeps its memory.
type Walk struct {
	steps []Step
	ends  []int
}

// Reset empties the list.
func (w *Walk) Reset() { w.steps, w.ends = w.steps[:0], w.ends[:0] }

// Add appends s·P, or -s·P when neg is 1, to the sum begun last, where P is the point of the table. s is below 2^253. Not
// in constant time.
func (w *Walk) Add(t *Table, s *Scalar, neg uint64) {
	var buffer [maxWindows]int16
	digits := buffer[:windows(scalarSize, t.width)]
	s.recode(digits, t.width)
	half := 1 << (t.width - 1)
	for i, digit := range digits {
		if digit == 0 {
			continue
		}
		sign := uint64(uint16(digit) >> 15)
		size := int(digit)
		if digit < 0 {
			size = -size
		}
		w.steps = append(w.steps, Step{&t.entries[i*half+size-1], sign ^ neg})
	}
}

// End ends the sum begun last.
func (w *Walk) End() { w.ends = append(w.ends, len(w.steps)) }

// Sums adds the sums to the points, in order; there are as many. It empties the list.
func (w *Walk) Sums(points []Point) {
	if len(w.steps) > 0 {
		last := w.steps[len(w.steps)-1]
		for range walkAhead {
			w.steps = append(w.steps, last)
		}
	}
	start := 0
	for i, end := range w.ends {
		if end > start {
			points[i].walk(w.steps[start:end:len(w.steps)])
		}
		start = end
	}
	w.Reset()
}

func walkGeneric(p *Point, steps []Step) {
	for _, s := range steps {
		addNielsGeneric(p, s.entry, s.negative)
	}
}

// Multiply sets p = s·P without a branch or an address that depends on s: for every digit it reads a whole window of the
// table. Width is small, then: 5 bits are 51 additions, each choosing among 16 entries.
func (t *Table) Multiply(p *Point, s *Scalar) {
	var buffer [maxWindows]int16
	digits := buffer[:windows(scalarSize, t.width)]
	s.recode(digits, t.width)
	half := 1 << (t.width - 1)
	p.Identity()
	var entry Niels
	for i, digit := range digits {
		sign := uint64(uint16(digit) >> 15)
		mask := uint16(-sign)
		size := uint64((uint16(digit) ^ mask) + uint16(sign))
		entry.choose(t.entries[i*half:(i+1)*half], size)
		none := (size - 1) >> 63 // 1 when the digit is 0: the neutral point is (1, 1, 0)
		entry.YPlusX[0] |= none
		entry.YMinusX[0] |= none
		swap(&entry.YPlusX, &entry.YMinusX, sign)
		entry.T2D.selectNegated(sign)
		p.AddNiels(&entry, 0)
	}
	clear(digits)
	entry = Niels{}
}
