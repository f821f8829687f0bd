package crc32c

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// match compares both functions with hash/crc32.
func match(t interface{ Fatalf(string, ...any) }, crc uint32, prefix uint64, p []byte) {
	if got, want := Update(crc, p), crc32.Update(crc, castagnoli, p); got != want {
		t.Fatalf("Update(%#x, %d bytes) = %#x, hash/crc32 says %#x", crc, len(p), got, want)
	}
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], prefix)
	if got, want := Prefixed(&b, p), crc32.Update(crc32.Checksum(b[:], castagnoli), castagnoli, p); got != want {
		t.Fatalf("Prefixed(%#x, %d bytes) = %#x, hash/crc32 says %#x", prefix, len(p), got, want)
	}
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func newRand(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// TestMatchesHashCRC32: every length that begins and ends differently in words, blocks and chunks, and every place in a
// block.
func TestMatchesHashCRC32(t *testing.T) {
	r := newRand(t)
	const longest, places = 2100, 64
	data := randomBytes(r, longest+places)
	for n := range longest + 1 {
		crc, prefix := r.Uint32(), r.Uint64()
		for at := range places {
			match(t, crc, prefix, data[at:at+n])
		}
	}
}

func TestLongMatchesHashCRC32(t *testing.T) {
	r := newRand(t)
	data := randomBytes(r, 1<<20+64)
	for range 200 {
		at := r.IntN(64)
		match(t, r.Uint32(), r.Uint64(), data[at:at+r.IntN(len(data)-at)])
	}
	for _, n := range []int{4096, 170 << 10, 256 << 10, 1 << 20} {
		match(t, r.Uint32(), r.Uint64(), data[:n])
	}
}

// TestWeirdMatchesHashCRC32: each bit of a message by itself, so every multiplier by itself; all bits; and states that
// cancel the first bytes.
func TestWeirdMatchesHashCRC32(t *testing.T) {
	for _, n := range []int{8, 9, 15, 16, 63, 64, 65, 1023, 1024, 1025, 1032, 1088, 2048} {
		p := make([]byte, n)
		for _, crc := range []uint32{0, 1, 1 << 31, 1<<32 - 1} {
			match(t, crc, uint64(crc)<<32, p)
		}
		for bit := range 8 * n {
			p[bit/8] = 1 << (bit % 8)
			match(t, 0, 0, p)
			match(t, 1<<32-1, 1<<64-1, p)
			p[bit/8] = 0
		}
		for i := range p {
			p[i] = 0xff
		}
		match(t, 0, 1<<64-1, p)
		match(t, 1<<32-1, 0, p)
	}
}

// TestUpdateOfParts: a checksum that goes on from that of a part is that of all, wherever the parts meet.
func TestUpdateOfParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOfN(rapid.Byte(), 0, 3000).Draw(t, "p")
		cut := rapid.IntRange(0, len(p)).Draw(t, "cut")
		crc := rapid.Uint32().Draw(t, "crc")
		if got, want := Update(Update(crc, p[:cut]), p[cut:]), crc32.Update(crc, castagnoli, p); got != want {
			t.Fatalf("in parts %#x, hash/crc32 says %#x", got, want)
		}
		match(t, crc, rapid.Uint64().Draw(t, "prefix"), p[cut:])
	})
}

// TestGolden: RFC 3720, appendix B.4.
func TestGolden(t *testing.T) {
	ascending, descending := make([]byte, 32), make([]byte, 32)
	ones := make([]byte, 32)
	for i := range ascending {
		ascending[i], descending[i], ones[i] = byte(i), byte(31-i), 0xff
	}
	for _, c := range []struct {
		name string
		p    []byte
		want uint32
	}{
		{"zeros", make([]byte, 32), 0x8a9136aa},
		{"ones", ones, 0x62a8ab43},
		{"ascending", ascending, 0x46dd794e},
		{"descending", descending, 0x113fdb5c},
	} {
		if got := Update(0, c.p); got != c.want {
			t.Errorf("%s: %#x, want %#x", c.name, got, c.want)
		}
		if got := Prefixed((*[8]byte)(c.p), c.p[8:]); got != c.want {
			t.Errorf("%s, prefixed: %#x, want %#x", c.name, got, c.want)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	p := make([]byte, 400)
	if n := testing.AllocsPerRun(100, func() {
		Update(Prefixed((*[8]byte)(p), p), p)
		Update(Prefixed((*[8]byte)(p), p[:7]), p[:7])
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzMatchesHashCRC32(f *testing.F) {
	f.Add(uint32(0), uint64(0), []byte(nil))
	f.Add(uint32(1), uint64(1), make([]byte, 7))
	f.Add(^uint32(0), ^uint64(0), make([]byte, 1033))
	f.Fuzz(func(t *testing.T, crc uint32, prefix uint64, p []byte) { match(t, crc, prefix, p) })
}

// BenchmarkUpdate: a word, an order's record, two certificates', a block, a group; each with hash/crc32 beside it.
func BenchmarkUpdate(b *testing.B) {
	data := randomBytes(newRand(b), 170<<10)
	for _, n := range []int{8, 160, 300, 400, 4096, len(data)} {
		run := func(backend string, f func(p []byte)) {
			b.Run(fmt.Sprintf("bytes=%d/backend=%s", n, backend), func(b *testing.B) {
				b.SetBytes(int64(n))
				for b.Loop() {
					f(data[:n])
				}
			})
		}
		run("ours", func(p []byte) { sink = Update(sink, p) })
		run("hash", func(p []byte) { sink = crc32.Update(sink, castagnoli, p) })
	}
}

// BenchmarkPrefixed is a record's checksum.
func BenchmarkPrefixed(b *testing.B) {
	data := randomBytes(newRand(b), 512)
	for _, n := range []int{160, 300, 400} {
		b.Run(fmt.Sprintf("bytes=%d", n), func(b *testing.B) {
			for b.Loop() {
				sink += Prefixed((*[8]byte)(data), data[:n])
			}
		})
		b.Run(fmt.Sprintf("bytes=%d/backend=hash", n), func(b *testing.B) {
			for b.Loop() {
				sink += crc32.Update(crc32.Update(0, castagnoli, data[:8]), castagnoli, data[:n])
			}
		})
	}
}

var sink uint32
