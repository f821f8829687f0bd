//go:build !linux

package ifma

// mapMemory returns zeroed memory of the heap; see memory_linux.go for more.
func mapMemory(size int) (memory, mapping []byte, err error) {
	mapping = make([]byte, size+cacheLineBytes)
	return aligned(mapping, cacheLineBytes)[:size], mapping, nil
}

func protectMemory([]byte) error { return nil }

func unmapMemory([]byte) error { return nil }
