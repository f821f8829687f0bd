package authority

// A slab is an array that grows without moving: chunks of fixed size, so that an element keeps its number and its address,
// and growing never copies. Elements hold no pointers, hence the garbage collector does not look into chunks.
type slab[T any] struct {
	chunks []*[chunkLen]T
	n      uint32
}

const (
	chunkBits = 9 // 64 KiB of accounts: small enough for a process of a hundred shards, large enough to be rare
	chunkLen  = 1 << chunkBits
	chunkMask = chunkLen - 1
)

// maxElements bounds a slab; 2^31 accounts are over 200 GB, so memory ends first.
const maxElements = 1 << 31

// at is element i, valid for the slab's life.
func (s *slab[T]) at(i uint32) *T { return &s.chunks[i>>chunkBits][i&chunkMask] }

// add appends a zero element. Like running out of memory, running out of numbers ends the process.
func (s *slab[T]) add() (i uint32, element *T) {
	i = s.n
	if i&chunkMask == 0 {
		if i >= maxElements {
			panic("authority: 2^31 elements in one shard")
		}
		s.chunks = append(s.chunks, new([chunkLen]T))
	}
	s.n++
	return i, s.at(i)
}
