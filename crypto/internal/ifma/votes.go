package ifma

import "encoding/binary"

// maxSteps is the most entries of one sum: two scalars with windows of MinWindow bits.
const maxSteps = 2 * (scalarBits / MinWindow)

// plan is what a group of eight votes adds up: for each step the address of a table entry in each lane, and the lanes
// where it is subtracted. Kernels know this layout.
type plan struct {
	address  [maxSteps][Lanes]uint64
	negative [maxSteps + 4]uint64 // whole cache lines
}

// walkRoom is the memory of a walk; the kernel knows its layout.
type walkRoom struct {
	room   [4]Element
	t      Element  // of the entries of the next step: 2dxy
	coords [2]Words // y-x, then y+x
}

// VerifyVotes sets ok[i] to whether signature i is valid under ZIP-215: whether R is a point and 8 times it is
// 8([S]B - [k]A). R and S are the halves of signatures[i], k is scalars[i], little-endian and reduced, and A is the key
// with the index keys[i]. All slices are as long as ok. An S or a k that is not below the order gives false; an unknown
// index panics.
//
// An honest R is, byte by byte, the encoding of what a walk gives for [S]B - [k]A. Where it is not, R may be another
// encoding of the point, or differ from it by a point of small order, and the points are compared with the cofactor.
// (Where A itself has a part of small order and k is 2^251 or more, the walk gives [S]B + [order-k]A, which differs by a
// point of small order.)
//
// A call takes about half a microsecond a vote for 64 votes and more, and half as much again for votes that are
// refused; it allocates nothing, and no kernel call in
// it takes longer than 15 µs.
//
// Nothing here is secret: time and addresses depend on the inputs.
func (t *Tables) VerifyVotes(ok []bool, keys []int32, signatures [][64]byte, scalars [][32]byte, s *Scratch) {
	keys, signatures, scalars = keys[:len(ok)], signatures[:len(ok)], scalars[:len(ok)]
	for len(ok) > 0 {
		n := min(len(ok), maxGroups*Lanes)
		t.verifyRound(ok[:n], keys[:n], signatures[:n], scalars[:n], s)
		ok, keys, signatures, scalars = ok[n:], keys[n:], signatures[n:], scalars[n:]
	}
}

// verifyRound is VerifyVotes for votes that share an inversion. The plan of a group is made before the group ahead of
// it is walked, because the walk fetches the first entries of its successor.
func (t *Tables) verifyRound(ok []bool, keys []int32, signatures [][64]byte, scalars [][32]byte, s *Scratch) {
	groups := (len(ok) + Lanes - 1) / Lanes
	steps := int(t.baseWindow.count + t.keyWindow.count)
	for g := range groups + 1 {
		if g < groups {
			first, end := Lanes*g, min(Lanes*g+Lanes, len(ok))
			t.planGroup(&s.plans[g%2], ok[first:end], keys[first:end], signatures[first:end], scalars[first:end], s)
		}
		if g == 0 {
			fetchFirst(&s.plans[0])
			continue
		}
		next := &s.plans[g%2]
		if g == groups {
			next = &s.plans[(g-1)%2]
		}
		walk(&s.points[g-1], &s.plans[(g-1)%2], next, steps, s, t.memory)
	}
	s.invertAll(s.points[:groups])
	for g := range groups {
		encode(&s.words, &s.points[g], &s.points[g].T)
		first, end := Lanes*g, min(Lanes*g+Lanes, len(ok))
		equal := s.match(signatures[first:end])
		for l := range end - first {
			if equal>>l&1 != 0 || !ok[first+l] {
				continue
			}
			if s.refused.add(first+l, &s.points[g], l); s.refused.n == decodePoints {
				s.settle(ok, signatures)
			}
		}
	}
	s.settle(ok, signatures)
}

// planGroup plans up to eight votes, and sets ok to whether their scalars are below the order. Votes that are missing
// or out of range are walked with zero scalars: the entries of a larger one would lie outside the table.
func (t *Tables) planGroup(
	p *plan, ok []bool, keys []int32, signatures [][64]byte, scalars [][32]byte, s *Scratch,
) {
	whole := len(ok) == Lanes
	for i := range ok {
		ok[i] = belowOrder(signatures[i][32:]) && belowOrder(scalars[i][:])
		whole = whole && ok[i]
	}
	if !whole {
		s.tail.signatures, s.tail.scalars = [Lanes][64]byte{}, [Lanes][32]byte{}
		for i := range ok {
			if ok[i] {
				s.tail.signatures[i], s.tail.scalars[i] = signatures[i], scalars[i]
			}
		}
		signatures, scalars = s.tail.signatures[:], s.tail.scalars[:]
	}
	const add, subtract = 0, ^uint64(0)
	for l := range s.base {
		s.base[l] = t.entryAddress(0)
	}
	planDigits(p, 0, &signatures[0][32], 64, &s.base, &t.baseWindow, add, s)
	for l := range s.base {
		key := keys[0] // for the lanes of missing votes
		if l < len(keys) {
			key = keys[l]
		}
		if uint(key) >= uint(t.keys) {
			panic("ifma: key index out of range")
		}
		s.base[l] = t.entryAddress(t.offset(int(key)))
	}
	planDigits(p, int(t.baseWindow.count), &scalars[0][0], 32, &s.base, &t.keyWindow, subtract, s)
}

// match compares s.words with the R of up to eight signatures.
func (s *Scratch) match(signatures [][64]byte) uint64 {
	if len(signatures) < Lanes {
		copy(s.tail.signatures[:], signatures)
		signatures = s.tail.signatures[:]
	}
	return matchRows(&s.words, &signatures[0][0], 64)
}

// belowOrder tells whether the 32 bytes of s are a number below the order of the base point.
func belowOrder(s []byte) bool {
	_ = s[31]
	top := binary.LittleEndian.Uint64(s[24:])
	if top != order[3] {
		return top < order[3]
	}
	for i := 2; i >= 0; i-- {
		w := binary.LittleEndian.Uint64(s[8*i:])
		if w != order[i] {
			return w < order[i]
		}
	}
	return false
}
