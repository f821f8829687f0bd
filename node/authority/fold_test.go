package authority

import (
	"encoding/binary"
	"math/bits"
	"testing"

	"fastpay/codec"
)

// TestFoldKeySpreads takes addresses that differ in few bits, anywhere: under any seed their hashes fill the places that a
// table looks at about as evenly as chance does, and another seed puts them elsewhere.
func TestFoldKeySpreads(t *testing.T) {
	const n, places = 1 << 12, 1 << 8
	for at := 0; at+8 <= len(codec.Address{}); at += 4 {
		for shift := 0; shift < 52; shift += 13 {
			same := 0
			keys := [2]foldKey{newFoldKey([2]uint64{}), newFoldKey([2]uint64{1, uint64(at)})}
			var counts [2][places]int
			for i := range uint64(n) {
				var a codec.Address
				binary.LittleEndian.PutUint64(a[at:], i<<shift)
				first, second := keys[0].of(&a), keys[1].of(&a)
				counts[0][first>>56]++
				counts[1][second>>56]++
				same += bits.OnesCount64(first ^ second)
			}
			if mean := float64(same) / n; mean < 30 || mean > 34 {
				t.Errorf("bytes from %d, shift %d: %.1f bits differ between seeds, expected 32", at, shift, mean)
			}
			for k := range counts {
				for place, count := range counts[k] {
					if count > 5*n/places {
						t.Errorf("bytes from %d, shift %d: %d of %d in place %d", at, shift, count, n, place)
					}
				}
			}
		}
	}
}
