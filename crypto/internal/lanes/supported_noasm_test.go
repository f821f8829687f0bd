//go:build !amd64 || purego

package lanes

// withoutKernels runs f: there are none.
func withoutKernels(f func()) { f() }
