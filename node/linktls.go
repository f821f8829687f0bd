package node

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"time"

	"fastpay/codec"
	"fastpay/crypto"
)

// linkProtocol is what both sides of a link must name when they connect (ALPN); it ends with the version.
const linkProtocol = "fastpay-link/1"

// linkTLS has both sides of a link prove that they hold the authority's key. The certificate is self-made, and says
// nothing but that key; nobody else vouches for it, and it has no end that matters. TLS signs other bytes than
// transfers, so that a handshake gives no vote.
type linkTLS struct{ dial, accept *tls.Config }

// noEnd is how a certificate says that it has no end (RFC 5280, section 4.1.2.5).
var noEnd = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

func newLinkTLS(key *crypto.PrivateKey) (*linkTLS, error) {
	seed, name := key.Seed(), key.Public()
	private := ed25519.NewKeyFromSeed(seed[:])
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: noEnd}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return nil, fmt.Errorf("node: certificate for links: %w", err)
	}
	config := tls.Config{
		Certificates:           []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: private}},
		MinVersion:             tls.VersionTLS13,
		NextProtos:             []string{linkProtocol},
		InsecureSkipVerify:     true, // of names and issuers: the key is what counts, and VerifyConnection sees to that
		ClientAuth:             tls.RequireAnyClientCert,
		SessionTicketsDisabled: true,
		VerifyConnection:       func(state tls.ConnectionState) error { return provesKey(&state, &name) },
	}
	return &linkTLS{dial: &config, accept: config.Clone()}, nil
}

// provesKey refuses a peer that has not proven to hold the key. The handshake has checked its signature by the key of
// its certificate.
func provesKey(state *tls.ConnectionState, name *codec.Address) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("node: the other side of a link proves no key")
	}
	key, ok := state.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	if !ok || len(key) != len(name) {
		return errors.New("node: the other side of a link proves a key that is not Ed25519")
	}
	if proven := codec.Address(key); proven != *name {
		return fmt.Errorf("node: the other side of a link proves to be authority %s, not this one", codec.FormatAddress(&proven))
	}
	if state.NegotiatedProtocol != linkProtocol {
		return fmt.Errorf("node: the other side of a link speaks %q, expected %q", state.NegotiatedProtocol, linkProtocol)
	}
	return nil
}
