package authority

import (
	"math/rand/v2"
	"testing"
)

// An index costs 11 to 21 bytes an element once it has grown, whatever the number: a segment is filled to three quarters,
// and then doubles.
func TestIndexCostsWhatIsPromised(t *testing.T) {
	var x index
	x.reserve(0)
	g := &x.segments[0]
	for n := range uint32(100_000) {
		x.insert(uint64(n)*0x9e3779b97f4a7c15>>segmentBits, n)
		bytes, most := 8*len(g.slots), 21.4*float64(n+1)
		if float64(bytes) < 10.6*float64(n+1) || len(g.slots) > minSlots && float64(bytes) > most {
			t.Fatalf("%d elements have %d bytes, %.1f each", n+1, bytes, float64(bytes)/float64(n+1))
		}
	}
}

// What is reserved is enough for a number of elements and an eighth more, and half of it is not.
func TestIndexReservesWhatIsPromised(t *testing.T) {
	for n, want := range map[int]int{0: minSlots, 1: minSlots, 11 * numSegments: minSlots, 12 * numSegments: 2 * minSlots,
		1366 * numSegments: 2048, 1367*numSegments - 1: 2048, 1367 * numSegments: 4096, 2731 * numSegments: 4096, 2732 * numSegments: 8192} {
		var x index
		x.reserve(n)
		for i := range x.segments {
			if got := len(x.segments[i].slots); got != want {
				t.Fatalf("%d elements: %d slots in segment %d, expected %d", n, got, i, want)
			}
		}
	}
}

// Searches begin all over a segment, in the order of the hashes, so that chains are short.
func TestIndexBeginsEverywhere(t *testing.T) {
	for _, n := range []int{0, 50_000} {
		var x index
		x.reserve(n)
		slots := uint64(len(x.segments[0].slots))
		width := 1 << (64 - segmentBits) / slots // hashes of segment 0 that begin at one slot
		for i := range slots {
			for _, hash := range []uint64{i * width, i*width + width - 1} {
				if p := x.probe(hash); uint64(p.place) != i || p.segment != &x.segments[0] {
					t.Fatalf("%d slots: %x begins at %d, expected %d", slots, hash, p.place, i)
				}
			}
		}
	}
	// A search that fails looks at 8.5 slots of a segment that is full to three quarters.
	var x index
	x.reserve(50_000)
	r := rand.New(rand.NewPCG(14, 15))
	g := &x.segments[0]
	for g.used < maxLoad(len(g.slots)) {
		x.insert(r.Uint64()>>segmentBits, 0)
	}
	looks, searches := 0, 10_000
	for range searches {
		for p := x.probe(r.Uint64() >> segmentBits); ; p.place++ {
			looks++
			if g.slots[int(p.place)%len(g.slots)] == 0 {
				break
			}
		}
	}
	if mean := float64(looks) / float64(searches); mean < 6 || mean > 12 {
		t.Errorf("a search that fails looks at %.1f slots", mean)
	}
}
