package ifma

import (
	"sync"
	"unsafe"
)

// Windows of secret scalars: 43 of 6 bits, with odd digits from -63 to 63.
const (
	oddBits    = 6
	oddWindows = 43
	oddEntries = 1 << (oddBits - 1)
)

// oddTable is the odd multiples 1, 3 ... 63 of 2^(6j) times the base point for each window j: for each limb of y+x, y-x
// and 2dxy one word for each multiple, so that four vectors hold all that a lane may choose from. 165 KB; the kernel
// knows the layout.
type oddTable [oddWindows][3 * numLimbs][oddEntries]uint64

// baseTable is built when it is first used, in about half a millisecond.
var baseTable = sync.OnceValue(func() *oddTable {
	memory := make([]byte, unsafe.Sizeof(oddTable{})+cacheLineBytes)
	t := (*oddTable)(unsafe.Pointer(unsafe.SliceData(aligned(memory, cacheLineBytes))))
	t.build()
	return t
})

// build fills the table, eight multiples of a window at a time.
func (t *oddTable) build() {
	s := NewScratch()
	copy(s.tail.encodings[0][:], basePoint[:])
	s.decodePair(&s.tail.encodings[0][0], 32)
	power, twice, step := &s.points[10], &s.points[11], &s.points[12]
	s.setAffine(power, &s.decode.x[0], &s.decode.y[0])
	power.broadcast(power, 0)
	for j := range t {
		doublePoint(twice, power, &s.room)
		p := &s.points[0]
		*p, *step = *power, *power
		for i := 1; i < Lanes; i++ { // 1, 3 ... 15 times
			addPoints(step, step, twice, &s.constants.twoD, &s.room)
			for l := i; l < Lanes; l++ {
				p.setLane(l, step)
			}
		}
		addPoints(step, step, power, &s.constants.twoD, &s.room) // 16 times
		const groups = oddEntries / Lanes
		for g := 1; g < groups; g++ {
			addPoints(&s.points[g], &s.points[g-1], step, &s.constants.twoD, &s.room)
		}
		s.invertAll(s.points[:groups])
		for g := range groups {
			t.put(j, g, s)
		}
		doubleTimes(power, oddBits, &s.room)
	}
}

// put writes the eight multiples of s.points[g], of which T is 1/(2Z), to window j.
func (t *oddTable) put(j, g int, s *Scratch) {
	p, x, y, q := &s.points[g], &s.decode.x[0], &s.decode.y[0], &s.affine
	sub(x, &p.Sum, &p.Diff)
	mul(x, x, &p.T)
	add(y, &p.Sum, &p.Diff)
	mul(y, y, &p.T)
	add(&q.Sum, y, x)
	sub(&q.Diff, y, x)
	mul(&q.T, x, y)
	mul(&q.T, &q.T, &s.constants.twoD)
	for part, e := range []*Element{&q.Sum, &q.Diff, &q.T} {
		for i := range e {
			copy(t[j][numLimbs*part+i][Lanes*g:], e[i][:])
		}
	}
}

// MultiplyBase sets out[i] to the encoding of the base point times scalars[i], for secret scalars below 2^255: the R of
// a signature for a nonce, or the public key for a clamped secret. out is as long as scalars, and may be the same.
// Groups of eight share a walk, and all of them (1,024 at a time) one inversion.
//
// Time and addresses depend on nothing but the number of scalars: entries of the table are picked by permuting
// registers, scalars are made odd and recoded without a branch. What remains in s is wiped before it returns.
func (s *Scratch) MultiplyBase(out, scalars [][32]byte) {
	out = out[:len(scalars)]
	for len(scalars) > 0 {
		n := min(len(scalars), maxGroups*Lanes)
		s.multiplyRound(out[:n], scalars[:n])
		out, scalars = out[n:], scalars[n:]
	}
	s.wipe()
}

// multiplyRound is MultiplyBase for scalars that share an inversion.
func (s *Scratch) multiplyRound(out, scalars [][32]byte) {
	groups := (len(scalars) + Lanes - 1) / Lanes
	table := baseTable()
	for g := range groups {
		some := scalars[Lanes*g : min(Lanes*g+Lanes, len(scalars))]
		if len(some) < Lanes {
			s.tail.scalars = [Lanes][32]byte{}
			copy(s.tail.scalars[:], some)
			some = s.tail.scalars[:]
		}
		multiplyBase(&s.points[g], &some[0][0], 32, table, &s.constants.inverseTwoD, &s.oddRoom)
	}
	s.invertAll(s.points[:groups])
	for g := range groups {
		encode(&s.words, &s.points[g], &s.points[g].T)
		some := out[Lanes*g : min(Lanes*g+Lanes, len(out))]
		if len(some) == Lanes {
			storeRows(&s.words, &some[0][0], 32)
			continue
		}
		storeRows(&s.words, &s.tail.scalars[0][0], 32)
		copy(some, s.tail.scalars[:])
	}
	clear(s.points[:groups])
}

// wipe clears what a walk with secrets leaves: recoded scalars, and points before they are normalized, whose Z tells
// about the scalar. The points themselves are cleared by the rounds.
func (s *Scratch) wipe() {
	s.oddRoom = [5]Element{}
	s.room = [4]Element{}
	s.inverse = [2]Element{}
	s.power = powerRoom{}
	s.words = Words{}
	s.tail.scalars = [Lanes][32]byte{}
}
