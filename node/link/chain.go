package link

import (
	"encoding/binary"

	"fastpay/codec"
)

// Chain sums up the credits of a link from the first to some number, in their order. The chain of none is 0. It is no
// secret and no proof: both sides are one authority, and it tells two histories apart that they should share.
type Chain uint64

// Odd multipliers with well-mixed bits, from the fractions of the golden ratio and of the square root of 3.
const (
	chainMultiplier1 = 0x9e3779b97f4a7c15
	chainMultiplier2 = 0xbb67ae8584caa73b
)

// Next is the chain with one credit more. Which order it is shows in half of its signature, which no two orders share.
// Each step is invertible for a given order, so that chains that differ stay different, whatever equal credits follow.
// It costs some 5 ns.
func (c Chain) Next(o codec.Order) Chain {
	h, signature := uint64(c), o.Signature()
	for i := 0; i < 32; i += 8 {
		h = (h ^ binary.LittleEndian.Uint64(signature[i:])) * chainMultiplier1
		h = (h ^ h>>32) * chainMultiplier2
	}
	return Chain(h ^ h>>29)
}
