//go:build !amd64 || purego

package ifma

import "testing"

// eachBackend runs f with the twins, the only ones there are.
func eachBackend(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Run("generic", f)
}

// generic runs f with the twins.
func generic(f func()) { f() }
