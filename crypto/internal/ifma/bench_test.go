package ifma

import (
	"fmt"
	"testing"
)

func BenchmarkVerifyVotes(b *testing.B) {
	t, err := NewTables(testKeys(20), TableOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer t.Close()
	v, s := makeVotes(4096, 20), NewScratch()
	for _, n := range []int{8, 64, 256, 1024} {
		b.Run(fmt.Sprintf("keys=20/batch=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			ok := make([]bool, n)
			at := 0
			for b.Loop() {
				t.VerifyVotes(ok, v.keys[at:at+n], v.signatures[at:at+n], v.scalars[at:at+n], s)
				at = (at + n) % 4096
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/vote")
		})
	}
}

func BenchmarkNewTables(b *testing.B) {
	keys := testKeys(10)
	for b.Loop() {
		t, err := NewTables(keys, TableOptions{BaseWindow: MinWindow})
		if err != nil {
			b.Fatal(err)
		}
		t.Close()
	}
	b.ReportMetric(b.Elapsed().Seconds()*1e3/float64(10*b.N), "ms/key")
}

// BenchmarkKernels measures the pieces; KERNELS.md quotes it.
func BenchmarkKernels(b *testing.B) {
	s, r := NewScratch(), newRandom(b)
	for i := range s.points[:8] {
		s.points[i] = weirdPoint(r)
	}
	p, q := &s.points[0], &s.points[1]
	c := &s.constants
	run := func(name string, per int, f func()) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*per), "ns/each")
		})
	}
	run("mul", 1, func() { mul(&p.Sum, &p.Sum, &q.Sum) })
	run("mul/independent=4", 4, func() {
		mul(&p.Sum, &p.Sum, &q.Sum)
		mul(&p.Diff, &p.Diff, &q.Sum)
		mul(&p.Z, &p.Z, &q.Sum)
		mul(&p.T, &p.T, &q.Sum)
	})
	run("squareTimes", 200, func() { squareTimes(&s.decode.x, &s.decode.x, 100) })
	run("squareTimesOne", 100, func() { squareTimesOne(&s.decode.x[0], &s.decode.x[0], 100) })
	run("addMixed", 1, func() { addMixed(p, p, &s.affine, &s.room) })
	run("addPoints", 1, func() { addPoints(p, p, q, &c.twoD, &s.room) })
	run("doublePoint", 1, func() { doublePoint(p, p, &s.room) })
	run("doubleTimes/n=4", 4, func() { doubleTimes(p, 4, &s.room) })
	run("comb", 1, func() { comb(&s.orders.total, &s.orders.table[0], &s.orders.scalars, &s.orders.comb) })
	q4 := neutralQuad
	run("quadDouble", 100, func() { quadDouble(&q4, 100) })
	run("encode", 1, func() { encode(&s.words, p, &q.T) })
	run("invert", 1, func() { s.power.invert(&s.inverse) })
	run("invertOne", 1, func() { s.power.invertOne(&s.inverse[0]) })
	run("decodePair/per=point", decodePoints, func() { s.decodePair(&s.tail.encodings[0][0], 32) })
	t := newTestTables(b, testKeys(1), 6, 6)
	steps := int(t.baseWindow.count + t.keyWindow.count)
	ok, keys := make([]bool, Lanes), make([]int32, Lanes)
	plan := func() { t.planGroup(&s.plans[0], ok, keys, s.tail.signatures[:], s.tail.scalars[:], s) }
	plan()
	run("planGroup", 1, plan)
	run("walk/per=step", steps, func() { walk(p, &s.plans[0], &s.plans[0], steps, s, t.memory) })
}

// BenchmarkSum is the share of this package in the batch equation of orders: decoding R, and the sum with cached keys.
func BenchmarkSum(b *testing.B) {
	r, s, m := newRandom(b), NewScratch(), NewSum()
	const most = 1024
	encodings := make([]byte, most*64)
	for i := range most {
		p := compressed(randomPoint(r))
		copy(encodings[64*i:], p[:])
	}
	points, keys, ok := make([]CachedPoint, most), make([]Key, most), make([]bool, most)
	s.DecodeKeys(keys, ok, encodings, 64)
	short, long := make([][16]byte, most), make([][32]byte, most)
	for i := range most {
		z := littleEndian(weirdScalar(r))
		short[i], long[i] = [16]byte(z[:]), littleEndian(weirdScalar(r))
		short[i][15] &= 0x3f
	}
	for _, n := range []int{4, 16, 64, 256, most} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.DecodePoints(points[:n], ok[:n], encodings, 64)
				m.Begin(n)
				for i := range n {
					m.AddShort(&points[i], &short[i])
					m.AddKey(&keys[i], &long[i])
				}
				m.AddBase(&long[0])
				m.Vanishes()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/order")
		})
	}
	b.Run("Vanishes", func(b *testing.B) {
		for b.Loop() {
			m.Vanishes()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/each")
	})
	b.Run("DecodeKeys", func(b *testing.B) {
		for b.Loop() {
			s.DecodeKeys(keys[:16], ok[:16], encodings, 64)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(16*b.N), "ns/each")
	})
}

func BenchmarkMultiplyBase(b *testing.B) {
	r, s := newRandom(b), NewScratch()
	for _, n := range []int{8, 16, 64, 256} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			scalars, out := make([][32]byte, n), make([][32]byte, n)
			for i := range scalars {
				scalars[i] = littleEndian(weirdScalar(r))
			}
			for b.Loop() {
				s.MultiplyBase(out, scalars)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/sig")
		})
	}
}
