//go:build !amd64 || purego

package lanes

func digits8(dst *[Lanes]int16, s **[32]byte, half *[5]uint64, width, windows uint64, _ *[5][Lanes]uint64) uint8 {
	return digits8Generic(dst, s, half, width, windows)
}
