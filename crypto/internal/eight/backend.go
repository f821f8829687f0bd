// Package eight is the backend for processors with AVX-512 IFMA: whole batches in eight lanes, put together from the curve
// arithmetic of package ifma and the hashing and scalar arithmetic of package lanes.
//
//   - Votes of members are checked one by one with two table walks (votes.go). A walk that does not give R byte by byte
//     leaves the verdict to the cofactored check.
//   - All other signatures share one equation (equation.go). When it does not hold, they are tried in groups.
//   - Votes are signed in groups, in constant time (sign.go).
//
// What is too few to fill lanes, and what is left of a batch with bad signatures, is checked by the scalar backend, so that
// there is no cliff on either side and every verdict is that of ZIP-215. The limits between the two are measured
// (BenchmarkCrossover); KERNELS.md of the two packages below has the costs.
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
