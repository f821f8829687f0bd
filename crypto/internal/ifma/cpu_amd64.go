//go:build !purego

package ifma

import "github.com/klauspost/cpuid/v2"

// Supported tells whether the processor and the operating system have what the kernels need. Without it everything
// works on the generic twins, hundreds of times slower.
var Supported = cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX512VL, cpuid.AVX512DQ, cpuid.AVX512BW, cpuid.AVX512IFMA)

// useKernels is Supported, except in tests of the twins.
var useKernels = Supported
