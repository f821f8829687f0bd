package crypto

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"

	"github.com/klauspost/cpuid/v2"

	"fastpay/crypto/internal/backend"
	"fastpay/crypto/internal/eight"
	"fastpay/crypto/internal/generic"
	"fastpay/crypto/internal/voi"
)

// backends is every implementation of this build, the best last. Tests run once for each that is available.
var backends = []backend.Backend{generic.Backend{}, voi.Backend{}, eight.Backend{Scalar: voi.Backend{}}}

// EnvBackend is the environment variable that names the backend to use instead of the best available one.
const EnvBackend = "FASTPAY_CRYPTO"

var (
	selected  atomic.Pointer[backend.Backend]
	selectErr error
)

func init() {
	for _, b := range backends {
		if b.Available() == nil {
			selected.Store(&b)
		}
	}
	if name := os.Getenv(EnvBackend); name != "" {
		if err := Select(name); err != nil {
			selectErr = fmt.Errorf("%w (from the environment variable %s)", err, EnvBackend)
		}
	}
}

func current() backend.Backend { return *selected.Load() }

// Err says what was wrong with FASTPAY_CRYPTO at start: an unknown backend, or one that can't run here. Then the best one
// is in use. A command prints it and exits.
func Err() error { return selectErr }

// Select chooses the backend by name: generic, voi or ifma. KeySets and Verifiers keep the one
// that they were made with, so call it before making any.
func Select(name string) error {
	var known []string
	for _, b := range backends {
		known = append(known, b.Name())
		if b.Name() != name {
			continue
		}
		if err := b.Available(); err != nil {
			return fmt.Errorf("crypto: backend %q can't run here: %w", name, err)
		}
		selected.Store(&b)
		return nil
	}
	return fmt.Errorf("crypto: unknown backend %q; this build has %s", name, strings.Join(known, ", "))
}

// Backend names the implementation in use.
func Backend() string { return current().Name() }

// BatchSize is how many votes a batch should have at most: more would get hardly cheaper, and keep a thread busy for longer
// than 2 to 10 ms, depending on the implementation in use. An order costs as much as two votes.
func BatchSize() int { return current().BatchSize() }

// Backends names the implementations that can run here, the best last.
func Backends() []string {
	var names []string
	for _, b := range backends {
		if b.Available() == nil {
			names = append(names, b.Name())
		}
	}
	return names
}

// features is what the implementations look for.
var features = []cpuid.FeatureID{
	cpuid.AVX2, cpuid.BMI2, cpuid.ADX, cpuid.AVX512F, cpuid.AVX512VL, cpuid.AVX512DQ, cpuid.AVX512BW, cpuid.AVX512IFMA,
	cpuid.AVX512VBMI2, cpuid.VAES,
}

// Features names the features of this processor that the implementations make use of, as far as it has them.
func Features() []string {
	var names []string
	for _, f := range features {
		if cpuid.CPU.Supports(f) {
			names = append(names, f.String())
		}
	}
	return names
}
