package crypto

import (
	"fmt"
	"math"
	"math/rand"
	"runtime"
	"testing"
	"time"

	"fastpay/crypto/internal/backend"
)

// badBound is how much longer a batch may take for bad signatures in it than one with none.
const badBound = 2.5

// TestBadSignaturesCostLittle times batches of which a share is bad against good ones of the same size. Every bad one has
// another S: what costs most, since all of it decodes. Batches come one after the other, as they do from somebody who
// wants to do harm; only the first of them is left out, since nobody expects it.
//
// Good and bad batches take turns, each with a verifier of its own, which knows nothing of the other's, and the time is
// that of the processor, so that whatever else runs on the machine touches both alike or neither.
func TestBadSignaturesCostLittle(t *testing.T) {
	if raceDetector || testing.Short() {
		t.Skip("it measures")
	}
	c := newCommittee(20)
	eachBackend(t, func(t *testing.T, b backend.Backend) {
		if b.Name() == "generic" {
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
			for _, percent := range []int{1, 3, 30, 100} {
				bad := append([]signed{}, good...)
				for _, i := range rng.Perm(size)[:size*percent/100] {
					bad[i].sig[40] ^= 1
					bad[i].valid = false
				}
				ratio, bound := costRatio(t, v, newVerifier(b, v.members), good, bad, badBound)
				t.Logf("%s, %d%% bad: %.2f times as long", kind, percent, ratio)
				if ratio > bound {
					t.Errorf("%s, %d%% bad: a batch takes %.2f times as long, want at most %.1f", kind, percent, ratio, bound)
				}
			}
		}
	})
}

// acquainted is the number of batches after which a verifier keeps all that it will of the keys in them.
const acquainted = 20

// costRatio is how many times longer bad takes than good: the shortest of some batches each, and of more when that is
// above the bound, since nothing makes a batch shorter than it is, and much makes it longer.
func costRatio(t *testing.T, forGood, forBad *Verifier, good, bad []signed, bound float64) (ratio, _ float64) {
	const roundsMin, roundsMax = 8, 60
	for range acquainted { // and the first bad batch is over
		check(t, forGood, good)
		check(t, forBad, bad)
	}
	leastGood, leastBad := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	for round := range roundsMax {
		if round >= roundsMin && ratio <= bound {
			break
		}
		leastGood = min(leastGood, verifyTime(forGood, good))
		leastBad = min(leastBad, verifyTime(forBad, bad))
		ratio = float64(leastBad) / float64(leastGood)
	}
	return ratio, bound
}

// verifyTime is what Verify takes of the processor.
func verifyTime(v *Verifier, batch []signed) time.Duration {
	v.Reset()
	for i := range batch {
		batch[i].add(v)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began := threadTime()
	v.Verify()
	return threadTime() - began
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
					for range acquainted {
						for i := range batch {
							batch[i].add(v)
						}
						v.Verify()
						v.Reset()
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
