package main

// Polynomials over the field of two elements mod the Castagnoli polynomial, as CRC32C has them: bit 31 is the
// coefficient of x^0, bit 0 that of x^31.

const castagnoli = 0x82f63b78

// timesX is v times x.
func timesX(v uint32) uint32 {
	if v&1 == 0 {
		return v >> 1
	}
	return v>>1 ^ castagnoli
}

// overX is v divided by x, which timesX undoes: after a reduction, and only then, bit 31 is set.
func overX(v uint32) uint32 {
	if v>>31 == 0 {
		return v << 1
	}
	return (v^castagnoli)<<1 | 1
}

// shifts are, for i from 0 to n-1, the multiplier that moves a word over the i words after it, to the end of the data:
// x^(64i) is meant, but the product of two words in reversed bit order is one bit further than theirs, and a multiplier
// in the lower half of a word counts as x^32 times itself, so that it is x^(64i-33).
func shifts(n int) []uint32 {
	v := uint32(1) << 31
	for range 33 {
		v = overX(v)
	}
	s := make([]uint32, n)
	for i := range s {
		s[i] = v
		for range 64 {
			v = timesX(v)
		}
	}
	return s
}
