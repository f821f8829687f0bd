package lanes

import (
	"crypto/sha512"
	"fmt"
	"math"
	"testing"
	"time"
)

// Run with -bench . under taskset -c 1; KERNELS.md has the figures.

// each runs f under a name and reports the time of one of the n things that it does: on average, and at best, which is
// the figure to compare on a machine that others use as well.
func each(b *testing.B, name string, n int, f func()) {
	b.Run(name, func(b *testing.B) {
		const calls = 16
		best := time.Duration(math.MaxInt64)
		b.ReportAllocs()
		for b.Loop() {
			start := time.Now()
			for range calls {
				f()
			}
			best = min(best, time.Since(start))
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*calls*n), "ns/item")
		b.ReportMetric(float64(best.Nanoseconds())/float64(calls*n), "best-ns/item")
		b.ReportMetric(0, "ns/op") // of 16 calls: no use
	})
}

func sameLengths(b *testing.B, bytes, count int) *batch {
	lengths := make([]int, count)
	for i := range lengths {
		lengths[i] = bytes
	}
	return newBatch(newRand(b), lengths...)
}

func BenchmarkHashChallenges(b *testing.B) {
	s := new(Scratch)
	for _, bytes := range []int{92, 124} {
		for _, count := range []int{1, 2, 3, 8, 9, 16, 64, 1024} {
			in, dst := sameLengths(b, bytes, count), make([][32]byte, count)
			each(b, fmt.Sprintf("bytes=%d/batch=%d", bytes, count), count, func() {
				HashChallenges(dst, in.r, in.a, in.messages, s)
			})
		}
	}
}

func BenchmarkHashNonces(b *testing.B) {
	s := new(Scratch)
	for _, count := range []int{1, 16, 64} {
		in, dst := sameLengths(b, 92, count), make([][32]byte, count)
		each(b, fmt.Sprintf("bytes=92/batch=%d", count), count, func() { HashNonces(dst, in.r[0], in.messages, s) })
	}
}

func BenchmarkHashPieces(b *testing.B) {
	in := sameLengths(b, 92, 16)
	w := new(Scratch).work()
	for block := range uint64(2) {
		each(b, fmt.Sprintf("load8/block=%d", block), Lanes, func() {
			load8(&w.words[0], &in.r[0], &in.a[0], &in.messages[0], block)
		})
	}
	each(b, "compress8", Lanes, func() { compress8(&w.state[0], &w.words[0], 0xff) })
	each(b, "compress16", group, func() { compress16(&w.state, &w.words, 0xffff) })
	each(b, "reduceHash8", Lanes, func() { reduceHash8((*[Lanes][32]byte)(w.scalars[:]), &w.state[0]) })
	data := make([]byte, 156)
	each(b, "std", 1, func() { sha512.Sum512(data) })
}

func BenchmarkReduceWide(b *testing.B) {
	s, dst, wide := new(Scratch), make([][32]byte, 64), make([]Wide, 64)
	for _, count := range []int{1, 8, 64} {
		each(b, fmt.Sprintf("batch=%d", count), count, func() { ReduceWide(dst[:count], wide[:count], s) })
	}
}

func BenchmarkMulAdd(b *testing.B) {
	s, k := new(Scratch), randomScalars(newRand(b), 64)
	a := k[0]
	for _, count := range []int{1, 8, 64} {
		each(b, fmt.Sprintf("batch=%d", count), count, func() { MulAdd(k[:count], k[:count], k[:count], &a, s) })
	}
}

func BenchmarkAddProduct(b *testing.B) {
	k := randomScalars(newRand(b), 64)
	var z [16]byte
	copy(z[:], k[0][:])
	sums := make([]Wide, 64)
	each(b, "keys=1", 64, func() {
		for i := range k {
			sums[0].AddProduct(&z, &k[i])
		}
	})
	each(b, "keys=64", 64, func() {
		for i := range k {
			sums[i].AddProduct(&z, &k[i])
		}
	})
}

func BenchmarkCoefficients(b *testing.B) {
	c := new(Coefficients)
	for _, count := range []int{1, 24, 64, 1024} {
		dst := make([][16]byte, count)
		each(b, fmt.Sprintf("batch=%d", count), count, func() { c.Draw(dst) })
	}
}

func BenchmarkIsCanonical(b *testing.B) {
	k := randomScalars(newRand(b), 64)
	good := 0
	each(b, "canonical", 64, func() {
		for i := range k {
			if IsCanonical(&k[i]) {
				good++
			}
		}
	})
}
