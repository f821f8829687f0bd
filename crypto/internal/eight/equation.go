package eight

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"

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
	distrust     bool // most groups of the batch before had bad ones
}

// searchGroup is how many signatures are tried together once the equation of the whole batch has failed. A group that
// fails as well goes to the scalar backend.
const searchGroup = 32

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
	if !y.distrust && y.holds(c, 0, n) {
		y.accept(0, n)
	} else {
		y.search(c, n)
	}
	y.senders.keep(c.curve)
	clear(y.unknowns)
}

// search tries groups. Whoever sent the signatures has not seen the coefficients, so these stay.
func (y *system) search(c *checker, n int) {
	groups, spoiled := 0, 0
	for first := 0; first < n; first += searchGroup {
		end := min(first+searchGroup, n)
		groups++
		// An equation is worth its price when it holds for one group in three.
		if end-first >= equationMin && 3*spoiled <= 2*groups && y.holds(c, first, end) {
			y.accept(first, end)
			continue
		}
		spoiled++
		c.leftover = append(c.leftover, y.unknowns[first:end]...)
	}
	y.distrust = 3*spoiled > 2*groups
}

func (y *system) accept(first, end int) {
	for _, u := range y.unknowns[first:end] {
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

// holds reports whether the equation of unknowns first to end holds.
func (y *system) holds(c *checker, first, end int) bool {
	if first == end {
		return true
	}
	y.used, y.wide = y.used[:0], y.wide[:0]
	y.wide = append(y.wide, lanes.Wide{}) // of B
	for i := first; i < end; i++ {
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
	negate(&y.scalars[0])
	y.sum.AddBase(&y.scalars[0])
	return y.sum.Vanishes()
}

// order is l = 2^252 + 27742317777372353535851937790883648493.
var order = [4]uint64{0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 1 << 60}

// negate sets s to l - s, for s below l. 0 becomes l, which is as good.
func negate(s *[32]byte) {
	var borrow uint64
	for i := range order {
		var w uint64
		w, borrow = bits.Sub64(order[i], binary.LittleEndian.Uint64(s[8*i:]), borrow)
		binary.LittleEndian.PutUint64(s[8*i:], w)
	}
}
