//go:build !amd64 || purego

package crc32c

// useKernels is false: there are none.
const useKernels = false

func updateAVX512(uint32, *byte, int) uint32 { panic("crc32c: no kernels in this build") }

func prefixedAVX512(*[wordBytes]byte, *byte, int) uint32 { panic("crc32c: no kernels in this build") }
