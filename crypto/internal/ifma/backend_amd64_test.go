//go:build !purego

package ifma

import "testing"

// eachBackend runs f once with the kernels, where they are supported, and once with their twins.
func eachBackend(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	before := useKernels
	t.Cleanup(func() { useKernels = before })
	if Supported {
		useKernels = true
		t.Run("ifma", f)
	}
	useKernels = false
	t.Run("generic", f)
	useKernels = before
}

// generic runs f with the twins.
func generic(f func()) {
	before := useKernels
	useKernels = false
	f()
	useKernels = before
}
