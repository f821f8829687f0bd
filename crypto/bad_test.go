package crypto

import (
	"fmt"
	"math/rand"
	"slices"
	"testing"
	"time"

	"fastpay/crypto/internal/backend"
)

// badBound is how much longer a batch may take for bad signatures in it than one with none. Without eight lanes a check
// of one signature for itself, which is what bad orders lead to, costs as much as 2.7 in a large equation.
var badBound = map[string]float64{"ifma": 2.5, "voi": 3.5}

// TestBadSignaturesCostLittle times batches of which a share is bad against good ones of the same size. Every bad one has
// another S: what costs most, since all of it decodes. Batches come one after the other, as they do from somebody who
// wants to do harm; only the first of them is left out, since nobody expects it.
func TestBadSignaturesCostLittle(t *testing.T) {
	if raceDetector || testing.Short() {
		t.Skip("it measures")
	}
	c := newCommittee(20)
	eachBackend(t, func(t *testing.T, b backend.Backend) {
		bound := badBound[b.Name()]
		if bound == 0 {
			t.Skip("it has no batches")
		}
		const size = 512
		for _, kind := range []string{"votes", "orders"} {
			rng := rand.New(rand.NewSource(1))
			good := c.votes(rng, size)
			if kind == "orders" {
				good = orders(rng, size)
			}
			v := warm(b, c)
			base := leastTime(v, good)
			for _, percent := range []int{1, 3, 30, 100} {
				bad := append([]signed{}, good...)
				for _, i := range rng.Perm(size)[:size*percent/100] {
					bad[i].sig[40] ^= 1
					bad[i].valid = false
				}
				check(t, v, bad)
				ratio := float64(leastTime(v, bad)) / float64(base)
				t.Logf("%s, %d%% bad: %.2f times as long", kind, percent, ratio)
				if ratio > bound {
					t.Errorf("%s, %d%% bad: a batch takes %.2f times as long, want at most %.1f", kind, percent, ratio, bound)
				}
				check(t, v, good)
				check(t, v, good)
			}
		}
	})
}

// leastTime is the shortest of a few batches.
func leastTime(v *Verifier, batch []signed) time.Duration {
	var times []time.Duration
	for range 8 {
		v.Reset()
		for i := range batch {
			batch[i].add(v)
		}
		began := time.Now()
		v.Verify()
		times = append(times, time.Since(began))
	}
	return slices.Min(times)
}

// BenchmarkBad is the price of bad signatures, each one with another S. Divided by the figure for bad=0 it is how much
// longer a batch takes.
func BenchmarkBad(b *testing.B) {
	c := newCommittee(20)
	for _, what := range []string{"orders", "votes"} {
		for _, percent := range []int{0, 1, 3, 30, 100} {
			for _, backend := range backends {
				if backend.Available() != nil || backend.Name() == "generic" {
					continue
				}
				const size = 1024
				b.Run(fmt.Sprintf("of=%s/bad=%d/batch=%d/backend=%s", what, percent, size, backend.Name()), func(b *testing.B) {
					rng := rand.New(rand.NewSource(1))
					v := warm(backend, c)
					batch := c.votes(rng, size)
					if what == "orders" {
						batch = orders(rng, size)
					}
					for _, i := range rng.Perm(size)[:size*percent/100] {
						batch[i].sig[40] ^= 1
					}
					benchmarkVerify(b, v, batch)
				})
			}
		}
	}
}
