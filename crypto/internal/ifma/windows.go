package ifma

import "math/bits"

// windows is the size of the digits of a Sum. A group of eight windows is one pass over the points: small digits need
// more passes, large ones more buckets, each of which costs two additions in the end, however few the points are.
type windows struct {
	bits    int // of a digit, with sign
	groups  int // of a word of 64 bits
	buckets int // of a lane: absolute values of digits. Nobody reads those of 0
}

// The windows of batches below manyOrders, with 12 passes an order and 22 µs in the end, and of larger ones, with 6
// passes and 100 µs.
var (
	fewWindows  = windows{bits: 4, groups: 2, buckets: 1<<3 + 1}
	manyWindows = windows{bits: 8, groups: 1, buckets: 1<<7 + 1}
)

// manyOrders is where both cost the same.
const manyOrders = 88

// Words of scalars, and the most groups of windows they have.
const (
	shortWords = 2
	longWords  = 4
	maxParts   = longWords * 2
)

// bucketBytes is the size of a bucket: the twenty words of one lane of a Point.
const bucketBytes = 4 * numLimbs * 8

// maxBucketBytes is the size of the buckets of all groups: those of manyWindows, which are more.
const maxBucketBytes = longWords * Lanes * (1<<7 + 1) * bucketBytes

// stride is the size in bytes of the buckets of a lane.
func (w *windows) stride() int { return w.buckets * bucketBytes }

// scalarLimitBits is the size of scalars: at 2^255 and more, digits would lose a carry at the top. Reduced ones have
// 253.
const scalarLimitBits = 253

// offsetDigits adds half the base to every digit of a scalar below 2^253. The digits with sign are those of the
// result, less half the base: what one of them borrows from the next has become a plain carry. Two words of a scalar
// below 2^126 have no carry into the third.
func (w *windows) offsetDigits(scalar [longWords]uint64) (d [longWords]uint64) {
	offset := uint64(0x8080808080808080)
	if w.bits == 4 {
		offset = 0x8888888888888888
	}
	var carry uint64
	for i := range d {
		d[i], carry = bits.Add64(scalar[i], offset, carry)
	}
	return d
}

// group is eight digits of a word of offsetDigits as bytes with sign, the lowest digit in the lowest byte.
func (w *windows) group(word uint64, i int) uint64 {
	const highs = 0x8080808080808080
	if w.bits == 8 {
		return word ^ highs
	}
	// Nibbles to bytes; then less 8 in each byte, with a bit on top that keeps borrows from the next.
	x := word >> (32 * i) & 0xffffffff
	x = (x | x<<16) & 0x0000ffff0000ffff
	x = (x | x<<8) & 0x00ff00ff00ff00ff
	x = (x | x<<4) & 0x0f0f0f0f0f0f0f0f
	return (x | highs) - 0x0808080808080808 ^ highs
}
