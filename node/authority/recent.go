package authority

import (
	"encoding/binary"

	"fastpay/codec"
)

// recentOrders keeps the orders whose settlement a Merger has not met yet, as far as each finds its one place free. The
// settlement of nearly all follows within thousands of records; these need not be looked up among the accounts, and leave
// no trace. Whoever chooses addresses to make others lose their place only makes them take the longer way.
type recentOrders struct {
	slots []recentOrder // a power of two of them, none before the first order
	met   int           // orders so far
}

// recentOrder is an order, if its length is not 0.
type recentOrder struct {
	at     Position // of its record
	shard  uint32
	length uint8
	order  [maxOrderSize]byte
}

const (
	// recentSlots are several times as many as orders of a busy authority wait for their settlement, in 1.6 MiB.
	recentSlots = 1 << 13
	// recentFew orders are met before there are so many places, and fewerSlots do until then.
	recentFew  = 1 << 10
	fewerSlots = 1 << 6
)

func (r *recentOrder) view() codec.Order {
	o, _, _ := codec.TakeOrder(r.order[:r.length])
	return o
}

// place is where the order belongs that its sender gave this sequence number, whatever is there. There must be places.
func (r *recentOrders) place(o codec.Order) *recentOrder {
	const spread = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio
	key := binary.LittleEndian.Uint64(o.Sender()[:]) + o.SequenceNumber()
	return &r.slots[key*spread>>32&uint64(len(r.slots)-1)]
}

// settle drops the order that a settled one takes the place of: the same, or another one that its sender had signed.
func (r *recentOrders) settle(o codec.Order) {
	if len(r.slots) == 0 {
		return
	}
	slot := r.place(o)
	if slot.length == 0 {
		return
	}
	if kept := slot.view(); kept.SequenceNumber() == o.SequenceNumber() && *kept.Sender() == *o.Sender() {
		slot.length = 0
	}
}
