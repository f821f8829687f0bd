//go:build !purego

package lanes

// mostCoefficients is the largest number that one call of the kernel makes, so that it takes a few microseconds.
const mostCoefficients = 4096

func (c *Coefficients) fill(dst [][16]byte) {
	if !Supported {
		c.fillGeneric(dst)
		return
	}
	for i := 0; i < len(dst); i += mostCoefficients {
		part := dst[i:min(i+mostCoefficients, len(dst))]
		coefficientsAVX512(&part[0], uint64(len(part)), uint64(i), (*[16]byte)(c.seed[:]))
	}
}
