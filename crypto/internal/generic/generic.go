package generic

import (
	"crypto/ed25519"

	voi "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

	"fastpay/crypto/internal/backend"
)

// Backend implements backend.Backend.
type Backend struct{}

var _ backend.Backend = Backend{}

// Name is "generic".
func (Backend) Name() string { return "generic" }

// BatchSize is 10 ms of votes: it gains nothing from batches.
func (Backend) BatchSize() int { return 256 }

// Available is nil: it runs everywhere.
func (Backend) Available() error { return nil }

// NewMembers prepares nothing.
func (Backend) NewMembers([][32]byte) backend.Members { return nil }

// NewChecker makes a checker without any memory.
func (Backend) NewChecker(backend.Members) backend.Checker { return checker{} }

var zip215 = &voi.Options{Verify: voi.VerifyOptionsZIP_215}

// Verify checks one signature.
func (Backend) Verify(key *[32]byte, message []byte, signature *[64]byte) bool {
	return voi.VerifyWithOptions(key[:], message, signature[:], zip215)
}

// Sign signs the messages one by one, with the standard library.
func (Backend) Sign(secret *backend.Secret, signatures [][64]byte, messages [][]byte) {
	private := ed25519.PrivateKey(make([]byte, 0, ed25519.PrivateKeySize))
	private = append(append(private, secret.Seed[:]...), secret.Public[:]...)
	for i, message := range messages {
		copy(signatures[i][:], ed25519.Sign(private, message))
	}
	clear(private)
}

type checker struct{}

// Check checks the signatures one by one.
func (checker) Check(checks []backend.Check) bool {
	all := true
	for i := range checks {
		c := &checks[i]
		c.Valid = Backend{}.Verify(c.Key, c.Message, c.Signature)
		all = all && c.Valid
	}
	return all
}
