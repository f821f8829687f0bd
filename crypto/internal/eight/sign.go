package eight

import (
	"sync"

	"fastpay/crypto/internal/backend"
	"fastpay/crypto/internal/ifma"
	"fastpay/crypto/internal/lanes"
)

// signGroup is how many signatures share an inversion; more gain nothing.
const signGroup = 256

// signer is the memory of one group of signatures. What it holds of nonces is wiped when the group is done.
type signer struct {
	curve      *ifma.Scratch
	hashing    lanes.Scratch
	nonces     [signGroup][32]byte
	r          [signGroup][32]byte
	challenges [signGroup][32]byte
	s          [signGroup][32]byte
	rs, as     [signGroup]*[32]byte
}

var signers = sync.Pool{New: func() any { return &signer{curve: ifma.NewScratch()} }}

// Sign makes RFC 8032 signatures.
func (b Backend) Sign(secret *backend.Secret, signatures [][64]byte, messages [][]byte) {
	g := signers.Get().(*signer)
	for len(messages) > 0 {
		n := min(len(messages), signGroup)
		g.sign(secret, signatures[:n], messages[:n])
		signatures, messages = signatures[n:], messages[n:]
	}
	signers.Put(g)
}

// sign does one group: r = H(prefix ‖ M), R = [r]B, k = H(R ‖ A ‖ M), S = r + k·a.
func (g *signer) sign(secret *backend.Secret, signatures [][64]byte, messages [][]byte) {
	n := len(messages)
	lanes.HashNonces(g.nonces[:n], &secret.Prefix, messages, &g.hashing)
	g.curve.MultiplyBase(g.r[:n], g.nonces[:n])
	for i := range n {
		g.rs[i], g.as[i] = &g.r[i], &secret.Public
	}
	lanes.HashChallenges(g.challenges[:n], g.rs[:n], g.as[:n], messages, &g.hashing)
	lanes.MulAdd(g.s[:n], g.challenges[:n], g.nonces[:n], &secret.Scalar, &g.hashing)
	for i := range n {
		copy(signatures[i][:32], g.r[i][:])
		copy(signatures[i][32:], g.s[i][:])
	}
	clear(g.nonces[:n])
	clear(g.as[:n])
}
