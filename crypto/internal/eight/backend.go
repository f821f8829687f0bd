// Package eight is the backend for processors with AVX-512 IFMA: whole batches in eight lanes, put together from the curve
// arithmetic of package ifma and the hashing and scalar arithmetic of package lanes.
//
//   - Votes of members are checked one by one with two table walks (checker.go). A walk that does not give R byte by byte
//     leaves the verdict to the cofactored check.
//   - All other signatures share one equation (equation.go).
//   - Votes that a walk did not accept, and all signatures of an equation that does not hold, are checked each for itself,
//     eight side by side (single.go).
//   - Votes are signed in groups, in constant time (sign.go).
//
// What is too few to fill lanes is left to the scalar backend, so that there is no cliff, and every verdict is that of
// ZIP-215. Where the lines cross is measured (BenchmarkCrossover); KERNELS.md of the two packages below has the costs.
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
