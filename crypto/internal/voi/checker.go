package voi

import (
	"crypto/sha512"
	"hash"

	"github.com/oasisprotocol/curve25519-voi/curve/scalar"

	"fastpay/crypto/internal/backend"
	"fastpay/crypto/internal/edwards"
)

const (
	// batchMax is how many signatures are taken at once: more of them are cut into several batches. At 1,024 a signature
	// costs within a few percent of what it costs in any larger batch, and the memory of a checker stays below 8 MB. The
	// sums of the equation would hold 2^32 products.
	batchMax = 2048
	// equationMin is the number of signatures from which an equation costs less than checking them alone: 23 instead of 29
	// µs each at 4.
	equationMin = 4
)

// checker implements backend.Checker.
type checker struct {
	members *members
	hash    hash.Hash
	digest  [sha512.Size]byte
	reduced scalar.Scalar

	votes  []vote
	rest   []*backend.Check
	walk   walk
	system system
}

// NewChecker makes the memory of one batch.
func (Backend) NewChecker(m backend.Members) backend.Checker {
	c := &checker{hash: sha512.New()}
	c.members, _ = m.(*members)
	c.system.init(c)
	return c
}

// Check sets all verdicts.
func (c *checker) Check(checks []backend.Check) bool {
	all := true
	for len(checks) > batchMax {
		all = c.checkBatch(checks[:batchMax]) && all
		checks = checks[batchMax:]
	}
	return c.checkBatch(checks) && all
}

func (c *checker) checkBatch(checks []backend.Check) bool {
	c.votes, c.rest = c.votes[:0], c.rest[:0]
	for i := range checks {
		check := &checks[i]
		check.Valid = false
		if c.members != nil && check.Member >= 0 {
			if table := c.members.table(check.Member); table != nil {
				c.votes = append(c.votes, vote{check, table})
				continue
			}
		}
		c.rest = append(c.rest, check)
	}
	c.walkVotes()
	c.system.check(c.rest)
	clear(c.votes) // keeps nothing of the caller's
	clear(c.rest)
	all := true
	for i := range checks {
		all = all && checks[i].Valid
	}
	return all
}

// challenge sets k to SHA-512(R ‖ A ‖ M) mod l.
func (c *checker) challenge(k *edwards.Scalar, check *backend.Check) {
	c.hash.Reset()
	c.hash.Write(check.Signature[:32])
	c.hash.Write(check.Key[:])
	c.hash.Write(check.Message)
	c.hash.Sum(c.digest[:0])
	c.reduce(k)
}

// reduce sets k to the digest modulo l.
func (c *checker) reduce(k *edwards.Scalar) {
	if _, err := c.reduced.SetBytesModOrderWide(c.digest[:]); err != nil {
		panic("crypto: " + err.Error()) // 64 bytes are always taken
	}
	bytes := (*[32]byte)(c.digest[:32])
	if err := c.reduced.ToBytes(bytes[:]); err != nil {
		panic("crypto: " + err.Error()) // 32 bytes are always taken
	}
	k.SetBytes(bytes)
}

// response sets s to S and reports whether it is below the group order.
func response(s *edwards.Scalar, check *backend.Check) bool {
	s.SetBytes((*[32]byte)(check.Signature[32:]))
	return s.Reduced()
}
