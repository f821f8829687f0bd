package journal

import "unsafe"

// alignedBytes makes a buffer of no bytes with a capacity of n, at a place in memory from which a disk can be written
// directly.
func alignedBytes(n int) []byte { return aligned(n, BlockSize) }

// hugePageBytes is the size of the pages on which large buffers should lie.
const hugePageBytes = 2 << 20

// hugeBytes is alignedBytes for a buffer that lives long. If it is large, the kernel is advised to use huge pages: then it
// takes one piece of memory to the disk in place of hundreds, which is most of the time that moving them takes.
func hugeBytes(n int) []byte {
	if n < hugePageBytes {
		return alignedBytes(n)
	}
	b := aligned((n+hugePageBytes-1)&^(hugePageBytes-1), hugePageBytes)
	adviseHugePages(b[:cap(b)])
	return b[:0:n]
}

func aligned(n, to int) []byte {
	b := make([]byte, n+to)
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (to - 1)
	return b[skip : skip : skip+n]
}

// isAligned reports whether b may be moved directly between memory and a file's offset.
func isAligned(b []byte, at int64) bool {
	return (uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b))))|uint64(len(b))|uint64(at))%BlockSize == 0
}
