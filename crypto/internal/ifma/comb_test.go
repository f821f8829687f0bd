package ifma

import (
	"math/big"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve"
)

// The digits of a scalar, ±1 times powers of two, add up to it, or to it and the order, which is odd.
func TestOddDigitsVsBig(t *testing.T) {
	r := newRandom(t)
	for range rounds(laneOperations) {
		k := weirdScalar(r)
		var w Words
		b := littleEndian(k)
		oddDigits(&w, 3, &b)
		sum := new(big.Int)
		for i := 255; i >= 0; i-- {
			sum.Lsh(sum, 1)
			if w[i/64][3]>>(i%64)&1 != 0 {
				sum.Add(sum, big.NewInt(1))
			} else {
				sum.Sub(sum, big.NewInt(1))
			}
		}
		if k.Bit(0) == 0 {
			k.Add(k, bigOrder)
		}
		if sum.Cmp(k) != 0 {
			t.Fatalf("got %x, want %x", sum, k)
		}
	}
}

func TestCombVsTwin(t *testing.T) {
	r := newRandom(t)
	table, room := new(combTable), new(combRoom)
	for range rounds(laneOperations / (2 * combColumns)) {
		for at := 0; at < len(table); at += Lanes * bucketBytes {
			p := weirdPoint(r)
			storePoints(&table[at], bucketBytes, &p)
		}
		for at := 0; at < len(table); at += bucketBytes { // reduced, not loose
			w := bucketWords(&table[at])
			for i := range w {
				w[i] %= reducedLimit
			}
		}
		var scalars Words
		for i := range scalars {
			for l := range Lanes {
				scalars[i][l] = r.Uint64()
			}
		}
		p := weirdPoint(r)
		twin := p
		comb(&p, &table[0], &scalars, room)
		if combGeneric(&twin, &table[0], &scalars, nil); p != twin {
			t.Fatalf("scalars %x: %x, twin %x", scalars, p, twin)
		}
		for _, e := range []*Element{&p.Sum, &p.Diff, &p.Z, &p.T} {
			requireClass(t, e, reducedLimit)
		}
	}
}

// Minus the multiples of keys of every kind are those of voi, but for a part of small order.
func TestSubtractKeysVsVoi(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		r, s := newRandom(t), NewScratch()
		p := newTestPoints(t, r, s, 30)
		n := 300
		if testing.Short() || !useKernels {
			n = 10
		}
		for range n {
			var keys []*Key
			var scalars [Lanes][32]byte
			var want [Lanes]*curve.EdwardsPoint
			for l := range Lanes {
				i := r.IntN(len(p.keys))
				keys, scalars[l] = append(keys, &p.keys[i]), scalarOf(weirdScalar(r))
				want[l] = new(curve.EdwardsPoint).Mul(p.points[i], mustScalar(scalars[l]))
				want[l].Neg(want[l]).MulByCofactor(want[l])
			}
			s.subtractKeys(keys, &scalars)
			total := s.orders.total
			doubleTimes(&total, cofactorBits, &s.room)
			requirePoints(t, s, &total, want[:])
		}
	})
}

func TestZerosVsTwin(t *testing.T) {
	r := newRandom(t)
	for range rounds(laneOperations) {
		e := weirdElement(r, reducedLimit)
		for l := range Lanes {
			if r.IntN(2) == 0 {
				e.setLane(l, laneFrom(new(big.Int).Mul(bigP, big.NewInt(int64(r.IntN(2))))))
			}
		}
		if got, want := zeros(&e), zerosGeneric(&e); got != want {
			t.Fatalf("%x: %b, twin %b", e, got, want)
		}
	}
}
