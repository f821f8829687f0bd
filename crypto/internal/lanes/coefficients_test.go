package lanes

import (
	"math/bits"
	"testing"
)

func TestCoefficientsAreFreshAndInRange(t *testing.T) {
	t.Run("kernel", func(t *testing.T) { testCoefficients(t, (*Coefficients).Draw) })
	t.Run("generic", func(t *testing.T) {
		testCoefficients(t, func(c *Coefficients, dst [][16]byte) {
			c.seed = [32]byte{byte(drawn)}
			drawn++
			c.fillGeneric(dst)
			clear(c.seed[:])
		})
	})
}

var drawn int // seeds of the generic stream

func testCoefficients(t *testing.T, draw func(*Coefficients, [][16]byte)) {
	var c Coefficients
	const n = 20_000
	dst := make([][16]byte, n)
	seen := make(map[[16]byte]bool, 2*n)
	ones := [128]int{}
	for range 2 { // two batches never share a stream
		draw(&c, dst)
		for _, z := range dst {
			if seen[z] || z == [16]byte{} || z[15] > 0x3f {
				t.Fatalf("coefficient %x is zero, too large, or came twice", z)
			}
			seen[z] = true
			for i := range ones {
				ones[i] += int(z[i/8] >> (i % 8) & 1)
			}
		}
	}
	for i, got := range ones[:126] { // 40,000 fair coins: 10 standard deviations are 1,000
		if got < n-1000 || got > n+1000 {
			t.Errorf("bit %d is set in %d of %d coefficients", i, got, 2*n)
		}
	}
	if c.seed != [32]byte{} {
		t.Error("the seed is still there")
	}
	if bits.Len64(coefficientTop) != 62 {
		t.Error("coefficients have not 126 bits")
	}
}

func TestCoefficientsDoNotAllocate(t *testing.T) {
	c, dst := new(Coefficients), make([][16]byte, 64)
	if n := testing.AllocsPerRun(20, func() { c.Draw(dst) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
