package codec

import "fastpay/crypto"

// Vote is a view of an order that an authority signed. The zero value is no vote.
type Vote struct {
	order Order
	raw   []byte
}

// VoteEntrySize is the length of an authority's name and signature, in a vote and in a certificate.
const VoteEntrySize = 32 + crypto.SignatureSize

// NewVote encodes a vote into memory of its own.
func NewVote(o Order, authority *Address, signature *crypto.Signature) Vote {
	raw := append(make([]byte, 0, len(o.raw)+VoteEntrySize), o.raw...)
	raw = append(raw, authority[:]...)
	raw = append(raw, signature[:]...)
	return Vote{Order{raw[:len(o.raw):len(o.raw)]}, raw}
}

// takeVote reads a vote at the start of b and returns what follows it.
func takeVote(b []byte) (v Vote, rest []byte, ok bool) {
	o, rest, ok := TakeOrder(b)
	if !ok || len(rest) < VoteEntrySize || !plausibleSignature(rest[32:VoteEntrySize]) {
		return Vote{}, nil, false
	}
	n := len(o.raw) + VoteEntrySize
	return Vote{o, b[:n:n]}, rest[VoteEntrySize:], true
}

// IsZero reports whether v is no vote.
func (v Vote) IsZero() bool { return v.raw == nil }

// Bytes is the encoding: the order, then VoteEntrySize bytes.
func (v Vote) Bytes() []byte { return v.raw }

// Order is what was voted for.
func (v Vote) Order() Order { return v.order }

// Authority is the voter.
func (v Vote) Authority() *Address { return (*Address)(v.raw[len(v.order.raw):]) }

// Signature is the voter's, over the same bytes as the sender's.
func (v Vote) Signature() *crypto.Signature {
	return (*crypto.Signature)(v.raw[len(v.order.raw)+32:])
}

// AppendVote appends v as a message.
func AppendVote(dst []byte, v Vote) []byte {
	return append(appendKind(dst, KindVote), v.raw...)
}
