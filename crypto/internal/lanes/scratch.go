package lanes

import (
	"hash"
	"unsafe"
)

// Lanes is the number of 64-bit lanes of a 512-bit register.
const Lanes = 8

// group is how many messages one call of the hash kernel takes: two streams of eight.
const group = 2 * Lanes

type (
	hashState = [8][Lanes]uint64  // SHA-512 variables a to h of eight messages: word by word, then lane by lane
	schedule  = [16][Lanes]uint64 // sixteen words of the message schedule of eight messages
)

// work is what kernels read and write. It has no pointers, since it lies in raw bytes.
type work struct {
	state   [2]hashState
	words   [2]schedule
	scalars [group][32]byte
	addends [Lanes][32]byte
	wide    [Lanes]Wide
}

const rowBytes = 64 // one register; an access that crosses a cache line costs twice

// Scratch is memory for the functions of this package, about 5 KB. The zero value is ready. It may be used again by any
// function, by one goroutine at a time; it must not be copied while in use. Put it in the heap: it is large for a stack.
type Scratch struct {
	space  [unsafe.Sizeof(work{}) + rowBytes - 1]byte
	buffer [shortMessage]byte // one message, for the scalar path
	long   hash.Hash          // for messages that do not fit into buffer; made when first needed
}

// work returns the part of the scratch memory that begins at a multiple of 64 bytes. It is worked out anew each time,
// since a Scratch on a stack moves with it.
func (s *Scratch) work() *work {
	p := unsafe.Pointer(&s.space)
	return (*work)(unsafe.Add(p, -uintptr(p)&(rowBytes-1)))
}

// Wipe clears the memory. Functions that take secrets clear what they used themselves.
func (s *Scratch) Wipe() {
	clear(s.space[:])
	clear(s.buffer[:])
	if s.long != nil {
		s.long.Reset()
	}
}
