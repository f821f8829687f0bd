//go:build !purego

package lanes

import "github.com/klauspost/cpuid/v2"

// Supported says whether the processor, and the operating system, let the kernels run. It is set once, at start.
var Supported = cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX512DQ, cpuid.AVX512BW, cpuid.AVX512VL, cpuid.AVX512IFMA,
	cpuid.AVX512VBMI2, cpuid.VAES, cpuid.BMI2)
