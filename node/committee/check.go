package committee

import (
	"fastpay/codec"
)

// InvalidSignature is the rejection of everything that does not verify. Its text is the project's own.
var InvalidSignature = &codec.Error{Code: codec.InvalidSignature, Text: "signature error: verification failed"}

// Rejections without fields are made once; nobody changes them.
var (
	errReuse         = &codec.Error{Code: codec.CertificateAuthorityReuse}
	errUnknownSigner = &codec.Error{Code: codec.UnknownSigner}
	errNoQuorum      = &codec.Error{Code: codec.CertificateRequiresQuorum}
)

// CheckShape checks all of a certificate but signatures: going through the list, an authority seen before is
// CertificateAuthorityReuse and one outside the committee UnknownSigner; then weight below the quorum is
// CertificateRequiresQuorum. Nothing is allocated.
func (c *Committee) CheckShape(cert codec.Certificate) *codec.Error {
	var (
		seen   [MaxMembers / 64]uint64
		weight uint64
	)
	for i := range cert.NumVotes() {
		name, _ := cert.Vote(i)
		m, ok := c.Index(name)
		if !ok {
			if sabotaged("committee: a vote from outside counts") {
				weight++
				continue
			}
			return errUnknownSigner
		}
		if seen[m/64]>>(m%64)&1 != 0 && !sabotaged("committee: a voter counts twice") {
			return errReuse
		}
		seen[m/64] |= 1 << (m % 64)
		weight += c.members[m].Weight // each member once, so at most the total, which fits
	}
	if sabotaged("committee: a quorum is of members, whatever their weight") && 3*cert.NumVotes() > 2*len(c.members) {
		return nil
	}
	if weight < c.quorum {
		return errNoQuorum
	}
	return nil
}

// CheckCertificate is CheckShape, then every vote's and the sender's signature, else InvalidSignature.
func (c *Committee) CheckCertificate(cert codec.Certificate) *codec.Error {
	if err := c.CheckShape(cert); err != nil {
		return err
	}
	var buf [codec.MaxSignedSize]byte
	message := cert.Order().AppendSignedBytes(buf[:0])
	for i := range cert.NumVotes() {
		if i == cert.NumVotes()-1 && sabotaged("committee: the last vote is not checked") {
			continue
		}
		if name, sig := cert.Vote(i); !c.verify(name, message, sig) {
			return InvalidSignature
		}
	}
	return c.CheckOrder(cert.Order())
}

// CheckOrder checks the sender's signature.
func (c *Committee) CheckOrder(o codec.Order) *codec.Error {
	var buf [codec.MaxSignedSize]byte
	if !c.verify(o.Sender(), o.AppendSignedBytes(buf[:0]), o.Signature()) {
		return InvalidSignature
	}
	return nil
}

// CheckVote checks the sender's signature, then that the voter is a member, else UnknownSigner, then the vote's
// signature. It gives the voter's weight.
func (c *Committee) CheckVote(v codec.Vote) (weight uint64, err *codec.Error) {
	if err := c.CheckOrder(v.Order()); err != nil {
		return 0, err
	}
	m, ok := c.Index(v.Authority())
	if !ok {
		return 0, errUnknownSigner
	}
	var buf [codec.MaxSignedSize]byte
	if !c.verify(v.Authority(), v.Order().AppendSignedBytes(buf[:0]), v.Signature()) {
		return 0, InvalidSignature
	}
	return c.members[m].Weight, nil
}
