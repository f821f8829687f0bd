package crypto

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
