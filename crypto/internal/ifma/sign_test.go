package ifma

import (
	"crypto/ed25519"
	"crypto/sha512"
	"math/big"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve"
)

// Any scalar below 2^255, reduced or not, even or odd, gives the multiple that voi gives.
func TestMultiplyBaseVsVoi(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		r, s := newRandom(t), NewScratch()
		sizes := []int{0, 1, 7, 8, 9, 16, 64, 65, 1030}
		if testing.Short() || !useKernels {
			sizes = []int{0, 1, 9}
		}
		for _, n := range sizes {
			scalars, out := make([][32]byte, n), make([][32]byte, n)
			for i := range n {
				v := weirdScalar(r)
				switch r.IntN(4) {
				case 0: // up to 2^255-1
					v.Sub(new(big.Int).Lsh(big.NewInt(1), 255), v.Add(v, big.NewInt(1)))
				case 1: // with the order, whatever that makes even or odd
					v.Add(v, bigOrder)
				}
				scalars[i] = littleEndian(v)
			}
			s.MultiplyBase(out, scalars)
			for i := range n {
				var p curve.EdwardsPoint
				b := scalarOf(fromLittleEndian(scalars[i]))
				want := compressed(p.MulBasepoint(curve.ED25519_BASEPOINT_TABLE, mustScalar(b)))
				if out[i] != want {
					t.Fatalf("%d of %d, %x: got %x, want %x", i, n, scalars[i], out[i], want)
				}
			}
			s.MultiplyBase(scalars, scalars)
			for i := range n {
				if scalars[i] != out[i] {
					t.Fatal("in place")
				}
			}
		}
	})
}

// A public key is the multiple of the clamped secret.
func TestMultiplyBaseMakesPublicKeys(t *testing.T) {
	s := NewScratch()
	for i := range 50 {
		key := testKey(i)
		h := sha512.Sum512(key.Seed())
		secret := [][32]byte{[32]byte(h[:32])}
		secret[0][0] &= 248
		secret[0][31] = secret[0][31]&127 | 64
		s.MultiplyBase(secret, secret)
		if secret[0] != [32]byte(key.Public().(ed25519.PublicKey)) {
			t.Fatalf("key %d", i)
		}
	}
}

func TestMultiplyBaseVsTwin(t *testing.T) {
	r, s := newRandom(t), NewScratch()
	for range rounds(laneOperations / oddWindows) {
		var scalars [Lanes][40]byte
		for l := range scalars {
			b := randomEncoding(r)
			b[31] &= 0x7f
			if r.IntN(4) == 0 {
				b = littleEndian(weirdScalar(r))
			}
			copy(scalars[l][:], b[:])
		}
		var out, twin Point
		multiplyBase(&out, &scalars[0][0], 40, baseTable(), &s.constants.inverseTwoD, &s.oddRoom)
		multiplyBaseGeneric(&twin, &scalars[0][0], 40, baseTable(), &s.constants.inverseTwoD, nil)
		if out != twin {
			t.Fatalf("%x: kernel %x, twin %x", scalars, out, twin)
		}
	}
}

// Nothing of the scalars or of points before normalization stays in the scratch memory.
func TestMultiplyBaseWipes(t *testing.T) {
	s, clean := NewScratch(), NewScratch()
	scalars := make([][32]byte, 13)
	for i := range scalars {
		scalars[i] = scalarOf(new(big.Int).SetBytes([]byte{1, byte(i), 3, 4, 5}))
	}
	s.MultiplyBase(scalars, scalars)
	if *s != *clean {
		t.Error("scratch memory is not as new")
	}
}

func TestMultiplyBaseAllocatesNothing(t *testing.T) {
	s, scalars := NewScratch(), make([][32]byte, 20)
	if n := testing.AllocsPerRun(10, func() { s.MultiplyBase(scalars, scalars) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
