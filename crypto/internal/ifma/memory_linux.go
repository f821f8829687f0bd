package ifma

import (
	"fmt"
	"syscall"
)

// hugePageBytes is the size of the pages that tables should lie on: with 4 KB pages nearly every entry is a miss of the
// address cache too.
const hugePageBytes = 2 << 20

// adviseHugePages is MADV_HUGEPAGE of madvise(2).
const adviseHugePages = 14

// mapMemory returns zeroed memory outside the heap of at least size bytes, and the mapping to give to unmapMemory.
// It begins on a huge page, and the kernel is advised to use such pages.
func mapMemory(size int) (memory, mapping []byte, err error) {
	size = (size + hugePageBytes - 1) &^ (hugePageBytes - 1)
	mapping, err = syscall.Mmap(-1, 0, size+hugePageBytes, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return nil, nil, fmt.Errorf("ifma: no memory for tables of %d bytes: %w", size, err)
	}
	memory = aligned(mapping, hugePageBytes)[:size]
	// Advice only: a kernel without huge pages serves small ones.
	_ = syscall.Madvise(memory, adviseHugePages)
	return memory, mapping, nil
}

// protectMemory makes it read-only.
func protectMemory(memory []byte) error { return syscall.Mprotect(memory, syscall.PROT_READ) }

func unmapMemory(mapping []byte) error { return syscall.Munmap(mapping) }
