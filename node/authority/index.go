package authority

import "math/bits"

// An index finds elements of a slab by the hash of their key: open addressing with linear probing, in 64 segments chosen
// by the hash's top bits. Each segment doubles by itself, so that growing stops the shard for a 64th of the work: 50 µs
// at a million elements, under 1 ms at ten million. A slot holds 32 bits of the hash and the element's number, so growing
// reads no element, and a search reads hardly any but the right one. Nothing is ever removed.
type index struct {
	segments [numSegments]segment
}

type segment struct {
	slots []uint64 // tag << 32 | number + 1; 0 is empty; a power of two
	shift uint     // 32 - log2(len(slots)): the tag's top bits are the place to begin
	used  int
}

const (
	segmentBits = 6
	numSegments = 1 << segmentBits
	minSlots    = 16
)

// maxLoad is the fullest a segment gets: at 3/4, a search that fails looks at 8.5 slots, one or two cache lines.
func maxLoad(slots int) int { return slots / 4 * 3 }

// reserve makes room for n elements in all, with 1/8 to spare since segments fill unevenly.
func (x *index) reserve(n int) {
	slots := minSlots
	for maxLoad(slots) < n/numSegments*9/8 {
		slots *= 2
	}
	for i := range x.segments {
		x.segments[i].resize(slots)
	}
}

func (g *segment) resize(slots int) {
	old := g.slots
	g.slots = make([]uint64, slots)
	g.shift = 32 - uint(bits.TrailingZeros(uint(slots)))
	for _, v := range old {
		if v != 0 {
			g.put(v)
		}
	}
}

func (g *segment) put(v uint64) {
	mask := uint32(len(g.slots) - 1)
	p := uint32(v>>32) >> g.shift
	for g.slots[p] != 0 {
		p = (p + 1) & mask
	}
	g.slots[p] = v
}

// A probe is a search in progress.
type probe struct {
	segment *segment
	tag     uint32
	place   uint32
}

func (x *index) probe(hash uint64) probe {
	g := &x.segments[hash>>(64-segmentBits)]
	tag := uint32(hash >> (32 - segmentBits))
	return probe{g, tag, tag >> g.shift}
}

// next gives the number of the next element whose tag fits, which the caller compares; ok is false after the last.
func (p *probe) next() (number uint32, ok bool) {
	slots := p.segment.slots
	mask := uint32(len(slots) - 1)
	for {
		v := slots[p.place&mask]
		if v == 0 {
			return 0, false
		}
		p.place = (p.place + 1) & mask
		if uint32(v>>32) == p.tag {
			return uint32(v) - 1, true
		}
	}
}

// insert enters element number under hash; it must not be there.
func (x *index) insert(hash uint64, number uint32) {
	g := &x.segments[hash>>(64-segmentBits)]
	if g.used >= maxLoad(len(g.slots)) {
		g.resize(2 * len(g.slots))
	}
	g.put(uint64(uint32(hash>>(32-segmentBits)))<<32 | uint64(number+1))
	g.used++
}
