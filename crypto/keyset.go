package crypto

import (
	"errors"
	"fmt"

	"github.com/oasisprotocol/curve25519-voi/curve"
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

// KeySet is the public keys of a committee, prepared for checking many votes. It is read-only: goroutines share it.
type KeySet struct {
	keys []PublicKey
}

// NewKeySet prepares keys, which keep their order. Every key must pass CheckKey.
func NewKeySet(keys []PublicKey) (*KeySet, error) {
	set := &KeySet{keys: append([]PublicKey(nil), keys...)}
	for i := range set.keys {
		if err := CheckKey(&set.keys[i]); err != nil {
			return nil, fmt.Errorf("key %d: %w", i, err)
		}
	}
	return set, nil
}

// Len is the number of keys.
func (s *KeySet) Len() int { return len(s.keys) }
