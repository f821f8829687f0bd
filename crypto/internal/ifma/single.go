package ifma

// Digits of k in the check of one order: 4 bits with sign, from -8 to 7.
const (
	nibbleBits    = 4
	nibbleCount   = highBits / nibbleBits // digits of one half of k
	nibbleEntries = 1<<(nibbleBits-1) + 1 // multiples 0 to 8
)

// singleRoom is the memory of the check of one order: for both points of a key the multiples -8 to 8, by digit+8.
type singleRoom struct {
	multiples [2][2*nibbleEntries - 1]quadEntry
	total     quad
	product   Element
	base      Point
	entry     quadEntry
	_         [cacheLineBytes / 2]byte
}

// VerifyOrder tells whether 8([response]B - [a]A - [b]R) is the neutral element: the check of one signature of a key
// without its multiples, multiplied by a number that is not 0 modulo the order, so that a = b*k and b are short. Both
// are below 2^127, little-endian; with minus, A is added. A is *key and R *point. A response that is not below the order
// gives false.
func (t *Tables) VerifyOrder(key, point *CachedPoint, a, b *[32]byte, minus bool, response *[32]byte, s *Scratch) bool {
	if !belowOrder(response[:]) {
		return false
	}
	const digits = nibbleCount + 1 // the last one is a carry
	lower, upper := signedNibbles(a), signedNibbles(b)
	if minus {
		for i := range lower {
			lower[i] = -lower[i]
		}
	}
	s.subtractTwo(key, point, lower[:digits], upper[:digits])
	return t.vanishesWith(response, s)
}

// verifyOne is VerifyOrders for one. Both halves of k run side by side in the two points of a quad: the latency of 124
// doublings and 32 additions, about 5 µs, is most of what it costs.
func (t *Tables) verifyOne(key *Key, point *CachedPoint, signature *[64]byte, scalar *[32]byte, s *Scratch) bool {
	if !belowOrder(signature[32:]) || !belowOrder(scalar[:]) {
		return false
	}
	digits := signedNibbles(scalar)
	s.subtractTwo(&key.Point, &key.High, digits[:nibbleCount], digits[nibbleCount:])
	r := &s.single
	r.multiples[0][0].setCached(point)
	r.entry.negative(&r.multiples[0][0])
	quadAdd(&r.total, &r.entry, &neutralEntry)
	return t.vanishesWith((*[32]byte)(signature[32:]), s)
}

// subtractTwo sets the first point of the total to minus the sum of two multiples, by digits from -8 to 8.
func (s *Scratch) subtractTwo(p, q *CachedPoint, lower, upper []int8) {
	r := &s.single
	s.singleMultiples(p, q)
	r.total = neutralQuad
	for j := len(lower) - 1; j >= 0; j-- {
		if j < len(lower)-1 {
			quadDouble(&r.total, nibbleBits)
		}
		// subtracted: digit d is entry 8-d
		quadAdd(&r.total, &r.multiples[0][8-lower[j]], &r.multiples[1][8-upper[j]])
	}
	r.total.entries(&r.multiples[0][0], &r.multiples[1][0], &r.product, &s.constants.quadFactors)
	quadAdd(&r.total, &r.multiples[1][0], &neutralEntry)
}

// vanishesWith tells whether 8 times the total plus [response]B is the neutral element.
func (t *Tables) vanishesWith(response *[32]byte, s *Scratch) bool {
	r := &s.single
	s.tail.signatures = [Lanes][64]byte{}
	copy(s.tail.signatures[0][32:], response[:])
	t.walkBase(&r.base, s)
	var base quad
	base.setHalf(0, &r.base, 0)
	base.entries(&r.entry, &r.multiples[0][0], &r.product, &s.constants.quadFactors)
	quadAdd(&r.total, &r.entry, &neutralEntry)
	quadDouble(&r.total, cofactorBits)
	return r.total.isNeutral()
}

// walkBase sets p to [S]B for the signatures in s.tail.
func (t *Tables) walkBase(p *Point, s *Scratch) {
	for l := range s.base {
		s.base[l] = t.entryAddress(0)
	}
	plan := &s.plans[0]
	planDigits(plan, 0, &s.tail.signatures[0][32], 64, &s.base, &t.baseWindow, 0, s)
	fetchFirst(plan)
	walk(p, plan, plan, int(t.baseWindow.count), s, t.memory)
}

// singleMultiples fills the tables for two points.
func (s *Scratch) singleMultiples(key, high *CachedPoint) {
	r := &s.single
	lower, upper := &r.multiples[0], &r.multiples[1]
	const zero = nibbleEntries - 1
	lower[zero], upper[zero] = neutralEntry, neutralEntry
	lower[zero+1].setCached(key)
	upper[zero+1].setCached(high)
	r.total = neutralQuad
	for i := 1; i < nibbleEntries; i++ {
		quadAdd(&r.total, &lower[zero+1], &upper[zero+1])
		if i > 1 {
			r.total.entries(&lower[zero+i], &upper[zero+i], &r.product, &s.constants.quadFactors)
		}
		lower[zero-i].negative(&lower[zero+i])
		upper[zero-i].negative(&upper[zero+i])
	}
}

// nibblesOfWord is the number of digits in a word of a scalar.
const nibblesOfWord = 64 / nibbleBits

// offsetNibbles adds 8 to every nibble of a scalar below 2^253. Its digits of 4 bits with sign, from -8 to 7, are the
// nibbles of the result less 8 (see offsetDigits).
func offsetNibbles(k *[32]byte) [longWords]uint64 { return fewWindows.offsetDigits(wordsOf(k[:])) }

// signedNibbles cuts a scalar below 2^253 into those digits.
func signedNibbles(k *[32]byte) (digits [2 * nibbleCount]int8) {
	for w, word := range offsetNibbles(k) {
		for i := range nibblesOfWord {
			digits[nibblesOfWord*w+i] = int8(word>>(nibbleBits*i)&15) - 8
		}
	}
	return digits
}
