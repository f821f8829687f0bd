package crc32c

import (
	"hash/crc32"
)

// wordBytes is the least that the kernels take.
const wordBytes = 8

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Update is the checksum of what has the checksum crc, zero if that is nothing, with p after it.
func Update(crc uint32, p []byte) uint32 {
	if useKernels && len(p) >= wordBytes {
		return updateAVX512(crc, &p[0], len(p))
	}
	return crc32.Update(crc, castagnoli, p)
}

// Prefixed is the checksum of the prefix with p after it.
func Prefixed(prefix *[wordBytes]byte, p []byte) uint32 {
	if useKernels && len(p) >= wordBytes {
		return prefixedAVX512(prefix, &p[0], len(p))
	}
	return crc32.Update(crc32.Checksum(prefix[:], castagnoli), castagnoli, p)
}
