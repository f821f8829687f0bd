//go:build !purego

package lanes

func digits8(dst *[Lanes]int16, s **[32]byte, half *[5]uint64, width, windows uint64, row *[5][Lanes]uint64) uint8 {
	if !Supported {
		return digits8Generic(dst, s, half, width, windows)
	}
	return digits8AVX512(dst, s, half, width, windows, row)
}
