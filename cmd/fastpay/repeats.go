package main

import (
	"hash/maphash"
	"math/bits"

	"fastpay/codec"
)

// repeats looks for the first address of a list that was there before, beside whoever makes the list: each address costs a
// miss of the caches, and there may be ten million.
type repeats struct {
	lists chan []codec.Address // what there is so far, each longer than the one before
	found chan int             // the answer, once lists is closed: an index, or -1
}

// repeatsEvery is how many addresses are handed over at a time.
const repeatsEvery = 1 << 14

func lookForRepeats(sizeHint int) *repeats {
	r := &repeats{make(chan []codec.Address, 4), make(chan int, 1)}
	go func() {
		set := newAddressSet(sizeHint)
		first, next := -1, 0
		for list := range r.lists {
			for ; next < len(list) && first < 0; next++ {
				if !set.add(list, next) {
					first = next
				}
			}
		}
		r.found <- first
	}()
	return r
}

// end is called once, with the whole list; it returns the index of the first address that stands a second time, or -1.
func (r *repeats) end(all []codec.Address) int {
	r.lists <- all
	close(r.lists)
	return <-r.found
}

// addressSet is a set of places in a list of addresses.
type addressSet struct {
	seed  maphash.Seed
	slots []uint64 // bits of the hash above, place + 1 below; 0 is empty. Their number is a power of two
	used  int
}

const addressPlace = 1<<32 - 1

func newAddressSet(sizeHint int) *addressSet {
	return &addressSet{seed: maphash.MakeSeed(), slots: make([]uint64, 1<<bits.Len(uint(max(sizeHint, 8)*3/2)))}
}

// add adds the address at place i, unless it is there already. list begins with what it was in every call before.
func (s *addressSet) add(list []codec.Address, i int) bool {
	if s.used > len(s.slots)/4*3 {
		s.grow(list)
	}
	hash := maphash.Bytes(s.seed, list[i][:])
	mask := uint64(len(s.slots) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		slot := s.slots[at]
		if slot == 0 {
			s.slots[at] = hash&^addressPlace | uint64(i+1)
			s.used++
			return true
		}
		if (slot^hash)&^addressPlace == 0 && list[slot&addressPlace-1] == list[i] {
			return false
		}
	}
}

func (s *addressSet) grow(list []codec.Address) {
	old := s.slots
	s.slots = make([]uint64, 2*len(old))
	mask := uint64(len(s.slots) - 1)
	for _, slot := range old {
		if slot == 0 {
			continue
		}
		at := maphash.Bytes(s.seed, list[slot&addressPlace-1][:]) & mask
		for s.slots[at] != 0 {
			at = (at + 1) & mask
		}
		s.slots[at] = slot
	}
}
