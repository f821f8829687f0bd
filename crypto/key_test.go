package crypto

import (
	"crypto/ed25519"
	"math/rand"
	"testing"
)

func TestSignMatchesStandardLibrary(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	for range 200 {
		var seed [SeedSize]byte
		rng.Read(seed[:])
		message := make([]byte, rng.Intn(300))
		rng.Read(message)
		want := ed25519.NewKeyFromSeed(seed[:])
		key := NewPrivateKey(&seed)
		if public := key.Public(); string(public[:]) != string(want[32:]) {
			t.Fatalf("seed %x: public key %x, want %x", seed, public, want[32:])
		}
		var sig Signature
		key.Sign(&sig, message)
		if string(sig[:]) != string(ed25519.Sign(want, message)) {
			t.Fatalf("seed %x, message %x: signature differs", seed, message)
		}
		public := key.Public()
		if !Verify(&public, message, &sig) {
			t.Fatal("good signature refused")
		}
	}
}
