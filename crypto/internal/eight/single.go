package eight

import (
	"fastpay/crypto/internal/backend"
	"fastpay/crypto/internal/ifma"
)

// single is signatures that are checked each for itself, eight at a time, by the cofactored equation: votes that the walk
// did not accept, and the parts of an equation that does not hold.
type single struct {
	checks     []*backend.Check
	keys       []*ifma.Key
	points     []ifma.CachedPoint // R
	signatures [][64]byte
	challenges [][32]byte
	encodings  []byte
	decodes    []bool
	ok         []bool
}

// add adds a signature whose S is canonical. Its R is appended to points next, or later by decode.
func (l *single) add(c *backend.Check, key *ifma.Key, challenge *[32]byte) {
	l.checks = append(l.checks, c)
	l.keys = append(l.keys, key)
	l.signatures = append(l.signatures, *c.Signature)
	l.challenges = append(l.challenges, *challenge)
}

// decode decodes R of all signatures, and drops those whose R is no point.
func (l *single) decode(scratch *ifma.Scratch) {
	l.encodings = l.encodings[:0]
	for i := range l.signatures {
		l.encodings = append(l.encodings, l.signatures[i][:32]...)
	}
	l.points, l.decodes = resize(l.points, len(l.checks)), resize(l.decodes, len(l.checks))
	scratch.DecodePoints(l.points, l.decodes, l.encodings, 32)
	n := 0
	for i, good := range l.decodes {
		if good {
			l.checks[n], l.keys[n], l.points[n] = l.checks[i], l.keys[i], l.points[i]
			l.signatures[n], l.challenges[n] = l.signatures[i], l.challenges[i]
			n++
		}
	}
	clear(l.checks[n:])
	l.cut(n)
}

func (l *single) cut(n int) {
	l.checks, l.keys, l.points = l.checks[:n], l.keys[:n], l.points[:n]
	l.signatures, l.challenges = l.signatures[:n], l.challenges[:n]
}

// check sets the verdicts, counts the bad, and empties the list.
func (l *single) check(tables *ifma.Tables, scratch *ifma.Scratch) (bad int) {
	l.ok = resize(l.ok, len(l.checks))
	tables.VerifyOrders(l.ok, l.keys, l.points, l.signatures, l.challenges, scratch)
	for i, c := range l.checks {
		if c.Valid = l.ok[i]; !c.Valid {
			bad++
		}
	}
	clear(l.checks)
	clear(l.keys)
	l.cut(0)
	return bad
}
