package authority

import "math/bits"

// A slab is an array that grows without moving: chunks, so that an element keeps its number and its address, and growing
// never copies. Elements hold no pointers, hence the garbage collector does not look into chunks. Where there are few,
// chunks are small: 16 elements, 16, 32, and on, to 256; then they have a fixed size.
type slab[T any] struct {
	early  [earlyChunks][]T // elements below chunkLen
	chunks []*[chunkLen]T   // those after them
	n      uint32
}

const (
	chunkBits = 9 // 64 KiB of accounts: small enough for a process of a hundred shards, large enough to be rare
	chunkLen  = 1 << chunkBits
	chunkMask = chunkLen - 1

	firstBits   = 4 // of the first two chunks
	earlyChunks = chunkBits - firstBits + 1
)

// maxElements bounds a slab; 2^31 accounts are over 200 GB, so memory ends first.
const maxElements = 1 << 31

// at is element i, valid for the slab's life.
func (s *slab[T]) at(i uint32) *T {
	if i < chunkLen {
		chunk, first := earlyChunk(i)
		return &s.early[chunk][i-first]
	}
	return &s.chunks[i>>chunkBits-1][i&chunkMask]
}

// earlyChunk is where an element below chunkLen is, and the first one there.
func earlyChunk(i uint32) (chunk int, first uint32) {
	chunk = bits.Len32(i >> firstBits)
	return chunk, 1 << (firstBits + chunk) >> 1 &^ (1<<firstBits - 1)
}

// add appends a zero element. Like running out of memory, running out of numbers ends the process.
func (s *slab[T]) add() (i uint32, element *T) {
	i = s.n
	switch {
	case i < chunkLen:
		if chunk, first := earlyChunk(i); i == first {
			s.early[chunk] = make([]T, max(first, 1<<firstBits))
		}
	case i&chunkMask == 0:
		if i >= maxElements {
			panic("authority: 2^31 elements in one shard")
		}
		s.chunks = append(s.chunks, new([chunkLen]T))
	}
	s.n++
	return i, s.at(i)
}
