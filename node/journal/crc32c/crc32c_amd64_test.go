//go:build !purego

package crc32c

import "testing"

// TestWithoutKernels runs what another processor runs.
func TestWithoutKernels(t *testing.T) {
	if !useKernels {
		t.Skip("all other tests run like this here")
	}
	useKernels = false
	defer func() { useKernels = true }()
	t.Run("Golden", TestGolden)
	t.Run("Parts", TestUpdateOfParts)
}
