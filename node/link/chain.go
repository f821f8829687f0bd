package link

import "fastpay/codec"

// Chain sums up the credits of a link from the first to some number, in their order. The chain of none is 0. It is no
// secret and no proof: both sides are one authority, and it tells two histories apart that they should share.
type Chain uint64

// Next is the chain with one credit more.
func (c Chain) Next(o codec.Order) Chain { return Chain(o.AddTo(uint64(c))) }
