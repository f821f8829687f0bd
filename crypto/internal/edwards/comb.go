package edwards

import "math/bits"

const (
	// combTeeth are the quarters of a scalar, of combColumns bits each.
	combTeeth, combColumns = 4, 64
	combEntries            = 1 << (combTeeth - 1)
)

// Comb multiplies a point: the sums of its multiples by 1, 2^64, 2^128 and 2^192, the last of them positive and the others
// with every choice of signs; bit i of an index is set where the multiple by 2^(64·i) is positive. 768 bytes. With it a
// multiplication takes 64 doublings and 64 additions, half the time of one by half-size scalars.
type Comb [combEntries]Niels

// Comber makes combs, in the time of 250 additions each. It keeps its memory.
type Comber struct {
	teeth   [combTeeth]Point
	sums    [combEntries]Point
	scratch [combEntries]Element
}

// Make sets c to the comb of n.
func (m *Comber) Make(c *Comb, n *Niels) {
	m.teeth[0].Identity()
	m.teeth[0].AddNiels(n, 0)
	for i := 1; i < combTeeth; i++ {
		m.teeth[i] = m.teeth[i-1]
		m.teeth[i].Double(combColumns)
	}
	m.sums[0] = m.teeth[combTeeth-1]
	for i := combTeeth - 2; i >= 0; i-- {
		var tooth Cached
		tooth.SetPoint(&m.teeth[i])
		for e := 0; e < combEntries; e += 2 << i {
			m.sums[e+1<<i] = m.sums[e]
			m.sums[e+1<<i].AddCached(&tooth, 0)
			m.sums[e].AddCached(&tooth, 1)
		}
	}
	setNiels(c[:], m.sums[:], m.scratch[:])
}

// Multiply sets p to [k]P, but for a part of small order, where P is the point of the comb. k is below the group order.
// Not in constant time.
func (c *Comb) Multiply(p *Point, k *Scalar) {
	// An odd number is a sum of ±2^j for all j below 256: bit j of half of it, with a bit on top, is set for a plus.
	v := *k
	if v[0]&1 == 0 {
		var carry uint64
		for i := range v {
			v[i], carry = bits.Add64(v[i], order[i], carry)
		}
	}
	for i := range combTeeth - 1 {
		v[i] = v[i]>>1 | v[i+1]<<63
	}
	v[3] = v[3]>>1 | 1<<63
	p.Identity()
	for j := combColumns - 1; j >= 0; j-- {
		if j < combColumns-1 {
			p.Double(1)
		}
		plus, entry := v[3]>>j&1, uint64(0)
		for i := range combTeeth - 1 {
			entry |= (^(v[i] >> j) ^ plus) & 1 << i
		}
		p.AddNiels(&c[entry], 1^plus)
	}
}
