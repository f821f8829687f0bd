package authority

import (
	"encoding/binary"

	"fastpay/codec"
)

// recentOrders keeps the orders whose settlement a Merger has not met yet, as long as their records are in memory and each
// finds room among those of its place. The settlement of nearly all follows within thousands of records; these need not be
// looked up among the accounts, and leave no trace. Whoever chooses addresses to make others find no room only makes them
// take the longer way.
type recentOrders struct {
	met    int           // orders so far
	slots  []recentSlot  // of places, slotsOfPlace each; a power of two of them, none before the first order
	orders []recentOrder // a ring; order n is at n modulo its length, a power of two
	begin  uint32        // the oldest order that may be kept
	end    uint32        // after the newest
}

// recentSlot says that an order of a place is kept, unless order is 0.
type recentSlot struct {
	tag   uint32 // what the keys of different orders seldom share
	order uint32 // where the order is among orders, + 1
}

// recentOrder is an order that is kept, if its record is not nil.
type recentOrder struct {
	record []byte // a view
	part   *part
	at     Position
	slot   uint32 // that says so
}

const (
	slotsOfPlace = 4 // in half a cache line
	// recentMost orders are several times as many as a busy authority has in flight, in 384 KiB, of which as much is used as
	// the records of orders in memory need; and there is a slot for each, in 64 KiB.
	recentMost = 1 << 13
	// recentFew orders are met before there is room for so many, and for fewerSlots until then.
	recentFew  = 1 << 10
	fewerSlots = 1 << 6
)

// grow makes room for n orders. None must be kept.
func (r *recentOrders) grow(n int) {
	*r = recentOrders{met: r.met, slots: make([]recentSlot, n), orders: make([]recentOrder, n)}
}

// recentKey is a place and a tag for the order that a sender gave this sequence number.
func recentKey(o codec.Order) uint64 {
	const spread = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio
	return (binary.LittleEndian.Uint64(o.Sender()[:]) + o.SequenceNumber()) * spread
}

// place is the first slot of a key's place. There must be slots.
func (r *recentOrders) place(key uint64) uint32 {
	return uint32(key>>32) & uint32(len(r.slots)-1) &^ (slotsOfPlace - 1)
}

// keep keeps an order if there is room.
func (r *recentOrders) keep(key uint64, o recentOrder) bool {
	first := r.place(key)
	for i := first; i < first+slotsOfPlace; i++ {
		if r.slots[i].order == 0 {
			at := r.end & uint32(len(r.orders)-1)
			o.slot, r.end = i, r.end+1
			r.orders[at], r.slots[i] = o, recentSlot{uint32(key), at + 1}
			return true
		}
	}
	return false
}

// candidate is an order that may be the one with this key; nil if there is none.
func (r *recentOrders) candidate(key uint64) *recentOrder {
	first := r.place(key)
	for i := first; i < first+slotsOfPlace; i++ {
		if s := r.slots[i]; s.order != 0 && s.tag == uint32(key) {
			return &r.orders[s.order-1]
		}
	}
	return nil
}

// settle drops the order that a settled one takes the place of: the same, or another one that its sender had signed.
func (r *recentOrders) settle(key uint64, settled codec.Order) {
	if len(r.slots) == 0 {
		return
	}
	first := r.place(key)
	for i := first; i < first+slotsOfPlace; i++ {
		s := r.slots[i]
		if s.order == 0 || s.tag != uint32(key) {
			continue
		}
		kept := &r.orders[s.order-1]
		if o := kept.order(); o.SequenceNumber() == settled.SequenceNumber() && *o.Sender() == *settled.Sender() {
			kept.record, r.slots[i] = nil, recentSlot{}
			return
		}
	}
}

// full reports whether the oldest order must go before another one is kept. What was settled meanwhile goes first.
func (r *recentOrders) full() bool {
	if r.end-r.begin == uint32(len(r.orders)) {
		r.oldest()
	}
	return r.end-r.begin == uint32(len(r.orders))
}

// oldest is the oldest order that is kept, nil if there is none.
func (r *recentOrders) oldest() *recentOrder {
	for ; r.begin != r.end; r.begin++ {
		if o := &r.orders[r.begin&uint32(len(r.orders)-1)]; o.record != nil {
			return o
		}
	}
	return nil
}

// pop takes the oldest order out. There must be one.
func (r *recentOrders) pop() recentOrder {
	kept := r.oldest()
	o := *kept
	r.slots[o.slot], kept.record = recentSlot{}, nil
	r.begin++
	return o
}

// order is the order, a view.
func (o *recentOrder) order() codec.Order {
	order, _ := parseOrder(o.record[1:])
	return order
}
