package voi

import (
	"crypto/sha512"
	"hash"
	"sync"

	"github.com/oasisprotocol/curve25519-voi/curve/scalar"

	"fastpay/crypto/internal/backend"
	"fastpay/crypto/internal/edwards"
)

// signWidth is the width of the windows for signing, where every entry of a window is read: 51 additions, each choosing
// among 16 entries. 80 kB.
const signWidth = 5

var signTable = sync.OnceValue(func() *edwards.Table { return edwards.NewBaseTable(signWidth) })

// signGroup is how many signatures share an inversion.
const signGroup = 64

// signer is the memory of one group of signatures. What it holds of nonces is wiped when the group is done.
type signer struct {
	hash    hash.Hash
	digest  [sha512.Size]byte
	nonces  [signGroup]scalar.Scalar
	points  [signGroup]edwards.Point
	scratch [signGroup]edwards.Element
	encoded [signGroup][32]byte
	secret  scalar.Scalar
	s       scalar.Scalar
	table   *edwards.Table
}

var signers = sync.Pool{New: func() any { return &signer{hash: sha512.New(), table: signTable()} }}

// Sign makes RFC 8032 signatures, in groups that share an inversion.
func (Backend) Sign(secret *backend.Secret, signatures [][64]byte, messages [][]byte) {
	g := signers.Get().(*signer)
	must(g.secret.SetBits(secret.Scalar[:]))
	for len(messages) > 0 {
		n := min(len(messages), signGroup)
		g.sign(secret, signatures[:n], messages[:n])
		signatures, messages = signatures[n:], messages[n:]
	}
	g.secret.Zero()
	signers.Put(g)
}

func (g *signer) sign(secret *backend.Secret, signatures [][64]byte, messages [][]byte) {
	n := len(messages)
	var r edwards.Scalar
	var bytes [32]byte
	for i, message := range messages {
		g.hash.Reset()
		g.hash.Write(secret.Prefix[:])
		g.hash.Write(message)
		g.hash.Sum(g.digest[:0])
		must(g.nonces[i].SetBytesModOrderWide(g.digest[:]))
		if err := g.nonces[i].ToBytes(bytes[:]); err != nil {
			panic("crypto: " + err.Error())
		}
		r.SetBytes(&bytes)
		g.table.Multiply(&g.points[i], &r)
	}
	edwards.EncodeAll(g.encoded[:n], g.points[:n], g.scratch[:n])
	for i, message := range messages {
		copy(signatures[i][:32], g.encoded[i][:])
		g.hash.Reset()
		g.hash.Write(g.encoded[i][:])
		g.hash.Write(secret.Public[:])
		g.hash.Write(message)
		g.hash.Sum(g.digest[:0])
		must(g.s.SetBytesModOrderWide(g.digest[:]))
		g.s.Add(g.s.Mul(&g.s, &g.secret), &g.nonces[i])
		if err := g.s.ToBytes(signatures[i][32:]); err != nil {
			panic("crypto: " + err.Error())
		}
	}
	g.hash.Reset() // its buffer ends with public bytes: those of R, A and the message
	clear(g.digest[:])
	clear(g.nonces[:n])
	clear(g.points[:n])
	clear(g.scratch[:n])
	clear(bytes[:])
	r = edwards.Scalar{}
}

// must is for setters that refuse nothing but a wrong length.
func must(_ *scalar.Scalar, err error) {
	if err != nil {
		panic("crypto: " + err.Error())
	}
}
