package eight

import (
	"math/rand/v2"
	"testing"

	"fastpay/crypto/internal/backend"
	"fastpay/crypto/internal/generic"
	"fastpay/crypto/internal/voi"
)

// TestVerdictsMatchGenericWhateverIsCached checks batches of a few keys, most of which are in the small cache, some for the
// first time, some pushed out by others: all ways of search, and the equation. The oracle is the generic backend.
func TestVerdictsMatchGenericWhateverIsCached(t *testing.T) {
	eight := Backend{voi.Backend{}}
	if err := eight.Available(); err != nil {
		t.Skip(err)
	}
	_, all := makeChecks(200, false)
	twin := generic.Backend{}.NewChecker(nil)
	for _, places := range []int{2, cacheFew, 256} {
		c := eight.NewChecker(nil).(*checker)
		c.system.senders.setPlaces(places)
		r := rand.New(rand.NewPCG(1, uint64(places)))
		for range 400 {
			n := 1 + r.IntN([]int{2, 4, 9, 30}[r.IntN(4)])
			batch := make([]backend.Check, n)
			for i, at := range r.Perm(len(all))[:n] {
				batch[i] = all[at%(20+r.IntN(180))]
				if r.IntN(4) == 0 {
					signature := *batch[i].Signature
					signature[r.IntN(64)] ^= 1 << r.IntN(8)
					batch[i].Signature = &signature
				}
			}
			want := append([]backend.Check{}, batch...)
			if got, all := c.Check(batch), twin.Check(want); got != all {
				t.Fatalf("%d places, batch of %d: all good: %v, want %v", places, n, got, all)
			}
			for i := range batch {
				if batch[i].Valid != want[i].Valid {
					t.Fatalf("%d places, signature %d of %d: %v, want %v", places, i, n, batch[i].Valid, want[i].Valid)
				}
			}
		}
	}
}
