package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"fastpay/codec"
	"fastpay/crypto"
)

// The small world is explored whole: four members of which one is a twin, one owner, two conflicting orders of which
// one pays into the other of two shards, and crashes at every step. Messages that were ever sent can arrive at any
// time, any number of times, or never, which covers every loss, repetition, delay and order.
//
// A process's state is what decides about its future: its accounts, its outbox, and what it has ever let out. All
// correct processes have the same states, but for names, so the states of one are explored first, by the real shell,
// core and journal, each step once from each state, with messages that need other members' votes always at hand
// (localWorld). Then all combinations of three correct processes and two copies of the twin that can come about are
// gone through (globalWorld), with the messages that can be there: there a certificate needs a quorum of votes that
// were shown.

// SmallWorld is what was found.
type SmallWorld struct {
	LocalStates, LocalSteps   int // of one process
	GlobalStates, GlobalSteps int // of all of them
	Certified                 int // global states in which there is a certificate
	Blocked                   int // in which there can't ever be one
	Violation                 *Violation
}

// input is what can happen to a process.
type input int

const (
	inOrder1 input = iota
	inOrder2
	inOwn1   // certificate of order 1 with the own vote among others
	inOwn2   // of order 2
	inOther1 // without the own vote
	inOther2
	inInfo
	inCredit1   // the credit of order 1 reaches the other shard
	inAck1      // its acknowledgement reaches the first one
	inFew1      // certificates that aren't: a vote too few
	inFew2      //
	inTwice1    // a voter twice
	inTwice2    //
	inMixed1    // votes of the other order
	inMixed2    //
	inStranger1 // a vote from outside
	numInputs
)

// outcome is how far the process comes with a batch.
type outcome int

const (
	outDone     outcome = iota // all of it: applied, durable, let out
	outLost                    // it stops before anything is written
	outTornNone                // it stops while writing, and nothing of it is left
	outTornHalf                // every other sector is
	outTornAll                 // all of it, though never reported durable
	outUnsent                  // durable, and stops before anything is let out
	numOutcomes
)

// A localState is a state of a process, with what others can see of it.
type localState struct {
	path   []step // that leads to it first
	votes  [2]bool
	done   bool // one of the orders is settled
	credit bool // the credit has left
	ack    bool // its acknowledgement has
	next   [numInputs][]int
}

type step struct {
	inputs []input // a batch
	out    outcome
}

// small explores.
type small struct {
	result SmallWorld
	orders [2]codec.Order
	states []localState
	index  map[string]int
}

// ExploreSmallWorld goes through the small world, and stops at the first violation.
func ExploreSmallWorld() SmallWorld {
	s := &small{index: make(map[string]int)}
	s.exploreLocal()
	if s.result.Violation == nil {
		s.exploreGlobal()
	}
	return s.result
}

const (
	smallMembers = 4
	smallShards  = 2
	smallFunds   = 100
)

// smallPlan has no faults: they are steps here.
func smallPlan() Plan {
	return Plan{Options: Options{Members: smallMembers}, Shards: smallShards, Durable: true, DelayMin: 1,
		DelayMax: 2, RingKB: ringKB, SegmentKB: 64, FlipMember: -1, RestoreMember: -1, ResendAfter: 1}
}

// world is the small world's committee with the owner's account, of which one process is used.
func (s *small) world() *World {
	w := &World{plan: smallPlan(), rng: rand.New(rand.NewPCG(1, 1)), scheme: Cheap{}, memberIndex: make(map[codec.Address]int)}
	w.facts = &facts{w: w, ids: make(map[codec.Address]int32), signed: make(map[digest]struct{}),
		checked: make(map[digest]struct{})}
	w.makeCommittee()
	w.facts.both = true
	owner := keyOf(firstOwner).Public()
	w.facts.endow(&owner, smallFunds)
	s.orders = [2]codec.Order{smallOrder(w, 70, 1), smallOrder(w, 60, 0)}
	for _, o := range s.orders {
		w.facts.sign(o)
	}
	w.members, w.side = make([]member, 1), make([]bool, smallMembers)
	w.members[0].copies = [][]*process{w.makeCopy(0, 0)}
	return w
}

// smallOrder pays into the owner's shard, or into the other one.
func smallOrder(w *World, amount uint64, other int) codec.Order {
	owner := keyOf(firstOwner)
	t := codec.Transfer{Sender: owner.Public(), Amount: amount}
	want := (shardOf(&t.Sender, smallShards) + other) % smallShards
	for i := firstOwner + 1; ; i++ {
		if to := keyOf(i).Public(); shardOf(&to, smallShards) == want {
			t.Recipient = codec.Recipient{Kind: codec.FastPay, Address: to}
			break
		}
	}
	var sig crypto.Signature
	w.scheme.Sign(&sig, owner, t.AppendSignedBytes(nil), 0)
	return codec.NewOrder(&t, &sig)
}

// certificate has the votes of members for an order, as signed for another one where by says so.
func (s *small) certificate(w *World, order, by int, voters ...int) []byte {
	signed := s.orders[by].AppendSignedBytes(nil)
	var votes []codec.VoteEntry
	for _, m := range voters {
		key := keyOf(firstMember + m)
		v := codec.VoteEntry{Authority: key.Public()}
		w.scheme.Sign(&v.Signature, key, signed, 0)
		votes = append(votes, v)
	}
	return codec.AppendCertificate(nil, codec.NewCertificate(s.orders[order], votes))
}

// message is what an input brings, to process 0, whose member is 0.
func (s *small) message(w *World, in input) []byte {
	switch in {
	case inOrder1, inOrder2:
		return codec.AppendOrder(nil, s.orders[in-inOrder1])
	case inOwn1, inOwn2:
		return s.certificate(w, int(in-inOwn1), int(in-inOwn1), 0, 1, 2)
	case inOther1, inOther2:
		return s.certificate(w, int(in-inOther1), int(in-inOther1), 1, 2, 3)
	case inFew1, inFew2:
		return s.certificate(w, int(in-inFew1), int(in-inFew1), 0, 3)
	case inTwice1, inTwice2:
		return s.certificate(w, int(in-inTwice1), int(in-inTwice1), 0, 3, 3)
	case inMixed1, inMixed2:
		return s.certificate(w, int(in-inMixed1), 1-int(in-inMixed1), 0, 1, 2)
	case inStranger1:
		return s.certificate(w, 0, 0, 0, 3, firstStranger)
	}
	return codec.AppendInfoRequest(nil, &codec.InfoRequest{Account: *s.orders[0].Sender()})
}

// exploreLocal finds all states of a process.
func (s *small) exploreLocal() {
	s.visit(nil)
	for i := 0; i < len(s.states) && s.result.Violation == nil; i++ {
		for in := range numInputs {
			if !s.states[i].has(in) {
				continue
			}
			for out := range numOutcomes {
				s.extend(i, step{[]input{in}, out})
			}
			if in > inInfo {
				continue
			}
			for second := range inInfo + 1 { // two in one batch
				if second != in {
					s.extend(i, step{[]input{in, second}, outDone})
					s.extend(i, step{[]input{in, second}, outTornAll})
				}
			}
		}
	}
	s.result.LocalStates = len(s.states)
	s.checkSettles()
}

// checkSettles is L2: whatever has happened, a certificate settles.
func (s *small) checkSettles() {
	for i := range s.states {
		for _, in := range []input{inOther1, inOther2} {
			if next := s.states[i].next[in]; s.result.Violation == nil && !s.states[next[0]].done {
				s.result.Violation = &Violation{Property: propertyL2, Text: fmt.Sprintf("a certificate does not settle after %v",
					s.states[i].path)}
			}
		}
	}
}

// has reports whether an input that is of the process's own making can be there.
func (l *localState) has(in input) bool {
	switch in {
	case inCredit1:
		return l.credit
	case inAck1:
		return l.ack
	case inOwn1, inOwn2:
		return l.votes[in-inOwn1]
	}
	return true
}

// extend takes one step from a state.
func (s *small) extend(from int, st step) {
	if s.result.Violation != nil {
		return
	}
	s.result.LocalSteps++
	path := append(slices.Clone(s.states[from].path), st)
	to := s.visit(path)
	for _, in := range st.inputs {
		if next := &s.states[from].next[in]; len(st.inputs) == 1 && to >= 0 && !slices.Contains(*next, to) {
			*next = append(*next, to)
		}
	}
}

// visit walks a path in a new world, and returns the number of the state at its end.
func (s *small) visit(path []step) int {
	w := s.world()
	p := w.processes[0]
	for _, st := range path {
		s.take(w, p, st)
	}
	s.checkSum(w, p)
	if w.violation != nil {
		w.violation.Text = fmt.Sprintf("%s, after %v", w.violation.Text, path)
		s.result.Violation = w.violation
		return -1
	}
	key, state := s.dump(p)
	if i, ok := s.index[key]; ok {
		return i
	}
	state.path = path
	s.index[key] = len(s.states)
	s.states = append(s.states, state)
	return len(s.states) - 1
}
