package lanes

import (
	"math/big"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// laneOps is how many lanes each kernel is compared with its twin for.
const laneOps = 1_000_000

// newRand returns a generator whose seed is shown if the test fails; LANES_SEED repeats a run.
func newRand(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
	if s := os.Getenv("LANES_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal("LANES_SEED: ", err)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("rerun: LANES_SEED=%d go test -run '^%s$' ./crypto/internal/lanes", seed, t.Name())
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}

// ops scales the length of a test: LANES_FACTOR=100 makes the long run that KERNELS.md records.
func ops(total int) int {
	if testing.Short() {
		return total / 20
	}
	if f, err := strconv.Atoi(os.Getenv("LANES_FACTOR")); err == nil {
		return total * f
	}
	return total
}

// weirdWord favors words at which carries happen.
func weirdWord(r *rand.Rand) uint64 {
	switch r.IntN(8) {
	case 0:
		return 0
	case 1:
		return ^uint64(0)
	case 2:
		return 1 << r.IntN(64)
	case 3:
		return 1<<r.IntN(64) - 1
	case 4:
		return order[r.IntN(4)]
	default:
		return r.Uint64()
	}
}

var (
	bigOrder = fromWords(order[:])
	one      = big.NewInt(1)
)

// weird fills w with a number of up to 64*len(w) bits: neighbors of multiples of l and of powers of two, words at their
// limits, and plain random ones.
func weird(w []uint64, r *rand.Rand) {
	size := uint(64 * len(w))
	switch r.IntN(4) {
	case 0:
		for i := range w {
			w[i] = r.Uint64()
		}
	case 1:
		for i := range w {
			w[i] = weirdWord(r)
		}
	default:
		x := new(big.Int).Lsh(one, uint(r.IntN(int(size)+1)))
		if r.IntN(2) == 0 { // the multiple of l below a number of any length
			for i := range w {
				w[i] = r.Uint64()
			}
			x.Mod(fromWords(w), x)
			x.Sub(x, new(big.Int).Mod(x, bigOrder))
		}
		x.Add(x, big.NewInt(int64(r.IntN(5)-2)))
		x.Mod(x, new(big.Int).Lsh(one, size))
		for i := range w {
			w[i] = new(big.Int).And(new(big.Int).Rsh(x, uint(64*i)), new(big.Int).SetUint64(^uint64(0))).Uint64()
		}
	}
}

func weirdScalar(s *[32]byte, r *rand.Rand) {
	var w [4]uint64
	weird(w[:], r)
	putWords(s, &w)
}

func fromWords(w []uint64) *big.Int {
	x := new(big.Int)
	for i := len(w) - 1; i >= 0; i-- {
		x.Or(x.Lsh(x, 64), new(big.Int).SetUint64(w[i]))
	}
	return x
}

func fromBytes(b []byte) *big.Int {
	r := make([]byte, len(b))
	for i := range b {
		r[len(b)-1-i] = b[i]
	}
	return new(big.Int).SetBytes(r)
}

// edges are numbers below 2^512 at which reduction has a limit: around multiples of l, powers of two, sums of them.
func edges() []Wide {
	var all []Wide
	limit := new(big.Int).Lsh(one, 512)
	add := func(x *big.Int) {
		for d := int64(-3); d <= 3; d++ {
			y := new(big.Int).Add(x, big.NewInt(d))
			if y.Sign() < 0 || y.Cmp(limit) >= 0 {
				continue
			}
			var w Wide
			for i := range w {
				w[i] = new(big.Int).And(new(big.Int).Rsh(y, uint(64*i)), new(big.Int).SetUint64(^uint64(0))).Uint64()
			}
			all = append(all, w)
		}
	}
	for bit := uint(0); bit <= 512; bit++ {
		power := new(big.Int).Lsh(one, bit)
		add(power)
		multiple := new(big.Int).Sub(power, new(big.Int).Mod(power, bigOrder)) // the multiples of l around it
		add(multiple)
		add(multiple.Add(multiple, bigOrder))
		add(new(big.Int).Mul(power, bigOrder))
	}
	return all
}
