package voi

import (
	"fastpay/crypto/internal/backend"
	"fastpay/crypto/internal/edwards"
)

// vote is a signature of a member that has a table.
type vote struct {
	check *backend.Check
	table *edwards.Table
}

// walkGroup is how many votes share an inversion, which costs as much as 250 multiplications.
const walkGroup = 64

// walk is the memory of a group of votes.
type walk struct {
	walk    edwards.Walk
	votes   [walkGroup]*backend.Check
	points  [walkGroup]edwards.Point
	scratch [walkGroup]edwards.Element
	encoded [walkGroup][32]byte
}

// walkVotes checks every vote alone: R' = [S]B - [k]A is a sum of entries of two tables, without a doubling. When its
// encoding is R byte for byte, the signature is good, even without the cofactor. All honest votes are. For any other, the
// points are compared with the cofactor, so that the verdict is that of ZIP-215 either way.
func (c *checker) walkVotes() {
	for votes := c.votes; len(votes) > 0; {
		n := min(len(votes), walkGroup)
		c.walkGroup(votes[:n])
		votes = votes[n:]
	}
}

func (c *checker) walkGroup(votes []vote) {
	w := &c.walk
	n := 0
	for _, vote := range votes {
		var s, k edwards.Scalar
		if !response(&s, vote.check) {
			continue
		}
		c.challenge(&k, vote.check)
		w.walk.Add(base(), &s, 0)
		w.walk.Add(vote.table, &k, 1)
		w.walk.End()
		w.points[n].Identity()
		w.votes[n] = vote.check
		n++
	}
	w.walk.Sums(w.points[:n])
	edwards.EncodeAll(w.encoded[:n], w.points[:n], w.scratch[:n])
	for i, check := range w.votes[:n] {
		r := (*[32]byte)(check.Signature[:32])
		check.Valid = w.encoded[i] == *r || sameButTorsion(&w.points[i], r)
		w.votes[i] = nil
	}
}

// sameButTorsion reports whether r encodes a point and 8 times that is 8p. It changes p.
func sameButTorsion(p *edwards.Point, r *[32]byte) bool {
	var x, y edwards.Element
	if !edwards.Decode(&x, &y, r) {
		return false
	}
	var n edwards.Niels
	n.SetAffine(&x, &y)
	p.AddNiels(&n, 1)
	return p.IsTorsion()
}
