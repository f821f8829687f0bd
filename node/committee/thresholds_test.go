package committee

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// The thresholds by their meaning, in integers without limits: a quorum is the smallest weight of which two exceed the
// total by more than the faulty third, counted up or down one by one; validity is the smallest weight not below a third.
func dumbThresholds(total uint64) (quorum, validity *big.Int) {
	w, one, three := new(big.Int).SetUint64(total), big.NewInt(1), big.NewInt(3)
	quorum = new(big.Int).Div(new(big.Int).Mul(w, big.NewInt(2)), three)
	for new(big.Int).Mul(quorum, three).Cmp(new(big.Int).Mul(w, big.NewInt(2))) <= 0 {
		quorum.Add(quorum, one)
	}
	validity = new(big.Int).Div(w, three)
	for new(big.Int).Mul(validity, three).Cmp(w) < 0 {
		validity.Add(validity, one)
	}
	return quorum, validity
}

func TestThresholdsMatchDumbTwin(t *testing.T) {
	const cases = 50_000
	r := rand.New(rand.NewPCG(1, 2))
	for i := range uint64(cases) {
		total := i + 1
		switch i % 5 {
		case 1:
			total = math.MaxUint64 - i/5
		case 2:
			total = r.Uint64()
		case 3:
			total = r.Uint64() >> (r.Uint64() % 64)
		case 4:
			total = math.MaxUint64/3*(1+i%2) + i%7
		}
		q, v := dumbThresholds(total)
		if q.Cmp(new(big.Int).SetUint64(quorumOf(total))) != 0 || v.Cmp(new(big.Int).SetUint64(validityOf(total))) != 0 {
			t.Fatalf("weight %d: quorum %d, validity %d, expected %v, %v", total, quorumOf(total), validityOf(total), q, v)
		}
	}
}

// The bound by its meaning: try every value that was given, keep the largest that a quorum reaches.
func TestStrongMajorityLowerBoundMatchesDumbTwin(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	keys := testMembers(7)
	for range 2000 {
		members := append([]Member(nil), keys[:1+r.IntN(7)]...)
		for i := range members {
			members[i].Weight = 1 + r.Uint64N(4)
		}
		c, err := New(members)
		if err != nil {
			t.Fatal(err)
		}
		values := make(map[int]uint64)
		for i := range members {
			if r.IntN(4) > 0 {
				values[i] = r.Uint64N(5)
			}
		}
		want := uint64(0)
		for _, candidate := range values {
			weight := uint64(0)
			for m, value := range values {
				if value >= candidate {
					weight += c.Member(m).Weight
				}
			}
			if weight >= c.Quorum() {
				want = max(want, candidate)
			}
		}
		got := c.StrongMajorityLowerBound(func(yield func(int, uint64) bool) {
			for m, value := range values {
				if !yield(m, value) {
					return
				}
			}
		})
		if got != want {
			t.Fatalf("%v with %+v: %d, expected %d", values, members, got, want)
		}
	}
}
