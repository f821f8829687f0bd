package authority

import (
	"encoding/binary"
	"math/bits"

	"fastpay/codec"
)

// hashKey makes places in tables unpredictable. Addresses are chosen by peers; with a hash they can compute they could
// make millions of accounts share one chain. The function is SipHash-1-3 (Aumasson and Bernstein, 2012; the reduced
// rounds are what Rust's and Ruby's tables use), over whole words. The key comes from Options, so the core stays
// deterministic.
type hashKey struct{ k0, k1 uint64 }

type sipState struct{ v0, v1, v2, v3 uint64 }

func (k hashKey) begin() sipState {
	return sipState{
		k.k0 ^ 0x736f6d6570736575, k.k1 ^ 0x646f72616e646f6d,
		k.k0 ^ 0x6c7967656e657261, k.k1 ^ 0x7465646279746573,
	}
}

func (s *sipState) round() {
	s.v0 += s.v1
	s.v1 = bits.RotateLeft64(s.v1, 13) ^ s.v0
	s.v0 = bits.RotateLeft64(s.v0, 32)
	s.v2 += s.v3
	s.v3 = bits.RotateLeft64(s.v3, 16) ^ s.v2
	s.v0 += s.v3
	s.v3 = bits.RotateLeft64(s.v3, 21) ^ s.v0
	s.v2 += s.v1
	s.v1 = bits.RotateLeft64(s.v1, 17) ^ s.v2
	s.v2 = bits.RotateLeft64(s.v2, 32)
}

func (s *sipState) word(m uint64) {
	s.v3 ^= m
	s.round()
	s.v0 ^= m
}

func (s *sipState) address(a *codec.Address) {
	s.word(binary.LittleEndian.Uint64(a[0:]))
	s.word(binary.LittleEndian.Uint64(a[8:]))
	s.word(binary.LittleEndian.Uint64(a[16:]))
	s.word(binary.LittleEndian.Uint64(a[24:]))
}

// end closes a message of the given number of whole words.
func (s *sipState) end(words uint64) uint64 {
	s.word(words * 8 << 56)
	s.v2 ^= 0xff
	s.round()
	s.round()
	s.round()
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3
}

// of is the hash of an address, about 10 ns.
func (k hashKey) of(a *codec.Address) uint64 {
	s := k.begin()
	s.address(a)
	return s.end(4)
}

// foldKey is a key of a faster hash, for tables of which nobody outside sees even how long a search takes: products of 128
// bits, folded, as Go's maps have them where there is no AES. Without the key nobody can choose addresses of one place.
type foldKey [6]uint64

func newFoldKey(seed [2]uint64) (k foldKey) {
	for i := range k {
		s := hashKey{seed[0], seed[1]}.begin()
		s.word(uint64(i))
		k[i] = s.end(1)
	}
	return k
}

// of is the hash of an address, about 3 ns.
func (k *foldKey) of(a *codec.Address) uint64 {
	first := fold(binary.LittleEndian.Uint64(a[0:])^k[0], binary.LittleEndian.Uint64(a[8:])^k[1])
	second := fold(binary.LittleEndian.Uint64(a[16:])^k[2], binary.LittleEndian.Uint64(a[24:])^k[3])
	return fold(first^k[4], second^k[5])
}

func fold(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}
