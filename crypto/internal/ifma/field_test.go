package ifma

import (
	"math/big"
	"math/bits"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// laneOperations is the number of lane operations that each kernel is tried with. Those of a kernel that adds many points
// in a call are its additions and doublings.
const laneOperations = 1_000_000

// rounds is the number of eight-lane operations of a test. FASTPAY_LONG multiplies it, and with it the seed differs
// on each run.
func rounds(operations int) int {
	if testing.Short() {
		operations /= 50
	}
	return operations * longer() / Lanes
}

func longer() int {
	n, err := strconv.Atoi(os.Getenv("FASTPAY_LONG"))
	if err != nil || n < 1 {
		return 1
	}
	return n
}

// newRandom returns a generator whose seed is printed if the test fails, with the command that runs it again.
func newRandom(t testing.TB) *rand.Rand {
	seed := uint64(0x5eed)
	if longer() > 1 {
		seed = rand.Uint64()
	}
	if s, err := strconv.ParseUint(os.Getenv("FASTPAY_SEED"), 0, 64); err == nil {
		seed = s
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("FASTPAY_SEED=%#x go test -run '^%s$' ./crypto/internal/ifma", seed, t.Name())
		}
	})
	return rand.New(rand.NewPCG(seed, 1))
}

var bigP = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))

// big is the value of a lane.
func (v lane) big() *big.Int {
	var w [5]uint64
	for i, limb := range v {
		at, shift := limbBits*i/64, uint(limbBits*i%64)
		low, carry := bits.Add64(w[at], limb<<shift, 0)
		w[at] = low
		if at+1 < len(w) {
			w[at+1] += limb>>(64-shift) + carry
		}
	}
	r := make([]big.Word, 0, len(w))
	for _, x := range w {
		r = append(r, big.Word(x))
	}
	return new(big.Int).SetBits(r)
}

// laneFrom is a number below 2^255 in packed limbs.
func laneFrom(v *big.Int) (l lane) {
	mask := big.NewInt(limbMask)
	for i := range l {
		l[i] = new(big.Int).And(new(big.Int).Rsh(v, uint(limbBits*i)), mask).Uint64()
	}
	return l
}

// Limits of classes: limbs are below.
const (
	reducedLimit = 1<<51 + 1<<18
	looseLimit   = 1 << 52
)

// weirdLane is a lane of limbs below limit: random, or at the limits of classes, or near a multiple of p.
func weirdLane(r *rand.Rand, limit uint64) (v lane) {
	switch r.IntN(8) {
	case 0: // each limb at a limit
		limits := []uint64{0, 1, limbMask - 19, limbMask - 18, limbMask, limbMask + 1, 1<<51 + 1<<17, limit - 1}
		for i := range v {
			v[i] = limits[r.IntN(len(limits))]
		}
	case 1: // all limbs at the limit
		for i := range v {
			v[i] = limit - 1
		}
	case 2: // a neighbor of 0 or p
		n := new(big.Int).Add(bigP, big.NewInt(int64(r.IntN(19)-100)+100))
		if r.IntN(2) == 0 {
			n = big.NewInt(int64(r.IntN(100)))
		} else if r.IntN(2) == 0 {
			n.Sub(bigP, big.NewInt(int64(r.IntN(100))))
		}
		v = laneFrom(n)
	case 3: // the same limb five times
		x := r.Uint64N(limit)
		v = lane{x, x, x, x, x}
	default:
		for i := range v {
			v[i] = r.Uint64N(limit)
		}
	}
	return v
}

// weirdElement is eight weird lanes, sometimes all equal.
func weirdElement(r *rand.Rand, limit uint64) (e Element) {
	if r.IntN(8) == 0 {
		e.setAll(weirdLane(r, limit))
		return e
	}
	for l := range Lanes {
		e.setLane(l, weirdLane(r, limit))
	}
	return e
}

func requireClass(t *testing.T, e *Element, limit uint64) {
	t.Helper()
	for i := range e {
		for l := range Lanes {
			if e[i][l] >= limit {
				t.Fatalf("limb %d of lane %d is %#x, want below %#x", i, l, e[i][l], limit)
			}
		}
	}
}

// operation is a kernel of two operands with the limits of its operands and its meaning.
type operation struct {
	name           string
	f              func(out, a, b *Element)
	limitA, limitB uint64
	meaning        func(r, a, b *big.Int)
}

var operations = []operation{
	{"mul", mul, looseLimit, looseLimit, func(r, a, b *big.Int) { r.Mul(a, b) }},
	{"add", add, looseLimit, looseLimit, func(r, a, b *big.Int) { r.Add(a, b) }},
	{"sub", sub, looseLimit, reducedLimit, func(r, a, b *big.Int) { r.Sub(a, b) }},
	{"square", func(out, a, _ *Element) { square(out, a) }, looseLimit, looseLimit,
		func(r, a, _ *big.Int) { r.Mul(a, a) }},
}

func TestFieldVsBigAndTwin(t *testing.T) {
	for _, k := range operations {
		t.Run(k.name, func(t *testing.T) {
			r := newRandom(t)
			want, difference := new(big.Int), new(big.Int)
			for range rounds(laneOperations) {
				a, b := weirdElement(r, k.limitA), weirdElement(r, k.limitB)
				var out, twin Element
				k.f(&out, &a, &b)
				generic(func() { k.f(&twin, &a, &b) })
				if out != twin {
					t.Fatalf("%x, %x: kernel %x, twin %x", a, b, out, twin)
				}
				requireClass(t, &out, reducedLimit)
				for l := range Lanes {
					k.meaning(want, a.lane(l).big(), b.lane(l).big())
					difference.Sub(want, out.lane(l).big())
					if difference.Mod(difference, bigP).Sign() != 0 {
						t.Fatalf("%x, %x: got %x, want %x mod p", a.lane(l), b.lane(l), out.lane(l), want)
					}
				}
			}
		})
	}
}

func TestFieldAliasing(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		r := newRandom(t)
		for _, k := range operations {
			for range 100 {
				a, b := weirdElement(r, min(k.limitA, k.limitB)), weirdElement(r, k.limitB)
				var want Element
				k.f(&want, &a, &b)
				x := a
				if k.f(&x, &x, &b); x != want {
					t.Fatalf("%s: out = a", k.name)
				}
				x = b
				if k.f(&x, &a, &x); x != want {
					t.Fatalf("%s: out = b", k.name)
				}
				k.f(&want, &a, &a)
				x = a
				if k.f(&x, &x, &x); x != want {
					t.Fatalf("%s: out = a = b", k.name)
				}
			}
		}
	})
}

func TestSquareTimesVsSquare(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		r := newRandom(t)
		for n := 1; n < 30; n++ {
			x := [2]Element{weirdElement(r, looseLimit), weirdElement(r, looseLimit)}
			want, single := x, x[0]
			var out [2]Element
			squareTimes(&out, &x, n)
			squareTimes(&x, &x, n)
			squareTimesOne(&single, &single, n)
			for range n {
				square(&want[0], &want[0])
				square(&want[1], &want[1])
			}
			if x != want || out != want || single != want[0] {
				t.Fatalf("%d times", n)
			}
		}
	})
}

func TestPowersVsBig(t *testing.T) {
	exponents := map[string]*big.Int{
		"raise":  new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 252), big.NewInt(3)),
		"invert": new(big.Int).Sub(bigP, big.NewInt(2)),
	}
	eachBackend(t, func(t *testing.T) {
		r, s := newRandom(t), NewScratch()
		for range 20 {
			a := [2]Element{weirdElement(r, looseLimit), weirdElement(r, looseLimit)}
			for name, e := range exponents {
				x, one := a, a[1]
				if name == "raise" {
					s.power.raise(&x, &x)
				} else {
					s.power.invert(&x)
					if s.power.invertOne(&one); one != x[1] {
						t.Fatal("invertOne differs from invert")
					}
				}
				for g := range x {
					for l := range Lanes {
						want := new(big.Int).Exp(a[g].lane(l).big(), e, bigP)
						if got := x[g].lane(l).big(); got.Mod(got, bigP).Cmp(want) != 0 {
							t.Fatalf("%s of %x: got %x, want %x", name, a[g].lane(l), got, want)
						}
					}
				}
			}
		}
	})
}
