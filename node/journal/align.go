package journal

import "unsafe"

// alignedBytes makes a buffer of no bytes with a capacity of n, at a place in memory from which a disk can be written
// directly.
func alignedBytes(n int) []byte {
	b := make([]byte, n+BlockSize)
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (BlockSize - 1)
	return b[skip : skip : skip+n]
}

// isAligned reports whether b may be moved directly between memory and a file's offset.
func isAligned(b []byte, at int64) bool {
	return (uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b))))|uint64(len(b))|uint64(at))%BlockSize == 0
}
