package audit

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
)

// Pair is the credits from one shard to another.
type Pair struct {
	Authority    string `json:"authority"`
	From         int    `json:"from"`
	To           int    `json:"to"`
	Issued       uint64 `json:"issued"`       // the last one, as the sender says
	Acknowledged uint64 `json:"acknowledged"` // the same
	Arrived      uint64 `json:"arrived"`      // the last one, as the receiver says
	// InFlight is the money of those that have not arrived; empty where that can't be told.
	InFlight string `json:"in_flight_amount,omitempty"`

	sent, got *lane
	inFlight  *big.Int
	moving    bool // one of the journals was not read to its end, or has a process
}

// pairOf names a pair.
type pairOf struct {
	authority string
	from, to  int
}

// pair compares what shards sent with what others have, over all journals of each authority: how many, and that they are
// the same. What a process that runs has in its journal may be older than what another one has, as it was read earlier, so
// only journals at rest are judged.
func (r *Report) pair() {
	pairs := make(map[pairOf]*Pair)
	for _, j := range r.Journals {
		if j.Books == nil {
			continue
		}
		for i := range j.Books.lanes {
			l := &j.Books.lanes[i]
			k := pairOf{j.Authority, l.from, l.to}
			p := pairs[k]
			if p == nil {
				p = &Pair{Authority: j.Authority, From: l.from, To: l.to}
				pairs[k] = p
			}
			if slices.Contains(j.Shards, l.from) {
				p.Issued, p.Acknowledged, p.sent = l.issued, l.acknowledged, l
			}
			if slices.Contains(j.Shards, l.to) {
				p.Arrived, p.got = l.cursor, l
			}
			p.moving = p.moving || j.moving()
		}
	}
	for _, p := range pairs {
		if p.sent == nil || p.got == nil || p.Issued == 0 && p.Arrived == 0 {
			continue
		}
		r.Pairs = append(r.Pairs, p)
		if p.moving {
			continue
		}
		for _, problem := range p.judge() {
			r.Problems = append(r.Problems, Problem{Shard: p.From, Text: fmt.Sprintf("authority %s: %s", p.Authority, problem)})
		}
	}
	slices.SortFunc(r.Pairs, func(a, b *Pair) int {
		return cmp.Or(cmp.Compare(a.Authority, b.Authority), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
}

// moving reports whether there may be more than was read.
func (j *Journal) moving() bool { return j.Process != 0 || j.End == EndDamage || j.End == EndMoving }

// judge compares the two sides.
func (p *Pair) judge() (problems []string) {
	if p.Arrived > p.Issued {
		problems = append(problems, fmt.Sprintf("shard %d has %d credits of shard %d, which sent %d: was the sender put back to an "+
			"older state?", p.To, p.Arrived, p.From, p.Issued))
	}
	if p.Acknowledged > p.Arrived {
		problems = append(problems, fmt.Sprintf("shard %d has %d credits of shard %d, of which %d were acknowledged: was the "+
			"receiver put back to an older state?", p.To, p.Arrived, p.From, p.Acknowledged))
	}
	if len(problems) > 0 || p.sent == p.got { // in one journal each credit was compared when it arrived
		return problems
	}
	if sum, ok := p.sent.sumAt(p.Arrived); ok && sum != p.got.cursorSum {
		problems = append(problems, fmt.Sprintf("of %d credits of shard %d that shard %d has, the sum is %x, but %x is that of those "+
			"which were sent: they are not the same payments", p.Arrived, p.From, p.To, p.got.cursorSum, sum))
	}
	var ok bool
	if p.inFlight, ok = p.sent.amountAfter(p.Arrived); ok {
		p.InFlight = p.inFlight.String()
	}
	return problems
}

// Total is the money of all shards of an authority, whose journals all began with the initial accounts.
type Total struct {
	Authority string `json:"authority"`
	Accounts  string `json:"accounts"`  // what they have together
	InFlight  string `json:"in_flight"` // credits between shards that have not arrived
	Put       string `json:"put_in"`    // with initial and added accounts and by the Primary, without what went back to it
}

// total checks that no money came or went, of each authority of which all shards are there, at rest, and read from their
// beginning.
func (r *Report) total() {
	type sums struct{ accounts, inFlight, put big.Int }
	all := make(map[string]*sums)
	shards := make(map[string][]int)
	var order []string
	for _, j := range r.Journals {
		if j.Books == nil || !j.Books.whole || j.moving() {
			continue
		}
		s := all[j.Authority]
		if s == nil {
			s = new(sums)
			all[j.Authority] = s
			order = append(order, j.Authority)
		}
		s.accounts.Add(&s.accounts, j.Books.balance)
		s.inFlight.Add(&s.inFlight, j.Books.inFlight)
		s.put.Add(&s.put, j.Books.minted)
		shards[j.Authority] = append(shards[j.Authority], j.Shards...)
	}
	for _, name := range order {
		s, known := all[name], slices.Sorted(slices.Values(shards[name]))
		complete := len(known) == r.numShards(name) && len(slices.Compact(known)) == len(known)
		for _, p := range r.Pairs {
			if p.Authority != name || p.sent == p.got {
				continue
			}
			if p.inFlight == nil {
				complete = false
				break
			}
			s.inFlight.Add(&s.inFlight, p.inFlight)
		}
		if !complete {
			continue
		}
		r.Totals = append(r.Totals, &Total{name, s.accounts.String(), s.inFlight.String(), s.put.String()})
		if have := new(big.Int).Add(&s.accounts, &s.inFlight); have.Cmp(&s.put) != 0 {
			r.Problems = append(r.Problems, Problem{Text: fmt.Sprintf("authority %s: its accounts have %v, and %v is under way, but %v "+
				"was put in", name, &s.accounts, &s.inFlight, &s.put)})
		}
	}
}

func (r *Report) numShards(authority string) int {
	for _, j := range r.Journals {
		if j.Authority == authority {
			return j.NumShards
		}
	}
	return 0
}
