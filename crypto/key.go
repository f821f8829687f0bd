package crypto

import (
	"crypto/rand"
	"crypto/sha512"
	"sync"
	"unsafe"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"

	"fastpay/crypto/internal/backend"
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
	secret backend.Secret
}

// noCopy makes go vet report copies of the struct that holds it.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// GenerateKey makes a key from the operating system's randomness. The error is always nil today: without randomness the
// process ends.
func GenerateKey() (*PrivateKey, error) {
	var seed [SeedSize]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, err
	}
	key := NewPrivateKey(&seed)
	clear(seed[:])
	return key, nil
}

// NewPrivateKey expands a seed: any 32 bytes are one. The seed is copied.
func NewPrivateKey(seed *[SeedSize]byte) *PrivateKey {
	k := new(PrivateKey)
	k.secret.Seed = *seed
	digest := sha512.Sum512(seed[:])
	digest[0] &= 248
	digest[31] &= 127
	digest[31] |= 64
	copy(k.secret.Scalar[:], digest[:32])
	copy(k.secret.Prefix[:], digest[32:])
	clear(digest[:])

	var a scalar.Scalar
	if _, err := a.SetBits(k.secret.Scalar[:]); err != nil {
		panic("crypto: " + err.Error()) // 32 bytes are always taken
	}
	var point curve.EdwardsPoint
	var encoded curve.CompressedEdwardsY
	k.secret.Public = *encoded.SetEdwardsPoint(point.MulBasepoint(curve.ED25519_BASEPOINT_TABLE, &a))
	a.Zero()
	return k
}

// Seed returns the seed that the key was expanded from, for storing the key.
func (k *PrivateKey) Seed() [SeedSize]byte { return k.secret.Seed }

// Public returns the key that checks this key's signatures.
func (k *PrivateKey) Public() PublicKey { return k.secret.Public }

// Sign writes the RFC 8032 signature of message to sig: the same bytes that crypto/ed25519 makes. It takes time and
// touches addresses that depend on the length of the message only.
func (k *PrivateKey) Sign(sig *Signature, message []byte) {
	one := oneMessage.Get().(*[1][]byte)
	one[0] = message
	k.SignBatch(unsafe.Slice(sig, 1), one[:])
	one[0] = nil
	oneMessage.Put(one)
}

// oneMessage keeps Sign from allocating its list of one message.
var oneMessage = sync.Pool{New: func() any { return new([1][]byte) }}

// SignBatch signs many messages: sigs[i] becomes the signature of messages[i]. The two slices have the same length, else
// it panics. It is faster than Sign for each: up to 64 signatures share the costly part of their encoding.
func (k *PrivateKey) SignBatch(sigs []Signature, messages [][]byte) {
	if len(sigs) != len(messages) {
		panic("crypto: SignBatch needs as many signatures as messages")
	}
	if len(sigs) == 0 {
		return
	}
	// A Signature is a [64]byte, but Go has no conversion between slices of them.
	raw := unsafe.Slice((*[SignatureSize]byte)(&sigs[0]), len(sigs))
	current().Sign(&k.secret, raw, messages)
}
