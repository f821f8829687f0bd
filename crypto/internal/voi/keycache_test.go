package voi

import (
	"crypto/ed25519"
	"testing"

	"fastpay/crypto/internal/edwards"
)

// TestKeyCacheKeepsKeysApart: keys of one place push each other out, in either order and within one batch, and a key that
// is found has its own point and comb.
func TestKeyCacheKeepsKeysApart(t *testing.T) {
	const others = 40 // so many keys make a cache
	var encoded [others][32]byte
	var points [others]edwards.Niels
	for i := range encoded {
		seed := [32]byte{9, byte(i)}
		encoded[i] = [32]byte(ed25519.NewKeyFromSeed(seed[:])[32:])
		var x, y edwards.Element
		if !edwards.Decode(&x, &y, &encoded[i]) {
			t.Fatal("a public key does not decode")
		}
		points[i].SetAffine(&x, &y)
	}
	var c keyCache
	var comber edwards.Comber
	batch := func(first, step int) {
		keys := make([]senderKey, 0, others)
		for j := range others {
			i := (first + step*j) % others
			k := senderKey{bytes: &encoded[i], hash: uint64(i % (others / 2)), ok: true, niels: points[i]} // two to a place
			keys = append(keys, k)
			own := &keys[len(keys)-1]
			own.point = &own.niels
			if own.cached = c.find(own.hash, own.bytes); own.cached != nil {
				own.point = &own.cached.point
			}
		}
		c.keep(keys)
	}
	for round := range 60 {
		batch(round, 1+2*(round%2)) // 1 and 3 have no divisor in common with the number of keys
		found := 0
		for i := range encoded {
			k := c.find(uint64(i%(others/2)), &encoded[i])
			if k == nil {
				continue
			}
			found++
			if k.point != points[i] {
				t.Fatalf("round %d: key %d has the point of another", round, i)
			}
			if k.combMade {
				var want edwards.Comb
				if comber.Make(&want, &points[i]); c.combs[i%(others/2)] != want {
					t.Fatalf("round %d: key %d has the comb of another", round, i)
				}
			}
		}
		if found != others/2 {
			t.Fatalf("round %d: %d keys in %d places", round, found, others/2)
		}
	}
	// Keys of places that nobody else wants earn their combs, some in each batch.
	var quiet keyCache
	for range combShare + 2 {
		keys := make([]senderKey, others)
		for i := range keys {
			keys[i] = senderKey{bytes: &encoded[i], hash: uint64(i), ok: true, point: &points[i]}
			keys[i].cached = quiet.find(keys[i].hash, keys[i].bytes)
		}
		quiet.keep(keys)
	}
	made := 0
	for i := range encoded {
		if k := quiet.find(uint64(i), &encoded[i]); k != nil && k.combMade {
			made++
		}
	}
	if want := (combShare + 1) * (others / combShare); made != min(want, others) {
		t.Errorf("%d combs after %d batches, want %d", made, combShare+2, min(want, others))
	}
}
