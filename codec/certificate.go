package codec

import (
	"encoding/binary"

	"fastpay/crypto"
)

// Certificate is a view of an order with the votes for it (paper, section 4.3). Whether they are a quorum, and verify, is
// not known here. The zero value is no certificate.
type Certificate struct {
	order Order
	raw   []byte
}

// minCertificateSize is a certificate without votes.
const minCertificateSize = minOrderSize + lengthSize

// VoteEntry is one voter's line in a certificate.
type VoteEntry struct {
	Authority Address
	Signature crypto.Signature
}

// NewCertificate encodes a certificate into memory of its own, the votes in the given order.
func NewCertificate(o Order, votes []VoteEntry) Certificate {
	raw := append(make([]byte, 0, len(o.raw)+lengthSize+len(votes)*VoteEntrySize), o.raw...)
	raw = binary.LittleEndian.AppendUint64(raw, uint64(len(votes)))
	for i := range votes {
		raw = append(raw, votes[i].Authority[:]...)
		raw = append(raw, votes[i].Signature[:]...)
	}
	return Certificate{Order{raw[:len(o.raw):len(o.raw)]}, raw}
}

// takeCertificate reads a certificate at the start of b and returns what follows it. The number of votes is checked
// against the bytes that are there before anything is done with it.
func takeCertificate(b []byte) (c Certificate, rest []byte, ok bool) {
	o, rest, ok := TakeOrder(b)
	if !ok || len(rest) < lengthSize {
		return Certificate{}, nil, false
	}
	count := binary.LittleEndian.Uint64(rest)
	rest = rest[lengthSize:]
	if count > uint64(len(rest)/VoteEntrySize) {
		return Certificate{}, nil, false
	}
	votes := rest[:int(count)*VoteEntrySize]
	for v := votes; len(v) > 0; v = v[VoteEntrySize:] {
		if !plausibleSignature(v[32:VoteEntrySize]) {
			return Certificate{}, nil, false
		}
	}
	n := len(o.raw) + lengthSize + len(votes)
	return Certificate{o, b[:n:n]}, rest[len(votes):], true
}

// ParseCertificate reads a certificate that is all of b, without a message tag, as Certificate.Bytes gives it.
func ParseCertificate(b []byte) (Certificate, error) {
	c, rest, ok := takeCertificate(b)
	if !ok || len(rest) != 0 {
		return Certificate{}, &Error{Code: InvalidDecoding}
	}
	return c, nil
}

// IsZero reports whether c is no certificate.
func (c Certificate) IsZero() bool { return c.raw == nil }

// Bytes is the encoding: the order, the number of votes as u64, and VoteEntrySize bytes for each.
func (c Certificate) Bytes() []byte { return c.raw }

// Order is what was certified.
func (c Certificate) Order() Order { return c.order }

// NumVotes is the number of entries.
func (c Certificate) NumVotes() int {
	return (len(c.raw) - len(c.order.raw) - lengthSize) / VoteEntrySize
}

// Vote is entry i, 0 <= i < NumVotes.
func (c Certificate) Vote(i int) (authority *Address, signature *crypto.Signature) {
	e := c.raw[len(c.order.raw)+lengthSize+i*VoteEntrySize:]
	return (*Address)(e), (*crypto.Signature)(e[32:])
}

// AppendCertificate appends c as a confirmation order, the Cert message.
func AppendCertificate(dst []byte, c Certificate) []byte {
	return append(appendKind(dst, KindCertificate), c.raw...)
}

// AppendCrossShard appends c as a credit from one shard to another.
func AppendCrossShard(dst []byte, c Certificate) []byte {
	return append(appendKind(dst, KindCrossShard), c.raw...)
}

// MaxCertificateSize is the largest Certificate.Bytes with the given number of votes.
func MaxCertificateSize(votes int) int {
	return minOrderSize + UserDataSize + lengthSize + votes*VoteEntrySize
}
