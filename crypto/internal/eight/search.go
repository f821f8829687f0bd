package eight

import (
	"fastpay/crypto/internal/edwards"
	"fastpay/crypto/internal/ifma"
	"fastpay/crypto/internal/lanes"
)

// mood is what a checker expects of the next batch by those before. Whoever sends bad signatures sends more of them, and
// an equation that fails is work for nothing.
type mood struct {
	distrust bool // the last batch had a bad signature: the next is not tried as a whole
	alert    int  // for so many batches more an equation is tried with a part first
}

const (
	// alertBatches is how long a checker stays alert after a bad signature.
	alertBatches = 64
	// alertMin is the size of a batch from which trying a part first is worth the second equation, which costs 50 µs.
	alertMin = 192
	// alertPart is the part that is tried first.
	alertPart = 4
)

// learn changes the mood after a batch.
func (m *mood) learn(bad int) {
	m.distrust = bad > 0
	m.alert = max(0, m.alert-1)
	if bad > 0 {
		m.alert = alertBatches
	}
}

// How many signatures are checked each for itself rather than by an equation (BenchmarkOrderCrossover).
const (
	// eachKnown is where both cost the same, if the multiples of all keys are known.
	eachKnown = 24
	// eachUnknown is the same when multiples have to be made: eight lanes.
	eachUnknown = ifma.Lanes
	// aloneMax is the number that are checked one after the other where multiples are missing: making them would cost more.
	aloneMax = 2
)

// few tells whether n signatures, some of them by so many unknown keys, cost less each for itself.
func few(n, unknown int) bool { return n <= eachUnknown || n <= eachKnown && unknown == 0 }

// search checks the unknowns from first on each for itself, sets their verdicts, and returns how many are bad. For many
// it takes twice as long as an equation that holds. Equations of parts would cost more, unless hardly any of them has a
// bad one.
func (y *system) search(c *checker, first int) (bad int) {
	tables := c.baseTables()
	if tables == nil {
		c.leftover = append(c.leftover, y.unknowns[first:]...)
		return 0
	}
	n := len(y.unknowns) - first
	if n > aloneMax {
		y.senders.complete(c.curve)
	}
	y.keys, y.ok = y.keys[:0], resize(y.ok, n)
	whole := true
	for i := first; i < len(y.unknowns); i++ {
		key := y.senders.of(i).key
		whole = whole && key != nil
		y.keys = append(y.keys, key)
	}
	signatures, challenges := c.inputs.signatures[first:], c.inputs.challenges[first:]
	if whole {
		tables.VerifyOrders(y.ok, y.keys, y.r[first:first+n], signatures, challenges, c.curve)
	} else {
		for i := range n {
			at := first + i
			point := &y.senders.of(at).point
			if y.keys[i] != nil {
				point = &y.keys[i].Point
			}
			y.ok[i] = y.alone(c, tables, point, &y.r[at], &signatures[i], &challenges[i])
		}
	}
	for i, u := range y.unknowns[first:] {
		if u.Valid = y.ok[i]; !u.Valid {
			bad++
		}
	}
	clear(y.keys)
	return bad
}

// alone checks one signature of a key without its multiples. With a = b·k (mod l), both of half the size, the rule is
// multiplied by b, which is not 0 modulo l and so changes nothing: [8]([b·S]B - [a]A - [b]R) = 0 takes half the doublings.
func (y *system) alone(
	c *checker, tables *ifma.Tables, key, r *ifma.CachedPoint, signature *[64]byte, challenge *[32]byte,
) bool {
	var k edwards.Scalar
	k.SetBytes(challenge)
	a, b, negative := edwards.Halves(&k)
	var short, long [32]byte
	a.Bytes(&short)
	b.Bytes(&long)
	// For a negative b the whole is multiplied by -1 once more, so that only A changes its sign.
	var product [1]lanes.Wide
	product[0].AddProduct((*[16]byte)(long[:16]), (*[32]byte)(signature[32:]))
	lanes.ReduceWide(y.response[:], product[:], &c.hashing)
	return tables.VerifyOrder(key, r, &short, &long, negative, &y.response[0], c.curve)
}
