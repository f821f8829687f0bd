package sim

import (
	"fmt"
	"slices"
)

// A global state is the local ones of three correct members and of the two copies of the twin, which are correct as
// each sees itself. Members are alike, so each of the two groups is sorted.
type globalState [5]uint16

const correctMembers = 3

// exploreGlobal goes through all that can come about: S1, and that no state is a dead end for a certificate that
// exists.
func (s *small) exploreGlobal() {
	initial := globalState{}
	seen := map[globalState]struct{}{initial: {}}
	for todo := []globalState{initial}; len(todo) > 0; {
		g := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		s.judge(g)
		for r := range g {
			for in := range numInputs {
				if !s.arrives(&g, r, in) {
					continue
				}
				for _, to := range s.states[g[r]].next[in] {
					if r >= correctMembers && to != s.states[g[r]].next[in][0] {
						break // a twin's copies don't crash: that they forget is what having two of them is for
					}
					s.result.GlobalSteps++
					h := g
					h[r] = uint16(to)
					slices.Sort(h[:correctMembers])
					slices.Sort(h[correctMembers:])
					if _, ok := seen[h]; !ok {
						seen[h] = struct{}{}
						todo = append(todo, h)
					}
				}
			}
		}
	}
	s.result.GlobalStates = len(seen)
}

// voters is how many members have shown a vote for an order, one of the processes left out.
func (s *small) voters(g *globalState, order, without int) (n int) {
	twin := false
	for r := range g {
		switch voted := s.states[g[r]].votes[order]; {
		case !voted:
		case r >= correctMembers:
			twin = twin || without < correctMembers
		case r != without:
			n++
		}
	}
	if twin {
		n++
	}
	return n
}

// arrives reports whether an input can be there in a global state.
func (s *small) arrives(g *globalState, r int, in input) bool {
	local := &s.states[g[r]]
	switch in {
	case inOwn1, inOwn2:
		return local.votes[in-inOwn1] && s.voters(g, int(in-inOwn1), r) >= quorumOf(smallMembers)-1
	case inOther1, inOther2:
		if r >= correctMembers { // the other copy may have made the vote
			r = -1
		}
		return s.voters(g, int(in-inOther1), r) >= quorumOf(smallMembers)
	}
	return in < inFew1 && local.has(in) // what is refused changes nothing, as was seen locally
}

// judge looks at a global state.
func (s *small) judge(g globalState) {
	first := s.voters(&g, 0, -1) >= quorumOf(smallMembers)
	second := s.voters(&g, 1, -1) >= quorumOf(smallMembers)
	switch {
	case first && second && s.result.Violation == nil:
		s.result.Violation = &Violation{Property: propertyS1, Text: fmt.Sprintf("both orders are certified in state %v", g)}
	case first || second:
		s.result.Certified++
	case s.stuck(&g):
		s.result.Blocked++
	}
}

// stuck reports whether no order can get a quorum any more: every correct member has voted for good.
func (s *small) stuck(g *globalState) bool {
	for r := range correctMembers {
		if l := &s.states[g[r]]; !l.votes[0] && !l.votes[1] {
			return false
		}
	}
	return true
}
