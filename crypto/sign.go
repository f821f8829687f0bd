package crypto

import (
	"crypto/sha512"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
)

// Sign writes the RFC 8032 signature of message to sig: the same bytes that crypto/ed25519 makes.
func (k *PrivateKey) Sign(sig *Signature, message []byte) {
	var digest [sha512.Size]byte
	var r, s scalar.Scalar
	h := sha512.New()
	h.Write(k.prefix[:])
	h.Write(message)
	h.Sum(digest[:0])
	r.SetBytesModOrderWide(digest[:])

	var point curve.EdwardsPoint
	var encoded curve.CompressedEdwardsY
	encoded.SetEdwardsPoint(point.MulBasepoint(curve.ED25519_BASEPOINT_TABLE, &r))
	copy(sig[:32], encoded[:])

	h.Reset()
	h.Write(sig[:32])
	h.Write(k.public[:])
	h.Write(message)
	h.Sum(digest[:0])
	s.SetBytesModOrderWide(digest[:])
	s.Add(s.Mul(&s, &k.scalar), &r)
	s.ToBytes(sig[32:])
	r.Zero()
}

// SignBatch signs many messages: sigs[i] becomes the signature of messages[i]. The two slices have the same length.
func (k *PrivateKey) SignBatch(sigs []Signature, messages [][]byte) {
	if len(sigs) != len(messages) {
		panic("crypto: as many signatures as messages are needed")
	}
	for i, message := range messages {
		k.Sign(&sigs[i], message)
	}
}
