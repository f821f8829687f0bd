// Package voi is the backend for processors without wide vector multiplication. Single signatures are checked by
// curve25519-voi; batches by this project's own arithmetic of package edwards.
//
//   - A vote of a member that has earned its table is checked alone, by two table walks (walk.go).
//   - Everything else shares one equation for the whole batch (equation.go), which is searched for the bad ones when it
//     does not hold (search.go).
//
// Both give the verdict of ZIP-215 on every signature. An equation holds although one of its signatures is bad with
// probability below 2^-125, whatever that signature is, since its coefficients are drawn after the batch is closed.
package voi

import (
	"sync"

	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

	"fastpay/crypto/internal/backend"
	"fastpay/crypto/internal/edwards"
)

// Backend implements backend.Backend.
type Backend struct{}

var _ backend.Backend = Backend{}

// Name is "voi".
func (Backend) Name() string { return "voi" }

// Available is nil: it runs everywhere.
func (Backend) Available() error { return nil }

var zip215 = &ed25519.Options{Verify: ed25519.VerifyOptionsZIP_215}

// Verify checks one signature.
func (Backend) Verify(key *[32]byte, message []byte, signature *[64]byte) bool {
	return ed25519.VerifyWithOptions(key[:], message, signature[:], zip215)
}

// baseWidth is the width in bits of the windows of the generator's table: an addition for each window of 253 bits, 96 bytes
// for each of the 2^(width-1) entries of a window. 22 additions, 4.3 MB, one for the process.
const baseWidth = 12

// base is the table of the generator, made when first needed, in about 10 ms.
var base = sync.OnceValue(func() *edwards.Table { return edwards.NewBaseTable(baseWidth) })
