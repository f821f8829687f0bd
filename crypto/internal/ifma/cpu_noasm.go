//go:build !amd64 || purego

package ifma

// Supported tells whether the processor and the operating system have what the kernels need. Without it everything
// works on the generic twins, hundreds of times slower.
const Supported = false

// useKernels is Supported: there is nothing to switch.
const useKernels = Supported
