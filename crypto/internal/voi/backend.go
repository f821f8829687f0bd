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

// BatchSize is 7 ms of votes.
func (Backend) BatchSize() int { return 1024 }

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
