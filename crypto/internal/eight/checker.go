package eight

import (
	"hash/maphash"

	"fastpay/crypto/internal/backend"
	"fastpay/crypto/internal/ifma"
	"fastpay/crypto/internal/lanes"
)

// checker implements backend.Checker.
type checker struct {
	members *members // nil when there are none
	scalar  backend.Checker
	curve   *ifma.Scratch
	hashing lanes.Scratch

	votes    []*backend.Check // with a table
	rest     []*backend.Check // for the equation
	leftover []*backend.Check // for the scalar backend
	few      []backend.Check  // the same, as it takes them
	inputs   inputs
	ok       []bool
	keys     []int32
	system   system
}

// inputs are a list of checks as the kernels take them.
type inputs struct {
	signatures [][64]byte
	r, a       []*[32]byte
	messages   [][]byte
	challenges [][32]byte
}

// fill takes the checks apart, and hashes.
func (in *inputs) fill(checks []*backend.Check, scratch *lanes.Scratch) {
	in.signatures, in.r, in.a, in.messages = in.signatures[:0], in.r[:0], in.a[:0], in.messages[:0]
	for _, c := range checks {
		in.signatures = append(in.signatures, *c.Signature)
		in.r = append(in.r, (*[32]byte)(c.Signature[:32]))
		in.a = append(in.a, c.Key)
		in.messages = append(in.messages, c.Message)
	}
	in.challenges = resize(in.challenges, len(checks))
	lanes.HashChallenges(in.challenges, in.r, in.a, in.messages, scratch)
}

// forget drops what belongs to the caller.
func (in *inputs) forget() {
	clear(in.r)
	clear(in.a)
	clear(in.messages)
}

// resize returns a slice of length n, with new memory if s has too little. What is in it is unspecified.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

const (
	// batchMax is how many signatures are taken at once: larger batches are cut. A signature gets no cheaper, and the
	// memory of a checker stays below 10 MB.
	batchMax = 2048
	// votesMin is the number of votes from which table walks in eight lanes cost less than scalar ones (measured).
	votesMin = 2
)

// NewChecker makes the memory of one batch.
func (b Backend) NewChecker(m backend.Members) backend.Checker {
	c := &checker{curve: ifma.NewScratch()}
	if c.members, _ = m.(*members); c.members != nil {
		c.scalar = b.Scalar.NewChecker(c.members.scalar)
	} else {
		c.scalar = b.Scalar.NewChecker(nil)
	}
	c.system.seed = maphash.MakeSeed()
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
	c.votes, c.rest, c.leftover = c.votes[:0], c.rest[:0], c.leftover[:0]
	c.sort(checks)
	c.checkVotes()
	c.system.check(c, c.rest)
	c.checkLeftover()
	clear(c.votes) // keeps nothing of the caller's
	clear(c.rest)
	clear(c.leftover)
	c.inputs.forget()
	all := true
	for i := range checks {
		all = all && checks[i].Valid
	}
	return all
}

// baseTables returns tables of the base point, or nil without memory for them: those of the members if they have earned
// theirs.
func (c *checker) baseTables() *ifma.Tables {
	if c.members != nil {
		if t := c.members.tables.Load(); t != nil {
			return t.tables
		}
	}
	return smallTables()
}

// sort decides what is checked how.
func (c *checker) sort(checks []backend.Check) {
	votes := 0
	for i := range checks {
		checks[i].Valid = false
		if checks[i].Member >= 0 {
			votes++
		}
	}
	var tables *memberTables
	if c.members != nil {
		tables = c.members.get(votes)
	}
	for i := range checks {
		check := &checks[i]
		switch {
		case tables != nil && check.Member >= 0 && votes >= votesMin && tables.index[check.Member] >= 0:
			c.votes = append(c.votes, check)
		case tables != nil && check.Member >= 0 && votes < votesMin:
			c.leftover = append(c.leftover, check)
		default:
			c.rest = append(c.rest, check)
		}
	}
}

// checkVotes walks the tables.
func (c *checker) checkVotes() {
	if len(c.votes) == 0 {
		return
	}
	c.inputs.fill(c.votes, &c.hashing)
	tables := c.members.tables.Load()
	c.keys = c.keys[:0]
	for _, v := range c.votes {
		c.keys = append(c.keys, tables.index[v.Member])
	}
	c.ok = resize(c.ok, len(c.votes))
	tables.tables.VerifyVotes(c.ok, c.keys, c.inputs.signatures, c.inputs.challenges, c.curve)
	for i, v := range c.votes {
		v.Valid = c.ok[i]
	}
}

// checkLeftover gives what is left to the scalar backend.
func (c *checker) checkLeftover() {
	if len(c.leftover) == 0 {
		return
	}
	c.few = c.few[:0]
	for _, check := range c.leftover {
		c.few = append(c.few, *check)
	}
	c.scalar.Check(c.few)
	for i, check := range c.leftover {
		check.Valid = c.few[i].Valid
	}
	clear(c.few)
}
