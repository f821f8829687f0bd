package eight

import (
	"errors"

	"fastpay/crypto/internal/backend"
	"fastpay/crypto/internal/ifma"
	"fastpay/crypto/internal/lanes"
)

// Backend implements backend.Backend. Scalar is the backend for what is not worth eight lanes.
type Backend struct{ Scalar backend.Backend }

var _ backend.Backend = Backend{}

// Name is "ifma".
func (Backend) Name() string { return "ifma" }

// BatchSize is 2 ms of votes.
func (Backend) BatchSize() int { return 2048 }

var errUnavailable = errors.New("it needs AVX-512 with IFMA, VBMI2 and VAES, and a build for amd64 without purego")

// Available is nil where the kernels run.
func (Backend) Available() error {
	if !ifma.Supported || !lanes.Supported {
		return errUnavailable
	}
	return nil
}

// Verify checks one signature: eight lanes have nothing to offer for one.
func (b Backend) Verify(key *[32]byte, message []byte, signature *[64]byte) bool {
	return b.Scalar.Verify(key, message, signature)
}
