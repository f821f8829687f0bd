package committee

import (
	"fastpay/codec"
	"fastpay/crypto"
)

// Aggregator collects votes for one order into a certificate. It belongs to one goroutine.
type Aggregator struct {
	committee *Committee
	order     codec.Order
	message   []byte
	votes     []codec.VoteEntry
	outsiders []codec.Address
	seen      [MaxMembers / 64]uint64
	weight    uint64
}

// NewAggregator begins to collect votes for o, which is copied. A bad sender's signature is InvalidSignature.
func NewAggregator(c *Committee, o codec.Order) (*Aggregator, *codec.Error) {
	if err := c.CheckOrder(o); err != nil {
		return nil, err
	}
	return &Aggregator{
		committee: c,
		order:     codec.NewCertificate(o, nil).Order(),
		message:   o.AppendSignedBytes(nil),
	}, nil
}

// Append adds the vote of an authority: a signature that does not verify is InvalidSignature and may be tried again,
// then an authority that has voted is CertificateAuthorityReuse, then one outside the committee UnknownSigner. From the
// quorum on it returns the certificate of all votes so far, in the order they came; before that, the zero certificate.
func (a *Aggregator) Append(authority *codec.Address, sig *crypto.Signature) (codec.Certificate, *codec.Error) {
	if !a.committee.verify(authority, a.message, sig) {
		return codec.Certificate{}, InvalidSignature
	}
	m, ok := a.committee.Index(authority)
	if !ok {
		return codec.Certificate{}, a.outsider(authority)
	}
	if a.seen[m/64]>>(m%64)&1 != 0 {
		return codec.Certificate{}, errReuse
	}
	a.seen[m/64] |= 1 << (m % 64)
	a.votes = append(a.votes, codec.VoteEntry{Authority: *authority, Signature: *sig})
	a.weight += a.committee.members[m].Weight
	if a.weight < a.committee.quorum {
		return codec.Certificate{}, nil
	}
	return codec.NewCertificate(a.order, a.votes), nil
}

// outsider refuses a voter that is no member: as unknown the first time, as repeated after, which is how the prototype
// tells them. As many are remembered as there are members, so that strangers can't fill the memory.
func (a *Aggregator) outsider(name *codec.Address) *codec.Error {
	for i := range a.outsiders {
		if a.outsiders[i] == *name {
			return errReuse
		}
	}
	if len(a.outsiders) < len(a.committee.members) {
		a.outsiders = append(a.outsiders, *name)
	}
	return errUnknownSigner
}

// Weight is the weight of the votes so far.
func (a *Aggregator) Weight() uint64 { return a.weight }
