//go:build !purego

package lanes

import "github.com/klauspost/cpuid/v2"

// mostCoefficients is the largest number that one call of the kernel makes, so that it takes a few microseconds.
const mostCoefficients = 4096

// supportsAES says whether the cipher runs where the other kernels do not.
var supportsAES = cpuid.CPU.Supports(cpuid.AVX, cpuid.AESNI)

func (c *Coefficients) fill(dst [][16]byte) {
	if !Supported && !supportsAES {
		c.fillGeneric(dst)
		return
	}
	for i := 0; i < len(dst); i += mostCoefficients {
		part := dst[i:min(i+mostCoefficients, len(dst))]
		first, count, key := &part[0], uint64(len(part)), (*[16]byte)(c.seed[:])
		if Supported {
			coefficientsAVX512(first, count, uint64(i), key)
		} else {
			coefficientsAES(first, count, uint64(i), key)
		}
	}
}
