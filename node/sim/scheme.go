package sim

import (
	"encoding/binary"
	"math/bits"
	"sync"

	"fastpay/codec"
	"fastpay/crypto"
)

// A Scheme makes and checks signatures. Like the real one it has many good signatures of one message by one key: salt
// chooses among them, where the scheme can.
type Scheme interface {
	Sign(sig *crypto.Signature, key *crypto.PrivateKey, message []byte, salt uint64)
	Verify(key *crypto.PublicKey, message []byte, sig *crypto.Signature) bool
}

// Ed25519 is the real scheme. It ignores the salt.
type Ed25519 struct{}

// Sign implements Scheme.
func (Ed25519) Sign(sig *crypto.Signature, key *crypto.PrivateKey, message []byte, _ uint64) {
	key.Sign(sig, message)
}

// Verify implements Scheme.
func (Ed25519) Verify(key *crypto.PublicKey, message []byte, sig *crypto.Signature) bool {
	return crypto.Verify(key, message, sig)
}

// Cheap is no signature at all: 128 bits of a fast hash of the public key, the salt and the message, then the salt.
// That only the key's owner makes one is a promise of the simulator, whose adversary signs with the keys that were
// given to it.
type Cheap struct{}

const (
	cheapSum  = 16 // bytes of the hash
	cheapSize = cheapSum + 8
)

// Sign implements Scheme.
func (Cheap) Sign(sig *crypto.Signature, key *crypto.PrivateKey, message []byte, salt uint64) {
	public := key.Public()
	*sig = crypto.Signature{}
	sum := hash128(public[:], message, salt)
	binary.LittleEndian.PutUint64(sig[0:], sum[0])
	binary.LittleEndian.PutUint64(sig[8:], sum[1])
	binary.LittleEndian.PutUint64(sig[cheapSum:], salt)
}

// Verify implements Scheme.
func (Cheap) Verify(key *crypto.PublicKey, message []byte, sig *crypto.Signature) bool {
	sum := hash128(key[:], message, binary.LittleEndian.Uint64(sig[cheapSum:]))
	return binary.LittleEndian.Uint64(sig[0:]) == sum[0] && binary.LittleEndian.Uint64(sig[8:]) == sum[1] &&
		[len(sig) - cheapSize]byte(sig[cheapSize:]) == [len(sig) - cheapSize]byte{}
}

// digest is 128 bits: what is hashed here is never chosen against the hash, so two that are equal are of equal bytes.
type digest [2]uint64

// hash128 hashes two byte strings, the first of a length that is the same wherever results are compared, and a number.
// It takes about 1 ns for 8 bytes.
func hash128(a, b []byte, salt uint64) digest {
	h := digest{salt ^ 0x9e3779b97f4a7c15, uint64(len(b)) ^ 0xbf58476d1ce4e5b9}
	h = h.absorb(a).absorb(b)
	hi, lo := bits.Mul64(h[0]^h[1]>>32, 0xd6e8feb86659fd93)
	return digest{hi ^ h[1], lo ^ h[0]}
}

// absorb mixes in bytes, sixteen at a time, the last ones padded with their number.
func (h digest) absorb(b []byte) digest {
	for ; len(b) >= 16; b = b[16:] {
		h = h.mix(binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]))
	}
	if len(b) > 0 {
		var last [16]byte
		copy(last[:], b)
		h = h.mix(binary.LittleEndian.Uint64(last[:]), binary.LittleEndian.Uint64(last[8:])^uint64(len(b))<<59)
	}
	return h
}

// mix has two products that don't wait for each other.
func (h digest) mix(x, y uint64) digest {
	hi0, lo0 := bits.Mul64(h[0]^x, y^0xa0761d6478bd642f)
	hi1, lo1 := bits.Mul64(h[1]^y, x^0xe7037ed1a0b428db)
	return digest{hi0 ^ lo0 ^ bits.RotateLeft64(h[1], 17) + x, hi1 ^ lo1 ^ bits.RotateLeft64(h[0], 31) + y}
}

// keyOf is key number i of the simulator. Making one costs 20 µs and committees take none but real ones, so they are
// made once for all worlds. Any goroutine may ask.
func keyOf(i int) *crypto.PrivateKey {
	keyring.Lock()
	defer keyring.Unlock()
	for len(keyring.keys) <= i {
		n := len(keyring.keys)
		keyring.keys = append(keyring.keys, crypto.NewPrivateKey(&[crypto.SeedSize]byte{byte(n), byte(n >> 8), 's', 'i', 'm'}))
	}
	return keyring.keys[i]
}

var keyring struct {
	sync.Mutex
	keys []*crypto.PrivateKey
}

// The numbers of keys: members of committees, strangers to them, then owners of accounts.
const (
	firstMember   = 0
	firstStranger = 64
	firstOwner    = 72
)

// transferDigest names the content of an order: two orders with equal ones are the same order.
func transferDigest(o codec.Order) digest { return hash128(nil, o.TransferBytes(), 0) }
