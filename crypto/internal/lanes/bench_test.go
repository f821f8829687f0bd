package lanes

import (
	"crypto/sha512"
	"fmt"
	"testing"
)

func BenchmarkHashChallenges(b *testing.B) {
	r := newRand(b)
	for _, bytes := range []int{92, 124} {
		for _, count := range []int{1, 2, 3, 4, 8, 9, 12, 16, 64, 1024} {
			lengths := make([]int, count)
			for i := range lengths {
				lengths[i] = bytes
			}
			in := newBatch(r, lengths...)
			dst, s := make([][32]byte, count), new(Scratch)
			b.Run(fmt.Sprintf("bytes=%d/batch=%d", bytes, count), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					HashChallenges(dst, in.r, in.a, in.messages, s)
				}
				perItem(b, count)
			})
		}
	}
}

// perItem reports the time of one of n things that an iteration does.
func perItem(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/item")
}

func BenchmarkHashOne(b *testing.B) {
	in := newBatch(newRand(b), 92)
	var dst [32]byte
	s := new(Scratch)
	b.Run("std+generic", func(b *testing.B) {
		for b.Loop() {
			hashOne(&dst, in.r[0], in.a[0][:], in.messages[0], s)
		}
	})
	data := make([]byte, 156)
	b.Run("std", func(b *testing.B) {
		for b.Loop() {
			sha512.Sum512(data)
		}
	})
}

func BenchmarkHashPieces(b *testing.B) {
	in := newBatch(newRand(b), 92, 92, 92, 92, 92, 92, 92, 92)
	var s Scratch
	w := s.work()
	for block := range uint64(2) {
		b.Run(fmt.Sprintf("load8/block=%d", block), func(b *testing.B) {
			for b.Loop() {
				load8(&w.words[0], &in.r[0], &in.a[0], &in.messages[0], block)
			}
			perItem(b, Lanes)
		})
	}
	b.Run("compress8", func(b *testing.B) {
		for b.Loop() {
			compress8(&w.state[0], &w.words[0], 0xff)
		}
		perItem(b, Lanes)
	})
	b.Run("compress16", func(b *testing.B) {
		for b.Loop() {
			compress16(&w.state, &w.words, 0xffff)
		}
		perItem(b, group)
	})
	b.Run("reduceHash8", func(b *testing.B) {
		for b.Loop() {
			reduceHash8((*[Lanes][32]byte)(w.scalars[:]), &w.state[0])
		}
		perItem(b, Lanes)
	})
}
