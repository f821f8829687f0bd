package ifma

import "unsafe"

// cacheLineBytes is the alignment of everything that kernels read and write: a vector of eight lanes is one line.
const cacheLineBytes = 64

// maxGroups is the number of groups of eight votes that share one inversion: 1,024 votes, after which it costs 5 ns a
// vote and the points begin to leave the second-level cache.
const maxGroups = 128

// Scratch is the memory of a caller of this package: plans, points and temporary values, about 230 KB, on 64-byte
// boundaries. It belongs to one goroutine. It never holds secrets of a signer after a call returns.
type Scratch struct {
	room      [4]Element
	oddRoom   [5]Element
	plans     [2]plan
	walk      walkRoom
	points    [maxGroups]Point
	words     Words
	inverse   [2]Element
	base      [Lanes]uint64
	power     powerRoom
	decode    decodeRoom
	orders    ordersRoom
	single    singleRoom
	refused   refusals
	affine    Affine
	cached    [decodePoints]CachedPoint
	constants constants
	tail      struct {
		signatures [Lanes][64]byte
		scalars    [Lanes][32]byte
		encodings  [decodePoints][32]byte
	}
}

// constants are elements that kernels read, on their own cache lines.
type constants struct{ one, d, halfD, twoD, sqrtM1, inverseTwoD, quadFactors Element }

// NewScratch returns scratch memory.
func NewScratch() *Scratch {
	// The collector sees no pointers in it, because there are none.
	memory := make([]byte, unsafe.Sizeof(Scratch{})+cacheLineBytes)
	s := (*Scratch)(unsafe.Pointer(unsafe.SliceData(aligned(memory, cacheLineBytes))))
	s.constants = constants{
		one: broadcastLane(laneOne), d: broadcastLane(laneD), halfD: broadcastLane(laneHalfD),
		twoD: broadcastLane(laneTwoD), sqrtM1: broadcastLane(laneSqrtM1), inverseTwoD: broadcastLane(laneInverseTwoD),
		quadFactors: quadFactors(),
	}
	return s
}

// aligned returns memory from its first address that is a multiple of boundary, a power of two.
func aligned(memory []byte, boundary uintptr) []byte {
	at := uintptr(unsafe.Pointer(unsafe.SliceData(memory)))
	return memory[-at&(boundary-1):]
}
