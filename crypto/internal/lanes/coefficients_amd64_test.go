//go:build !purego

package lanes

import (
	"crypto/aes"
	"encoding/binary"
	"testing"
)

// TestCoefficientsMatchAES compares the kernel with the standard library's cipher, for every count and across calls.
func TestCoefficientsMatchAES(t *testing.T) {
	before := Supported
	defer func() { Supported = before }()
	ran := false
	for _, Supported = range []bool{true, false} {
		if Supported && !before || !Supported && !supportsAES {
			continue
		}
		testCoefficientsMatchAES(t)
		ran = true
	}
	if !ran {
		t.Skip("no kernels on this processor")
	}
}

func testCoefficientsMatchAES(t *testing.T) {
	r := newRand(t)
	counts := []int{0, mostCoefficients - 1, mostCoefficients, mostCoefficients + 1, 2*mostCoefficients + 5}
	for n := range 40 {
		counts = append(counts, n)
	}
	var c Coefficients
	for _, n := range counts {
		copy(c.seed[:], randomBytes(r, len(c.seed)))
		dst := make([][16]byte, n+1)
		dst[n] = [16]byte(randomBytes(r, 16))
		behind := dst[n]
		c.fill(dst[:n])
		block, err := aes.NewCipher(c.seed[:16])
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			var want [16]byte
			binary.LittleEndian.PutUint64(want[:], uint64(i))
			block.Encrypt(want[:], want[:])
			want[15] &= 0x3f
			if dst[i] != want {
				t.Fatalf("coefficient %d of %d: got %x, want %x", i, n, dst[i], want)
			}
		}
		if dst[n] != behind {
			t.Fatalf("%d coefficients: wrote behind them", n)
		}
	}
}
