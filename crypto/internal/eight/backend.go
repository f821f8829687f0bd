package eight

import (
	"errors"
	"sync"

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

// alone is the memory of a check of one signature.
type alone struct {
	checker *checker
	checks  [1]backend.Check
}

// idle keeps memory of checks of one signature, with the keys that were seen last.
var idle sync.Pool

// Verify checks one signature.
func (b Backend) Verify(key *[32]byte, message []byte, signature *[64]byte) bool {
	a, _ := idle.Get().(*alone)
	if a == nil {
		a = &alone{checker: b.NewChecker(nil).(*checker)}
	}
	a.checks[0] = backend.Check{Key: key, Message: message, Signature: signature, Member: -1}
	valid := a.checker.Check(a.checks[:])
	clear(a.checks[:])
	idle.Put(a)
	return valid
}
