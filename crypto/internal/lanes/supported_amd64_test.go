//go:build !purego

package lanes

import "testing"

// TestWithoutKernels runs what a processor without AVX-512 runs.
func TestWithoutKernels(t *testing.T) {
	if !Supported {
		t.Skip("all other tests run like this here")
	}
	Supported = false
	defer func() { Supported = true }()
	t.Run("Hashes", testHashes)
	t.Run("MulAdd", TestMulAddMatchesBig)
	t.Run("ReduceWide", TestReduceWideCounts)
}

// withoutKernels runs f as a processor without AVX-512 does.
func withoutKernels(f func()) {
	before := Supported
	Supported = false
	defer func() { Supported = before }()
	f()
}
