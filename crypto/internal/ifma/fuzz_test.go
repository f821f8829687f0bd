package ifma

import (
	"math/big"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve"
)

// FuzzDecode compares decoding with voi on any bytes.
func FuzzDecode(f *testing.F) {
	for _, b := range weirdEncodings() {
		f.Add(b[:])
	}
	s := NewScratch()
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) != 32 {
			return
		}
		var points [1]CachedPoint
		var ok [1]bool
		s.DecodePoints(points[:], ok[:], b, 32)
		var want curve.EdwardsPoint
		_, err := want.SetCompressedY((*curve.CompressedEdwardsY)(b))
		if ok[0] != (err == nil) {
			t.Fatalf("%x: decoded %v, want %v", b, ok[0], err)
		}
		if !ok[0] {
			return
		}
		var p Point
		s.setAffine(&p, &s.decode.x[0], &s.decode.y[0])
		if got := encoded(s, p)[0]; got != compressed(&want) {
			t.Fatalf("%x: got %x, want %x", b, got, compressed(&want))
		}
	})
}

// FuzzVerifyVotes compares the walk with voi for any scalars and keys: the R that voi computes is accepted, and any
// other is not, unless it differs by a point of small order.
func FuzzVerifyVotes(f *testing.F) {
	keys := adversarialKeys(newRandom(f))
	tables := newTestTables(f, keys, 7, 6)
	s := NewScratch()
	r := newRandom(f)
	for i := range 40 {
		x, k := scalarOf(weirdScalar(r)), scalarOf(weirdScalar(r))
		f.Add(uint16(i), x[:], k[:], byte(0))
	}
	f.Add(uint16(67), []byte{0}, []byte("0]X"), byte(0x20)) // the neutral element becomes a point of order 4
	f.Fuzz(func(t *testing.T, key uint16, x, k []byte, change byte) {
		index := int(key) % len(keys)
		sBytes, kBytes := scalarOf(new(big.Int).SetBytes(x)), scalarOf(new(big.Int).SetBytes(k))
		expected := expectedR(keys[index], sBytes, kBytes)
		rBytes := expected
		rBytes[change%32] ^= change >> 5
		want := sameButTorsion(rBytes, expected)
		signatures := [][64]byte{[64]byte(append(rBytes[:], sBytes[:]...))}
		var ok [1]bool
		tables.VerifyVotes(ok[:], []int32{int32(index)}, signatures, [][32]byte{kBytes}, s)
		if ok[0] != want {
			t.Fatalf("key %x, S %x, k %x, change %x: %v, want %v", keys[index], sBytes, kBytes, change, ok[0], want)
		}
	})
}
