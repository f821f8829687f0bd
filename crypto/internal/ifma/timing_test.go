package ifma

import (
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"
)

// TestMultiplyBaseTiming compares the time of MultiplyBase for scalars of two kinds, as dudect does (Reparaz, Balasch,
// Verbauwhede 2017): Welch's t of random scalars against fixed ones that a leaking implementation would treat
// differently. It needs a quiet machine, so it runs only with FASTPAY_TIMING=1.
func TestMultiplyBaseTiming(t *testing.T) {
	if os.Getenv("FASTPAY_TIMING") != "1" {
		t.Skip("set FASTPAY_TIMING=1 on a quiet machine")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	fixed := map[string]*big.Int{
		"zero": big.NewInt(0), "one": big.NewInt(1), "even": big.NewInt(1 << 40),
		"order-1": new(big.Int).Sub(bigOrder, big.NewInt(1)), "2^252": new(big.Int).Lsh(big.NewInt(1), 252),
	}
	for name, v := range fixed {
		if statistic := welch(t, littleEndian(v)); math.Abs(statistic) > 4.5 {
			t.Errorf("%s: t = %.1f, so time depends on the scalar", name, statistic)
		} else {
			t.Logf("%s: t = %.1f", name, statistic)
		}
	}
}

// welch measures both kinds in random order, drops the slowest tenth (interrupts), and returns the statistic.
func welch(t *testing.T, fixed [32]byte) float64 {
	r, s := newRandom(t), NewScratch()
	var times [2][]float64
	scalars, out := make([][32]byte, Lanes), make([][32]byte, Lanes)
	for range 100_000 {
		kind := r.IntN(2)
		for i := range scalars {
			random := randomScalarBytes(r)
			scalars[i] = [2][32]byte{random, fixed}[kind]
		}
		start := time.Now()
		s.MultiplyBase(out, scalars)
		times[kind] = append(times[kind], float64(time.Since(start)))
	}
	limit := slices.Sorted(slices.Values(slices.Concat(times[0], times[1])))[90_000]
	var mean, variance [2]float64
	for kind, all := range times {
		var n, sum, squares float64
		for _, x := range all {
			if x < limit {
				n, sum, squares = n+1, sum+x, squares+x*x
			}
		}
		mean[kind] = sum / n
		variance[kind] = (squares/n - mean[kind]*mean[kind]) / n
	}
	return (mean[0] - mean[1]) / math.Sqrt(variance[0]+variance[1])
}

func randomScalarBytes(r *rand.Rand) [32]byte {
	b := randomEncoding(r)
	b[31] &= 0x0f
	return b
}
