package ifma

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve"
)

// weirdShort is a number below 2^126, often at the limits of digits: bytes of 0x7f, 0x80 and 0x81, and the largest.
func weirdShort(r *rand.Rand) *big.Int {
	var b [32]byte
	choices := []byte{0x00, 0x01, 0x7e, 0x7f, 0x80, 0x81, 0xff}
	for i := range 16 {
		b[i] = byte(r.Uint32())
		if r.IntN(2) == 0 {
			b[i] = choices[r.IntN(len(choices))]
		}
	}
	if r.IntN(8) == 0 {
		for i := range 16 {
			b[i] = choices[2+r.IntN(5)]
		}
	}
	b[15] &= 0x3f
	return fromLittleEndian(b)
}

// weirdLong is a number below 2^253 of the same kind, not always below the order.
func weirdLong(r *rand.Rand) *big.Int {
	if r.IntN(2) == 0 {
		return weirdScalar(r)
	}
	v := new(big.Int).Lsh(weirdShort(r), 127)
	return v.Add(v, weirdShort(r))
}

// times is [v]P.
func times(v *big.Int, p *curve.EdwardsPoint) *curve.EdwardsPoint {
	r := new(curve.EdwardsPoint).Identity()
	for i := v.BitLen() - 1; i >= 0; i-- {
		r.Add(r, r)
		if v.Bit(i) == 1 {
			r.Add(r, p)
		}
	}
	return r
}

// testPoints are a few points with their cached forms.
type testPoints struct {
	points []*curve.EdwardsPoint
	cached []CachedPoint
	keys   []Key
}

func newTestPoints(t testing.TB, r *rand.Rand, s *Scratch, n int) (p testPoints) {
	var encodings []byte
	for range n {
		q := randomPoint(r)
		b := compressed(q)
		encodings = append(encodings, b[:]...)
		p.points = append(p.points, q)
	}
	p.cached, p.keys = make([]CachedPoint, n), make([]Key, n)
	ok := make([]bool, n)
	s.DecodePoints(p.cached, ok, encodings, 32)
	for i := range ok {
		if !ok[i] {
			t.Fatalf("point %d does not decode", i)
		}
	}
	s.DecodeKeys(p.keys, ok, encodings, 32)
	return p
}

// A sum to which its own negative is added vanishes, and with anything more it does not, unless that is of small order.
func TestSumVsVoi(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		r, s, m := newRandom(t), NewScratch(), NewSum()
		p := newTestPoints(t, r, s, 20)
		sizes := []int{0, 1, 2, 31, 47, 48, 49, 95, 96, 97, 200}
		if testing.Short() || !useKernels {
			sizes = []int{0, 3, 49}
		}
		for _, n := range sizes {
			for _, long := range []bool{false, true} {
				for last := range 3 {
					m.Begin([]int{n, manyOrders}[r.IntN(2)])
					total := addTerms(r, m, &p, n, long)
					requireVanishes(t, r, s, m, total, last, fmt.Sprintf("%d terms, long %v, last %d", n, long, last))
				}
			}
		}
	})
}

// addTerms adds n random terms of each kind and returns their sum.
func addTerms(r *rand.Rand, m *Sum, p *testPoints, n int, long bool) *curve.EdwardsPoint {
	total := new(curve.EdwardsPoint).Identity()
	for range n {
		i, j := r.IntN(len(p.points)), r.IntN(len(p.points))
		short, other := weirdShort(r), weirdLong(r)
		w := littleEndian(short)
		m.AddShort(&p.cached[i], (*[16]byte)(w[:]))
		total.Add(total, times(short, p.points[i]))
		if w := littleEndian(other); long && r.IntN(2) == 0 {
			m.AddPoint(&p.cached[j], &w)
		} else {
			m.AddKey(&p.keys[j], &w)
		}
		total.Add(total, times(other, p.points[j]))
	}
	base := weirdLong(r)
	w := littleEndian(base)
	m.AddBase(&w)
	total.Add(total, times(base, curve.ED25519_BASEPOINT_POINT))
	base = weirdScalar(r)
	w = littleEndian(base)
	m.SubBase(&w)
	return total.Sub(total, times(base, curve.ED25519_BASEPOINT_POINT))
}

// requireVanishes adds the negative of total, and also: nothing (0), a point of small order (1), or the base point (2).
func requireVanishes(
	t *testing.T, r *rand.Rand, s *Scratch, m *Sum, total *curve.EdwardsPoint, last int, name string,
) {
	t.Helper()
	negative := new(curve.EdwardsPoint).Neg(total)
	switch last {
	case 1:
		negative.Add(negative, smallOrderPoints()[r.IntN(8)])
	case 2:
		negative.Add(negative, curve.ED25519_BASEPOINT_POINT)
	}
	b := compressed(negative)
	var c [1]CachedPoint
	s.DecodePoints(c[:], make([]bool, 1), b[:], 32)
	m.AddShort(&c[0], &[16]byte{1})
	if got := m.Vanishes(); got != (last != 2) {
		t.Fatalf("%s: vanishes %v", name, got)
	}
	if !m.Vanishes() {
		t.Fatalf("%s: not empty afterwards", name)
	}
}

func TestSumRefusesLargeScalars(t *testing.T) {
	m := NewSum()
	for name, f := range map[string]func(){
		"short": func() { m.AddShort(&neutralPoint, &[16]byte{15: 1 << 6}) },
		"key":   func() { m.AddBase(&[32]byte{31: 1 << 5}) },
		"minus": func() { m.SubBase((*[32]byte)(slices.Repeat([]byte{0xff}, 32))) },
		"point": func() { m.AddPoint(&neutralPoint, &[32]byte{31: 1 << 5}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: accepted", name)
				}
			}()
			f()
		}()
	}
}

func TestWindowsVsBig(t *testing.T) {
	r := newRandom(t)
	for range rounds(laneOperations) {
		v := weirdLong(r)
		b := littleEndian(v)
		for _, w := range []windows{fewWindows, manyWindows} {
			words, got := w.offsetDigits(wordsOf(b[:])), new(big.Int)
			for i := longWords*w.groups*Lanes - 1; i >= 0; i-- {
				word, group, l := words[i/Lanes/w.groups], i/Lanes%w.groups, i%Lanes
				digit := int64(int8(w.group(word, group) >> (8 * l)))
				if digit < -(1<<w.bits)/2 || digit >= 1<<w.bits/2 {
					t.Fatalf("%x: digit %d of %d bits", v, digit, w.bits)
				}
				got.Lsh(got, uint(w.bits))
				got.Add(got, big.NewInt(digit))
			}
			if got.Cmp(v) != 0 {
				t.Fatalf("%x: digits of %d bits are those of %x", v, w.bits, got)
			}
		}
	}
}

// A sum that is abandoned leaves nothing for the next one.
func TestBeginEmpties(t *testing.T) {
	r, s, m := newRandom(t), NewScratch(), NewSum()
	p := newTestPoints(t, r, s, 4)
	for _, n := range []int{1, 200} {
		for _, orders := range []int{1, manyOrders} {
			m.Begin(orders)
			addTerms(r, m, &p, n, true)
			m.Begin(manyOrders + 1 - orders)
			requireVanishes(t, r, s, m, new(curve.EdwardsPoint).Identity(), 0, "empty")
		}
	}
}

func TestBucketsVsTwins(t *testing.T) {
	r := newRandom(t)
	var room sumRoom
	count := manyWindows.buckets
	const stride = bucketBytes * (1<<7 + 1)
	for range rounds(laneOperations / sumChunk) {
		var buckets [Lanes * stride]byte
		for i := range Lanes * count {
			v := lanePoint{weirdLane(r, reducedLimit), weirdLane(r, reducedLimit), weirdLane(r, reducedLimit),
				weirdLane(r, reducedLimit)}
			*bucketWords(&buckets[bucketBytes*i]) = v.words()
		}
		twin := buckets
		var points [sumChunk]CachedPoint
		var digits [sumChunk + 1]uint64 // one more than points
		for i := range points {
			for k := range 3 {
				v := weirdLane(r, reducedLimit)
				copy(points[i][numLimbs*k:], v[:])
			}
			for l := range Lanes {
				digits[i] |= uint64([]byte{0x80, 0x81, 0xff, 0, 1, 0x7f, byte(r.IntN(256)), 5}[r.IntN(8)]) << (8 * l)
			}
		}
		bucketsAdd(&buckets[0], stride, &points[0], &digits[0], len(points), &room)
		bucketsAddGeneric(&twin[0], stride, &points[0], &digits[0], len(points), nil)
		if buckets != twin {
			t.Fatalf("digits %v of points %x", digits, points)
		}
		b := bucketBytes * r.IntN(count)
		var out, outTwin Point
		bucketsTake(&out, &buckets[b], stride)
		bucketsTakeGeneric(&outTwin, &twin[b], stride)
		if buckets != twin || out != outTwin {
			t.Fatal("take")
		}
		q := Affine{weirdElement(r, reducedLimit), weirdElement(r, reducedLimit), weirdElement(r, reducedLimit)}
		var cached, cachedTwin [Lanes]CachedPoint
		storeCached(&cached[0], &q)
		if storeCachedGeneric(&cachedTwin[0], &q); cached != cachedTwin {
			t.Fatal("store")
		}
	}
}

func TestDecodePointsMarksTheBadOnes(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		r, s := newRandom(t), NewScratch()
		for _, n := range []int{0, 1, 15, 16, 17, 50} {
			encodings, want := make([]byte, n*64), make([]bool, n)
			for i := range n {
				b := randomEncoding(r)
				copy(encodings[64*i:], b[:])
				var p curve.EdwardsPoint
				_, err := p.SetCompressedY((*curve.CompressedEdwardsY)(b[:]))
				want[i] = err == nil
			}
			points, keys, ok := make([]CachedPoint, n), make([]Key, n), make([]bool, n)
			s.DecodePoints(points, ok, encodings, 64)
			okKeys := make([]bool, n)
			s.DecodeKeys(keys, okKeys, encodings, 64)
			for i := range n {
				if ok[i] != want[i] || okKeys[i] != want[i] || !ok[i] && points[i] != neutralPoint {
					t.Fatalf("point %d of %d: %v %v, want %v", i, n, ok[i], okKeys[i], want[i])
				}
			}
		}
	})
}

func TestSumAllocatesNothing(t *testing.T) {
	r, s, m := newRandom(t), NewScratch(), NewSum()
	p := newTestPoints(t, r, s, 4)
	orders := 1
	encodings, ok := make([]byte, 20*32), make([]bool, 20)
	points, keys := make([]CachedPoint, 20), make([]Key, 20)
	if n := testing.AllocsPerRun(3, func() {
		s.DecodePoints(points, ok, encodings, 32)
		s.DecodeKeys(keys, ok, encodings, 32)
		m.Begin(orders)
		orders += 60
		m.AddShort(&p.cached[0], &[16]byte{5, 6})
		m.AddPoint(&p.cached[1], &[32]byte{5, 6})
		m.AddBase(&[32]byte{7, 8, 9})
		m.Vanishes()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
