package ifma

import (
	"math/rand/v2"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve"
)

func weirdEntry(r *rand.Rand) (e quadEntry) {
	v := weirdElement(r, looseLimit)
	for i := range e {
		copy(e[i][:], v[i][:])
	}
	return e
}

func TestQuadVsTwins(t *testing.T) {
	r := newRandom(t)
	for range rounds(laneOperations) {
		p := quad(weirdElement(r, looseLimit))
		twin, n := p, 1+r.IntN(3)
		quadDouble(&p, n)
		if quadDoubleGeneric(&twin, n); p != twin {
			t.Fatalf("double %d times: %x, twin %x", n, p, twin)
		}
		requireClass(t, (*Element)(&p), reducedLimit)
		p = quad(weirdElement(r, looseLimit))
		twin = p
		a, b := weirdEntry(r), weirdEntry(r)
		quadAdd(&p, &a, &b)
		if quadAddGeneric(&twin, &a, &b); p != twin {
			t.Fatalf("add %x %x: %x, twin %x", a, b, p, twin)
		}
		quadAdd(&p, &a, &a)
		if quadAddGeneric(&twin, &a, &a); p != twin {
			t.Fatalf("add %x twice: %x, twin %x", a, p, twin)
		}
		requireClass(t, (*Element)(&p), reducedLimit)
	}
}

// Sums, differences and multiples in the form of quads are those of voi.
func TestQuadVsVoi(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		r, s := newRandom(t), NewScratch()
		p := newTestPoints(t, r, s, 16)
		factors := quadFactors()
		for range 200 {
			i, j := r.IntN(16), r.IntN(16)
			var a, b, minusA quadEntry
			a.setCached(&p.cached[i])
			b.setCached(&p.cached[j])
			minusA.negative(&a)
			q := neutralQuad
			quadAdd(&q, &a, &b)
			quadDouble(&q, 2)
			quadAdd(&q, &b, &minusA)
			want := new(curve.EdwardsPoint).Add(p.points[i], p.points[i])
			want.Add(want, want).Add(want, p.points[j])
			requireHalf(t, s, &q, 0, want)
			want = new(curve.EdwardsPoint).Add(p.points[j], p.points[j])
			want.Add(want, want).Sub(want, p.points[i])
			requireHalf(t, s, &q, 1, want)
			var lower, upper quadEntry
			q.entries(&lower, &upper, &s.room[0], &factors)
			upper.negative(&upper)
			quadAdd(&q, &neutralEntry, &upper)
			q.setPoint(0, ptr(q.point(1)))
			if !q.isNeutral() {
				t.Fatal("p - p is not neutral")
			}
		}
	})
}

func ptr[T any](v T) *T { return &v }

// requireHalf compares a point of q.
func requireHalf(t *testing.T, s *Scratch, q *quad, half int, want *curve.EdwardsPoint) {
	t.Helper()
	p := neutral
	v := q.point(half)
	p.put(0, &v)
	if got := encoded(s, p)[0]; got != compressed(want) {
		t.Fatalf("half %d: got %x, want %x", half, got, compressed(want))
	}
}
