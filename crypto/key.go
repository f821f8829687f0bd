package crypto

import (
	"crypto/rand"
	"crypto/sha512"
	"fmt"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
)

// Sizes in bytes (RFC 8032, section 5.1).
const (
	PublicKeySize = 32
	SeedSize      = 32
	SignatureSize = 64
)

// PublicKey is an encoded Ed25519 public key: the y-coordinate, little-endian, with the sign of x in the top bit. As an
// array it may be compared with == and used as a map key. It need not decode to a point.
type PublicKey [PublicKeySize]byte

// Signature is an Ed25519 signature: R (32 bytes), then S (32 bytes, little-endian).
type Signature [SignatureSize]byte

// PrivateKey is an Ed25519 private key, expanded once (RFC 8032, section 5.1.5). It is read-only after construction, so
// goroutines may share it; it must not be copied, so that the secret is in one place.
type PrivateKey struct {
	_      noCopy
	seed   [SeedSize]byte
	scalar scalar.Scalar // the clamped secret scalar
	prefix [32]byte      // hashed with a message to give its nonce
	public PublicKey
}

// noCopy makes go vet report copies of the struct that holds it.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// GenerateKey makes a key from the operating system's randomness.
func GenerateKey() (*PrivateKey, error) {
	var seed [SeedSize]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, fmt.Errorf("crypto: no randomness for a key: %w", err)
	}
	key := NewPrivateKey(&seed)
	clear(seed[:])
	return key, nil
}

// NewPrivateKey expands a seed: any 32 bytes are one. The seed is copied.
func NewPrivateKey(seed *[SeedSize]byte) *PrivateKey {
	k := &PrivateKey{seed: *seed}
	digest := sha512.Sum512(seed[:])
	digest[0] &= 248
	digest[31] &= 127
	digest[31] |= 64
	if _, err := k.scalar.SetBits(digest[:32]); err != nil {
		panic("crypto: " + err.Error()) // a slice of 32 bytes is always taken
	}
	copy(k.prefix[:], digest[32:])
	clear(digest[:])

	var a curve.EdwardsPoint
	var encoded curve.CompressedEdwardsY
	k.public = PublicKey(*encoded.SetEdwardsPoint(a.MulBasepoint(curve.ED25519_BASEPOINT_TABLE, &k.scalar)))
	return k
}

// Seed returns the seed that the key was expanded from, for storing the key.
func (k *PrivateKey) Seed() [SeedSize]byte { return k.seed }

// Public returns the key that checks this key's signatures.
func (k *PrivateKey) Public() PublicKey { return k.public }
