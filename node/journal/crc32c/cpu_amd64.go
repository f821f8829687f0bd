//go:build !purego

package crc32c

import "github.com/klauspost/cpuid/v2"

// useKernels tells whether the processor and the operating system have what the kernels need. Tests switch it off.
var useKernels = cpuid.CPU.Supports(cpuid.SSE42, cpuid.AVX, cpuid.AVX2, cpuid.BMI2, cpuid.CLMUL, cpuid.AVX512F,
	cpuid.AVX512DQ, cpuid.VPCLMULQDQ)
