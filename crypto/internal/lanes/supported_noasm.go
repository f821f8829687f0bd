//go:build !amd64 || purego

package lanes

// Supported says whether the processor lets the kernels run: not in this build.
const Supported = false
