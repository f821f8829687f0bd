package ifma

import (
	"encoding/binary"
	"unsafe"
)

// Sum is a sum of multiples of points, [s1]P1 + [s2]P2 ..., for the batch equation of signatures. A lane is a window
// of the scalars: every point is added once for each group of windows, to the bucket of its digit in each lane, and
// Vanishes adds up the buckets once for all points. That is better than checking orders each for itself from two on.
//
// A Sum is about 700 KB, belongs to one goroutine, and allocates nothing after NewSum. Scalars and points are public:
// addresses depend on them.
type Sum struct {
	room        sumRoom
	short, long terms
	buckets     [maxBucketBytes]byte
	bucket      Point
	running     Point
	parts       [maxParts]Point
	entries     [maxParts]quadEntry
	total       quad
	window      quad
	product     Element
	factors     Element
	twoD        Element
	base        Key
	windows     windows
}

// sumChunk is the number of points that are added to buckets in one call of the kernel, below 20 µs; they and their
// digits stay in the first-level cache.
const sumChunk = 96

// terms are points that wait to be added, with the digits of each group of windows: a byte with sign for each lane.
// The kernel reads the digits of one point more.
type terms struct {
	points [sumChunk]CachedPoint
	digits [maxParts][sumChunk + 1]uint64
	words  int // of the scalars
	n      int
	used   bool // some points have been added
	_      [cacheLineBytes - 24]byte
}

// sumRoom is the memory of a bucket addition; the kernel knows its layout.
type sumRoom struct {
	room      [4]Element
	point     Point
	addresses [2][Lanes]uint64
}

// NewSum returns an empty sum, ready for many orders.
func NewSum() *Sum {
	memory := make([]byte, unsafe.Sizeof(Sum{})+cacheLineBytes)
	m := (*Sum)(unsafe.Pointer(unsafe.SliceData(aligned(memory, cacheLineBytes))))
	m.windows = manyWindows
	m.short.words, m.long.words = shortWords, longWords
	m.twoD.setAll(laneTwoD)
	m.factors = quadFactors()
	for at := 0; at < maxBucketBytes; at += bucketBytes {
		*bucketWords(&m.buckets[at]) = neutralWords
	}
	var keys [1]Key
	NewScratch().DecodeKeys(keys[:], []bool{false}, basePoint[:], 32)
	m.base = keys[0]
	return m
}

// Begin empties the sum and makes it ready for a batch of about so many orders: so many R, and as many keys.
func (m *Sum) Begin(orders int) {
	if m.short.n > 0 || m.short.used || m.long.n > 0 || m.long.used {
		m.Vanishes()
	}
	m.windows = fewWindows
	if orders >= manyOrders {
		m.windows = manyWindows
	}
}

// shortScalarBits is the size of the scalars of AddShort.
const shortScalarBits = 126

// AddShort adds [scalar]P. The scalar is little-endian and below 2^126; a larger one panics.
func (m *Sum) AddShort(p *CachedPoint, scalar *[16]byte) {
	low, high := binary.LittleEndian.Uint64(scalar[:]), binary.LittleEndian.Uint64(scalar[8:])
	if high>>(shortScalarBits-64) != 0 {
		panic("ifma: short scalar of more than 126 bits")
	}
	d := m.windows.offsetDigits([longWords]uint64{low, high})
	m.push(&m.short, p, d[:shortWords])
}

// AddKey adds [scalar]A. The scalar is little-endian and below 2^253; a larger one panics.
func (m *Sum) AddKey(k *Key, scalar *[32]byte) {
	d := m.windows.offsetDigits(longScalar(scalar))
	m.push(&m.short, &k.Point, d[:shortWords])
	m.push(&m.short, &k.High, d[shortWords:])
}

// AddBase adds [scalar]B. The scalar is little-endian and below 2^253; a larger one panics.
func (m *Sum) AddBase(scalar *[32]byte) { m.AddKey(&m.base, scalar) }

// SubBase adds [-scalar]B. The scalar is little-endian and below the order; a larger one panics.
func (m *Sum) SubBase(scalar *[32]byte) {
	if !belowOrder(scalar[:]) {
		panic("ifma: scalar is not reduced")
	}
	var negative [32]byte
	putWords(negative[:], minusScalar(wordsOf(scalar[:])))
	m.AddBase(&negative)
}

// AddPoint adds [scalar]P for a point without its 2^128 multiple. The scalar is little-endian and below 2^253; a
// larger one panics. The additions are as many as those of AddKey, but the first such point of a sum makes Vanishes
// twice as long.
func (m *Sum) AddPoint(p *CachedPoint, scalar *[32]byte) {
	d := m.windows.offsetDigits(longScalar(scalar))
	m.push(&m.long, p, d[:])
}

func longScalar(scalar *[32]byte) [longWords]uint64 {
	w := wordsOf(scalar[:])
	if w[3]>>(scalarLimitBits-192) != 0 {
		panic("ifma: scalar of more than 253 bits")
	}
	return w
}

// Vanishes tells whether 8 times the sum is the neutral element, and empties the sum.
func (m *Sum) Vanishes() bool {
	m.flush(&m.short)
	m.flush(&m.long)
	words := shortWords
	if m.long.used {
		words = longWords
	}
	parts := words * m.windows.groups
	for g := range parts {
		m.collect(g)
	}
	m.short.used, m.long.used = false, false
	m.combine(parts)
	quadDouble(&m.total, 3)
	return m.total.isNeutral()
}

// push adds a term with its digits to those that wait.
func (m *Sum) push(t *terms, p *CachedPoint, digits []uint64) {
	t.points[t.n] = *p
	for i, word := range digits {
		for k := range m.windows.groups {
			t.digits[m.windows.groups*i+k][t.n] = m.windows.group(word, k)
		}
	}
	t.n++
	if t.n == sumChunk {
		m.flush(t)
	}
}

// flush adds the waiting terms to the buckets.
func (m *Sum) flush(t *terms) {
	if t.n == 0 {
		return
	}
	for g := range t.words * m.windows.groups {
		bucketsAdd(m.group(g), m.windows.stride(), &t.points[0], &t.digits[g][0], t.n, &m.room)
	}
	t.n, t.used = 0, true
}

// group is the first bucket of a group of windows.
func (m *Sum) group(g int) *byte { return &m.buckets[g*Lanes*m.windows.stride()] }

// collect sets part g to the sum of the buckets of group g, each times its digit, and empties them. Counting down,
// every bucket is added to the running sum, and that to the part: bucket b is added b times.
func (m *Sum) collect(g int) {
	m.running, m.parts[g] = neutral, neutral
	for b := m.windows.buckets - 1; b >= 0; b-- {
		bucketsTake(&m.bucket, rowPointer(m.group(g), bucketBytes, b), m.windows.stride())
		if b > 0 {
			addPoints(&m.running, &m.running, &m.bucket, &m.twoD, &m.room.room)
			addPoints(&m.parts[g], &m.parts[g], &m.running, &m.twoD, &m.room.room)
		}
	}
}

var neutral = Point{Sum: broadcastLane(laneOne), Diff: broadcastLane(laneOne), Z: broadcastLane(laneOne)}

// combine sets total to the sum of all windows of the parts. The windows of two parts are joined side by side from the
// highest to the lowest, then the parts.
func (m *Sum) combine(parts int) {
	for g := 0; g < parts; g += 2 {
		lower, upper := &m.entries[g], &m.entries[g+1]
		m.total = neutralQuad
		for l := Lanes - 1; l >= 0; l-- {
			if l < Lanes-1 {
				quadDouble(&m.total, m.windows.bits)
			}
			m.window.setHalf(0, &m.parts[g], l)
			m.window.setHalf(1, &m.parts[g+1], l)
			m.window.entries(lower, upper, &m.product, &m.factors)
			quadAdd(&m.total, lower, upper)
		}
		m.total.entries(lower, upper, &m.product, &m.factors)
	}
	m.total = neutralQuad
	for g := parts - 1; g >= 0; g-- {
		if g < parts-1 {
			quadDouble(&m.total, m.windows.bits*Lanes)
		}
		quadAdd(&m.total, &m.entries[g], &neutralEntry)
	}
}
