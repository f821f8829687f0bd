package ifma

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// Digits of scalars in a Sum: 8 bits with sign, from -128 to 127. A group of eight windows is one pass over the points.
const (
	digitBits    = 8
	bucketsLane  = 1<<(digitBits-1) + 1 // absolute values 0 to 128; nobody reads those of 0
	shortGroups  = 2                    // 128 bits
	longGroups   = 4                    // 256 bits
	bucketStride = bucketsLane * 160    // bytes of the buckets of a lane
)

// sumChunk is the number of points that are added to buckets in one call of the kernel, below 20 µs; they and their
// digits stay in the first-level cache.
const sumChunk = 96

// sumRoom is the memory of a bucket addition; the kernel knows its layout.
type sumRoom struct {
	room      [4]Element
	point     Point
	addresses [2][Lanes]uint64
}

// terms are points that wait to be added, with the digits of each group of windows.
type terms struct {
	n      int
	points [sumChunk]CachedPoint
	digits [longGroups][sumChunk + 1]uint64 // a byte with sign for each lane; the kernel reads one more
}

// Sum is a sum of multiples of points, [s1]P1 + [s2]P2 ..., for the batch equation of signatures. A lane is a window of
// the scalars: every point is added once for each window, to the bucket of its digit there, and Vanishes adds up the
// buckets, 128 times as many additions once for all points. So a sum pays from about 24 points on.
//
// A Sum is about 700 KB, belongs to one goroutine, and allocates nothing after NewSum. Scalars and points are public:
// addresses depend on them.
type Sum struct {
	room        sumRoom
	short, long terms
	longUsed    bool
	running     Point // sum of the buckets from the last to the current one
	bucket      Point
	parts       [longGroups]Point
	groups      [longGroups]quadEntry
	total       quad
	window      quad
	product     Element
	factors     Element
	twoD        Element
	base        Key
	buckets     [longGroups][Lanes * bucketStride]byte
}

// NewSum returns an empty sum.
func NewSum() *Sum {
	memory := make([]byte, unsafe.Sizeof(Sum{})+cacheLineBytes)
	m := (*Sum)(unsafe.Pointer(unsafe.SliceData(aligned(memory, cacheLineBytes))))
	m.twoD.setAll(laneTwoD)
	m.factors = quadFactors()
	for g := range m.buckets {
		for i := range Lanes * bucketsLane {
			*bucketWords(&m.buckets[g][160*i]) = neutralWords
		}
	}
	var keys [1]Key
	NewScratch().DecodeKeys(keys[:], []bool{false}, basePoint[:], 32)
	m.base = keys[0]
	return m
}

// shortScalarBits is the size of the scalars of AddShort.
const shortScalarBits = 126

// AddShort adds [scalar]P. The scalar is little-endian and below 2^126; a larger one panics.
func (m *Sum) AddShort(p *CachedPoint, scalar *[16]byte) {
	low, high := binary.LittleEndian.Uint64(scalar[:]), binary.LittleEndian.Uint64(scalar[8:])
	if high>>(shortScalarBits-64) != 0 {
		panic("ifma: short scalar of more than 126 bits")
	}
	t := &m.short
	d := signedDigits([4]uint64{low, high})
	t.points[t.n] = *p
	m.push(t, &d, shortGroups)
}

// AddKey adds [scalar]A. The scalar is little-endian and below 2^253; a larger one panics.
func (m *Sum) AddKey(k *Key, scalar *[32]byte) {
	d := signedDigits(longScalar(scalar))
	t := &m.short
	t.points[t.n] = k.Point
	m.push(t, &d, shortGroups)
	high := [longGroups]uint64{d[2], d[3]}
	t.points[t.n] = k.High
	m.push(t, &high, shortGroups)
}

// AddBase adds [scalar]B. The scalar is little-endian and below 2^253; a larger one panics.
func (m *Sum) AddBase(scalar *[32]byte) { m.AddKey(&m.base, scalar) }

// AddPoint adds [scalar]P for a point without its 2^128 multiple. The scalar is little-endian and below 2^253; a
// larger one panics. The additions are as many as those of AddKey, but the first such point of a sum makes Vanishes
// twice as long.
func (m *Sum) AddPoint(p *CachedPoint, scalar *[32]byte) {
	t := &m.long
	d := signedDigits(longScalar(scalar))
	t.points[t.n] = *p
	m.longUsed = true
	m.push(t, &d, longGroups)
}

// longScalarBits is the size of the scalars of AddKey and AddPoint. Far larger ones would lose a carry at the top.
const longScalarBits = 253

func longScalar(scalar *[32]byte) [4]uint64 {
	w := wordsOf(scalar[:])
	if w[3]>>(longScalarBits-192) != 0 {
		panic("ifma: scalar of more than 253 bits")
	}
	return w
}

// push completes the term at t.n with its digits.
func (m *Sum) push(t *terms, digits *[longGroups]uint64, groups int) {
	for g := range groups {
		t.digits[g][t.n] = digits[g]
	}
	t.n++
	if t.n == sumChunk {
		m.flush(t, groups)
	}
}

// flush adds the waiting terms to the buckets.
func (m *Sum) flush(t *terms, groups int) {
	if t.n == 0 {
		return
	}
	for g := range groups {
		bucketsAdd(&m.buckets[g][0], bucketStride, &t.points[0], &t.digits[g][0], t.n, &m.room)
	}
	t.n = 0
}

// signedDigits cuts a scalar below 2^253 into bytes with sign, eight to a word: word g holds those that weigh 2^(64g) to
// 2^(64g+56). With 128 added to every byte the digits are the bytes less 128 again; what a digit borrows from the next
// one is then a plain carry. A scalar below 2^126 has no digits beyond word 1.
func signedDigits(scalar [4]uint64) (d [longGroups]uint64) {
	const offset = 0x8080808080808080
	var carry uint64
	for g, w := range scalar {
		w, carry = bits.Add64(w, offset, carry)
		d[g] = w ^ offset
	}
	return d
}

// Vanishes tells whether 8 times the sum is the neutral element, and empties the sum.
func (m *Sum) Vanishes() bool {
	m.flush(&m.short, shortGroups)
	m.flush(&m.long, longGroups)
	groups := shortGroups
	if m.longUsed {
		groups = longGroups
	}
	m.longUsed = false
	for g := range groups {
		m.collect(g)
	}
	m.combine(groups)
	quadDouble(&m.total, 3)
	return m.total.isNeutral()
}

// Reset empties the sum.
func (m *Sum) Reset() { m.Vanishes() }

// collect sets part g to the sum of the buckets of group g, each times its digit, and empties them. Counting down, every
// bucket is added to the running sum, and that to the part: bucket b is added b times.
func (m *Sum) collect(g int) {
	m.running, m.parts[g] = neutral, neutral
	for b := bucketsLane - 1; b > 0; b-- {
		bucketsTake(&m.bucket, &m.buckets[g][160*b], bucketStride)
		addPoints(&m.running, &m.running, &m.bucket, &m.twoD, &m.room.room)
		addPoints(&m.parts[g], &m.parts[g], &m.running, &m.twoD, &m.room.room)
	}
}

var neutral = Point{Sum: broadcastLane(laneOne), Diff: broadcastLane(laneOne), Z: broadcastLane(laneOne)}

// combine sets total to the sum of all windows of groups parts. The windows of two groups are joined side by side from the
// highest to the lowest, then the groups.
func (m *Sum) combine(groups int) {
	for g := 0; g < groups; g += 2 {
		m.total = neutralQuad
		for l := Lanes - 1; l >= 0; l-- {
			quadDouble(&m.total, digitBits)
			m.window.setHalf(0, &m.parts[g], l)
			m.window.setHalf(1, &m.parts[g+1], l)
			m.window.entries(&m.groups[g], &m.groups[g+1], &m.product, &m.factors)
			quadAdd(&m.total, &m.groups[g], &m.groups[g+1])
		}
		m.total.entries(&m.groups[g], &m.groups[g+1], &m.product, &m.factors)
	}
	m.total = neutralQuad
	for g := groups - 1; g >= 0; g-- {
		if g < groups-1 {
			quadDouble(&m.total, digitBits*Lanes)
		}
		quadAdd(&m.total, &m.groups[g], &neutralEntry)
	}
}
