package journal

import (
	"iter"
	"maps"
	"math/bits"
	"slices"
)

// sectorSize is what a disk writes as a whole: a crash keeps or loses data by the sector.
const (
	sectorSize     = 512
	sectorsPerPage = BlockSize / sectorSize
)

// memNode is a file's content.
type memNode struct {
	data    pages           // as programs see it
	durable pages           // as of the last Sync
	dirty   map[int64]uint8 // by page, the sectors written since then, a bit each
	lost    map[int64]uint8 // those that differ and that no sync makes durable any more, if nobody writes them again
	size    int64           // allocated, at least
}

// write writes, and notes which sectors are dirty now.
func (n *memNode) write(b []byte, at int64) {
	n.data.write(b, at)
	if n.dirty == nil {
		n.dirty = make(map[int64]uint8)
	}
	for page := at / BlockSize; page*BlockSize < at+int64(len(b)); page++ {
		mask := sectorMask(page, at, at+int64(len(b)))
		n.dirty[page] |= mask
		if lost := n.lost[page]; lost != 0 {
			n.lost[page] = lost &^ mask
		}
	}
}

// sectorMask has the bits of a page's sectors that have something from one offset to another.
func sectorMask(page, from, to int64) (mask uint8) {
	for s, bit := range sectorsOf(page) {
		if s*sectorSize < to && (s+1)*sectorSize > from {
			mask |= bit
		}
	}
	return mask
}

// sync makes all dirty sectors durable.
func (n *memNode) sync() {
	for page, mask := range n.dirty {
		n.syncPage(page, mask)
	}
}

// syncPage makes those of a page's dirty sectors durable that mask has.
func (n *memNode) syncPage(page int64, mask uint8) {
	mask &= n.dirty[page]
	if n.dirty[page] &^= mask; n.dirty[page] == 0 {
		delete(n.dirty, page)
	}
	if n.dirty[page]|n.lost[page] == 0 { // the two do not differ any more
		sectors := int64(bits.Len8(mask)) // a hole after these stays one
		n.durable.takePage(&n.data, page, min(n.data.size, page*BlockSize+sectors*sectorSize))
		return
	}
	for s, bit := range sectorsOf(page) {
		if mask&bit != 0 {
			n.durable.takeSector(&n.data, s)
		}
	}
}

// lose makes what is dirty lost.
func (n *memNode) lose() {
	if n.lost == nil {
		n.lost = make(map[int64]uint8)
	}
	for page, mask := range n.dirty {
		n.lost[page] |= mask
	}
	clear(n.dirty)
}

// crash is the file after a crash.
func (n *memNode) crash(keep func() bool) *memNode {
	data := n.durable.clone()
	for _, page := range n.dirtyPages() {
		for s, mask := range sectorsOf(page) {
			if n.dirty[page]&mask != 0 && keep() {
				data.takeSector(&n.data, s)
			}
		}
	}
	return &memNode{data: data, durable: data.clone()}
}

// dirtyPages are the pages with dirty sectors, in order.
func (n *memNode) dirtyPages() []int64 {
	return slices.Sorted(maps.Keys(n.dirty))
}

// sectorsOf yields the sectors of a page in order, each with its bit.
func sectorsOf(page int64) iter.Seq2[int64, uint8] {
	return func(yield func(int64, uint8) bool) {
		for i := range int64(sectorsPerPage) {
			if !yield(page*sectorsPerPage+i, 1<<i) {
				return
			}
		}
	}
}
