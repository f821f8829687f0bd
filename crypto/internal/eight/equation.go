package eight

import (
	"hash/maphash"

	"fastpay/crypto/internal/backend"
	"fastpay/crypto/internal/ifma"
	"fastpay/crypto/internal/lanes"
)

// system is one equation for many signatures: with random coefficients z_i,
//
//	[8]( [Σ z_i·(l - S_i)]B + Σ [z_i]R_i + Σ_keys [Σ z_i·k_i]A_key ) = 0.
//
// All signatures of one key share a term; keys are told apart by their encoding. The sums of products are kept as
// integers and reduced modulo l once. Signatures that can't be good whatever the equation says (S of l or more, R or A
// that do not decode) are no part of it. It holds although a signature is bad with probability below 2^-125.
type system struct {
	seed    maphash.Seed
	senders senders
	sum     *ifma.Sum
	random  lanes.Coefficients

	unknowns     []*backend.Check // those that may be good
	r            []ifma.CachedPoint
	ok           []bool
	encodings    []byte
	coefficients [][16]byte
	used         []int32 // senders of a group
	wide         []lanes.Wide
	scalars      [][32]byte
	keys         []*ifma.Key
	response     [1][32]byte
	mood         mood
}

// check sets the verdicts of checks, or leaves them over.
func (y *system) check(c *checker, checks []*backend.Check) {
	if len(checks) == 0 {
		return
	}
	n := y.decode(c, checks)
	c.inputs.fill(y.unknowns, &c.hashing)
	switch {
	case y.mood.distrust || few(n, len(y.senders.missing)):
		y.mood.learn(y.search(c, 0))
	case y.mood.alert > 0 && n >= alertMin:
		y.mood.learn(y.parts(c, n/alertPart, n))
	default:
		y.mood.learn(y.parts(c, n, n))
	}
	y.senders.keep(c.curve)
	clear(y.unknowns)
}

// parts tries an equation for the signatures before first, and if it holds one for those from there to n. What is in no
// equation that holds is searched. It returns how many are bad.
func (y *system) parts(c *checker, first, n int) (bad int) {
	if y.sum == nil {
		y.sum = ifma.NewSum()
	}
	y.coefficients = resize(y.coefficients, n)
	y.random.Draw(y.coefficients)
	if len(y.senders.missing) <= completeMax && n >= completeFrom {
		y.senders.complete(c.curve)
	}
	begin := 0
	for _, end := range [2]int{first, n} {
		if begin < end {
			if !y.holds(c, begin, end) {
				return y.search(c, begin)
			}
			for _, u := range y.unknowns[begin:end] {
				u.Valid = true
			}
		}
		begin = end
	}
	return 0
}

const (
	// completeMax is the number of keys whose multiples cost less than the longer equation that one key without them
	// needs: 20 against 48 µs for the buckets of 8 bits, which completeFrom signatures have.
	completeMax  = 16
	completeFrom = 88
)

// decode decodes every R and every key, and keeps those signatures that may be good, in order.
func (y *system) decode(c *checker, checks []*backend.Check) (n int) {
	y.unknowns, y.encodings = y.unknowns[:0], y.encodings[:0]
	y.senders.begin(len(checks))
	for _, check := range checks {
		if lanes.IsCanonical((*[32]byte)(check.Signature[32:])) {
			y.unknowns = append(y.unknowns, check)
			y.encodings = append(y.encodings, check.Signature[:32]...)
			y.senders.add(maphash.Bytes(y.seed, check.Key[:]), check.Key)
		}
	}
	y.encodings = y.senders.lookUp(y.encodings)
	points := len(y.encodings) / 32
	y.r, y.ok = resize(y.r, points), resize(y.ok, points)
	c.curve.DecodePoints(y.r, y.ok, y.encodings, 32)
	y.senders.decode(y.r[len(y.unknowns):], y.ok[len(y.unknowns):])
	for i, check := range y.unknowns {
		if y.ok[i] && y.senders.decoded(i) {
			y.unknowns[n], y.r[n] = check, y.r[i]
			y.senders.move(n, i)
			n++
		}
	}
	clear(y.unknowns[n:])
	y.unknowns = y.unknowns[:n]
	return n
}

// holds reports whether the equation of the unknowns from begin to end holds.
func (y *system) holds(c *checker, begin, end int) bool {
	y.used, y.wide = y.used[:0], y.wide[:0]
	y.wide = append(y.wide, lanes.Wide{}) // of B
	y.sum.Begin(end - begin)
	for i := begin; i < end; i++ {
		s := y.senders.of(i)
		if s.sum == 0 {
			y.used = append(y.used, y.senders.index[i])
			y.wide = append(y.wide, lanes.Wide{})
			s.sum = int32(len(y.wide) - 1)
		}
		z := &y.coefficients[i]
		y.wide[s.sum].AddProduct(z, &c.inputs.challenges[i])
		y.wide[0].AddProduct(z, (*[32]byte)(c.inputs.signatures[i][32:]))
		y.sum.AddShort(&y.r[i], z)
	}
	y.scalars = resize(y.scalars, len(y.wide))
	lanes.ReduceWide(y.scalars, y.wide, &c.hashing)
	for i, s := range y.used {
		y.senders.addTo(y.sum, s, &y.scalars[i+1])
	}
	y.sum.SubBase(&y.scalars[0])
	return y.sum.Vanishes()
}
