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
	distrust     bool // the batch before had many bad ones
}

// check sets the verdicts of checks, or leaves them over.
func (y *system) check(c *checker, checks []*backend.Check) {
	if len(checks) == 0 {
		return
	}
	if y.sum == nil {
		y.sum = ifma.NewSum()
	}
	n := y.decode(c, checks)
	c.inputs.fill(y.unknowns, &c.hashing)
	y.coefficients = resize(y.coefficients, n)
	y.random.Draw(y.coefficients)
	if !y.distrust && y.holds(c, n) {
		y.accept()
	} else {
		y.search(c)
	}
	y.senders.keep(c.curve)
	clear(y.unknowns)
}

// search checks each signature for itself, at three times the price of one in a large equation. Equations of parts cost
// more, unless hardly any of them has a bad one. After a batch with many bad signatures the next one is not tried as
// a whole: who sends such batches sends more.
func (y *system) search(c *checker) {
	tables := baseTables()
	if tables == nil {
		c.leftover = append(c.leftover, y.unknowns...)
		return
	}
	y.senders.complete(c.curve)
	for i, u := range y.unknowns {
		c.single.add(u, y.senders.key(i), &c.inputs.challenges[i])
		c.single.points = append(c.single.points, y.r[i])
	}
	bad := c.single.check(tables, c.curve)
	y.distrust = bad > len(y.unknowns)/distrustShare
}

// distrustShare is the part of a batch that has to be bad for the next one to be searched at once.
const distrustShare = 16

func (y *system) accept() {
	for _, u := range y.unknowns {
		u.Valid = true
	}
}

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
	y.senders.decode(c.curve)
	y.r, y.ok = resize(y.r, len(y.unknowns)), resize(y.ok, len(y.unknowns))
	c.curve.DecodePoints(y.r, y.ok, y.encodings, 32)
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

// holds reports whether the equation of the n unknowns holds.
func (y *system) holds(c *checker, n int) bool {
	y.used, y.wide = y.used[:0], y.wide[:0]
	y.wide = append(y.wide, lanes.Wide{}) // of B
	y.sum.Begin(n)
	for i := range n {
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
