package crypto

import (
	"errors"
	"fmt"

	"github.com/oasisprotocol/curve25519-voi/curve"

	"fastpay/crypto/internal/backend"
)

// Errors of CheckKey.
var (
	ErrNotPoint     = errors.New("crypto: key is not the encoding of a point on the curve")
	ErrNotCanonical = errors.New("crypto: key is not encoded canonically")
	ErrSmallOrder   = errors.New("crypto: key is a point of small order")
)

// CheckKey reports whether key can belong to an authority: it decodes, its encoding is canonical, and it is not of small
// order. Signatures of other keys are still checked by the one rule of this package; this is for committee files.
func CheckKey(key *PublicKey) error {
	encoded := curve.CompressedEdwardsY(*key)
	var point curve.EdwardsPoint
	if _, err := point.SetCompressedY(&encoded); err != nil {
		return ErrNotPoint
	}
	if !encoded.IsCanonicalVartime() {
		return ErrNotCanonical
	}
	if point.IsSmallOrder() {
		return ErrSmallOrder
	}
	return nil
}

// KeySet is the public keys of a committee, prepared for checking many votes. To its users it is read-only, and
// goroutines share it. A backend may add tables to it for members whose votes keep coming (about 0.4 MB each).
type KeySet struct {
	keys    [][PublicKeySize]byte
	backend backend.Backend
	members backend.Members
}

// NewKeySet prepares keys, which keep their order. Every key must pass CheckKey; the error names the first that does not.
func NewKeySet(keys []PublicKey) (*KeySet, error) {
	for i := range keys {
		if err := CheckKey(&keys[i]); err != nil {
			return nil, fmt.Errorf("key %d: %w", i, err)
		}
	}
	return newKeySet(current(), keys), nil
}

// newKeySet takes any keys, also those that CheckKey refuses.
func newKeySet(b backend.Backend, keys []PublicKey) *KeySet {
	set := &KeySet{keys: make([][PublicKeySize]byte, len(keys)), backend: b}
	for i, key := range keys {
		set.keys[i] = key
	}
	set.members = b.NewMembers(set.keys)
	return set
}

// Len is the number of keys.
func (s *KeySet) Len() int { return len(s.keys) }
