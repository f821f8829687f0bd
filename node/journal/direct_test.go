package journal

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"
)

// TestDirectAndCachedVsBuffer mixes what a file does past the kernel's cache and through it, aligned and not, and
// compares all that is read with a buffer in memory.
func TestDirectAndCachedVsBuffer(t *testing.T) {
	dir, err := OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	const size = 64 * BlockSize
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 0))
		f, err := dir.Create("f")
		if err != nil {
			t.Fatal(err)
		}
		want := make([]byte, size)
		if err := f.WriteSync(want, 0); err != nil {
			t.Fatal(err)
		}
		other, err := dir.Open("f") // as readers have it beside the writer
		if err != nil {
			t.Fatal(err)
		}
		place := func(aligned bool) (b []byte, at int64) {
			if aligned {
				n := (1 + rng.IntN(40)) * BlockSize
				return alignedBytes(n)[:n], int64(rng.IntN((size-n)/BlockSize+1)) * BlockSize
			}
			b = make([]byte, 1+rng.IntN(3*BlockSize))
			return b, rng.Int64N(int64(size - len(b)))
		}
		for i := range 60 {
			b, at := place(rng.IntN(4) > 0)
			switch rng.IntN(3) {
			case 0:
				b[0], b[len(b)-1] = byte(i), byte(seed)
				copy(want[at:], b)
				if rng.IntN(4) == 0 {
					_, err = f.WriteAt(b, at)
				} else {
					err = f.WriteSync(b, at)
				}
			case 1:
				_, err = f.ReadAt(b, at)
			case 2:
				_, err = other.ReadAt(b, at)
			}
			if err != nil || !bytes.Equal(b, want[at:at+int64(len(b))]) {
				t.Fatalf("seed %d, step %d, %d bytes at %d: %v", seed, i, len(b), at, err)
			}
		}
		b := alignedBytes(2 * size)[:2*size]
		if n, err := other.ReadAt(b, 0); n != size || err != io.EOF || !bytes.Equal(b[:n], want) {
			t.Fatalf("seed %d: beyond the end: %d bytes, %v", seed, n, err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if err := other.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
