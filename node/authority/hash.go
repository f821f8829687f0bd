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
