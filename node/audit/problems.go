package audit

import (
	"math/big"
	"slices"

	"fastpay/node/journal"
)

type toldProblem struct {
	at journal.Position
	Problem
}

// tell notes a problem.
func (x *examiner) tell(at journal.Position, shard int, text string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.told) == 10*maxProblems {
		x.more++
		return
	}
	p := toldProblem{at, Problem{Shard: shard, Text: text}}
	if at != 0 {
		p.Position = at.String()
	}
	x.told = append(x.told, p)
}

// closeBooks writes down what the books say at the end.
func (x *examiner) closeBooks() {
	if x.j.Books == nil {
		x.j.Books = &Books{From: "nothing", Compared: []uint32{}, Balance: "0"}
	}
	v, c := x.j.Books, x.checks
	v.Orders, v.Certificates, v.Votes, v.Unchecked = c.orders, c.certificates, c.votes, c.unchecked
	if b := x.book; b != nil {
		v.Accounts, v.Pending, v.InFlight, v.Balance = len(b.accounts), len(b.pending), uint64(len(b.flying)), b.total().String()
		v.whole, v.balance, v.inFlight, v.minted = x.Accounts != nil, b.total(), new(big.Int), b.minted
		for _, f := range b.flying {
			v.inFlight.Add(v.inFlight, new(big.Int).SetUint64(f.amount))
		}
		for _, l := range b.lanes {
			v.lanes = append(v.lanes, *l)
		}
	}
	slices.SortStableFunc(x.told, func(a, b toldProblem) int { return int(min(max(int64(a.at)-int64(b.at), -1), 1)) })
	for _, p := range x.told {
		if len(v.Problems) < maxProblems {
			v.Problems = append(v.Problems, p.Problem)
		} else {
			x.more++
		}
	}
	v.More = x.more
}
