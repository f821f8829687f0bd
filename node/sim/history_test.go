package sim

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// The histories of worlds, account by account, are checked by Porcupine, against a model that knows nothing of committees:
// an account is a number and a balance, a payment takes the next number and money that is there, and gives it to the
// payee; each happens at one moment between its beginning and its end. In the end every correct authority is asked, and
// must say what follows.

// account is the model's state.
type account struct {
	next    uint64
	balance int64
}

// An accountOp is what happens to one account.
type accountOp struct {
	account int32
	initial int64 // of the account
	payment
	read bool // a question in the end; says is the answer
	says account
}

var accountModel = porcupine.Model{
	Partition: func(ops []porcupine.Operation) [][]porcupine.Operation {
		byAccount := make(map[int32][]porcupine.Operation)
		most := int32(0)
		for _, op := range ops {
			id := op.Input.(accountOp).account
			byAccount[id], most = append(byAccount[id], op), max(most, id)
		}
		var parts [][]porcupine.Operation
		for id := range most + 1 {
			parts = append(parts, byAccount[id])
		}
		return parts
	},
	Init: func() any { return account{} },
	Step: func(state, input, _ any) (bool, any) {
		s, op := state.(account), input.(accountOp)
		if op.read {
			return op.says == account{s.next, s.balance + op.initial}, s
		}
		if op.from == op.account {
			if op.number != s.next || s.balance+op.initial < op.amount {
				return false, s
			}
			s.next++
			s.balance -= op.amount
		}
		if op.to == op.account {
			s.balance += op.amount
		}
		return true, s
	},
}

// recorded carries a world out and returns its history. A deaf one says nothing of violations.
func recorded(t *testing.T, o Options, deaf bool) (ops []porcupine.Operation, payments int) {
	t.Helper()
	w := NewWorld(o)
	w.deaf = deaf
	w.history = new(history)
	for _, d := range w.contract.Log() { // from before it began
		w.history.deposited(w, w.facts.id(&d.Recipient), d.Amount)
	}
	if v := w.Run(); v != nil {
		t.Fatalf("seed %d: %v", o.Seed, v)
	}
	list := w.history.payments
	seen := make(map[uint64]bool)
	for _, p := range list {
		if p.from != outside {
			seen[placeKey(p.from, p.number)] = true
		}
	}
	for i := range w.facts.accounts { // of owners who cheat nobody knows when they paid
		for _, c := range w.facts.accounts[i].orders {
			if o := c.Order(); !seen[placeKey(int32(i), o.SequenceNumber())] {
				list = append(list, payment{int32(i), w.payee(o), o.SequenceNumber(), int64(o.Amount()), 0, forever})
			}
		}
	}
	add := func(op accountOp) {
		op.initial = w.facts.accounts[op.account].initial
		ops = append(ops, porcupine.Operation{Input: op, Call: int64(op.called), Return: int64(op.done)})
	}
	for _, p := range list {
		if p.from != outside {
			add(accountOp{account: p.from, payment: p})
		}
		if p.to != outside && p.to != p.from {
			add(accountOp{account: p.to, payment: p})
		}
	}
	for m := range w.members {
		if m < len(w.plan.Liars) || w.members[m].retired {
			continue
		}
		for i := range w.facts.accounts {
			a := &w.facts.accounts[i].address
			shard := w.members[m].copies[0][shardOf(a, w.plan.Shards)].shards[shardOf(a, w.plan.Shards)]
			balance, _ := shard.Balance(a)
			says := account{balance: balance.Big().Int64()}
			for known := range shard.Accounts() {
				if known.Address == *a {
					says.next = known.NextSequenceNumber
				}
			}
			add(accountOp{account: int32(i), read: true, says: says,
				payment: payment{called: forever + 1, done: forever + 2}})
		}
	}
	return ops, len(list)
}

func TestHistoriesAreLinearizable(t *testing.T) {
	worlds := uint64(100)
	if testing.Short() {
		worlds = 10
	}
	operations, payments := 0, 0
	for seed := range worlds {
		ops, n := recorded(t, Options{Seed: 50_000 + seed, Payments: 100, Faults: AllFaults}, false)
		if got := porcupine.CheckOperationsTimeout(accountModel, ops, time.Minute); got != porcupine.Ok {
			t.Errorf("seed %d: %d operations: %v", 50_000+seed, len(ops), got)
		}
		operations, payments = operations+len(ops), payments+n
	}
	t.Logf("%d histories, %d payments, %d operations", worlds, payments, operations)
}

// TestHistoriesThatAreNot damages a history in every way that the model should notice.
func TestHistoriesThatAreNot(t *testing.T) {
	whole, _ := recorded(t, Options{Seed: 3, Payments: 60, Members: 4, Faults: Loss | Duplicates | Reordering}, false)
	debit := slices.IndexFunc(whole, func(op porcupine.Operation) bool {
		in := op.Input.(accountOp)
		return !in.read && in.from == in.account && in.to != in.account && in.number > 0
	})
	credit := slices.IndexFunc(whole, func(op porcupine.Operation) bool {
		in := op.Input.(accountOp)
		return !in.read && in.from != in.account
	})
	read := slices.IndexFunc(whole, func(op porcupine.Operation) bool { return op.Input.(accountOp).read })
	f := func(what string, at int, change func(op *accountOp)) {
		t.Helper()
		ops := slices.Clone(whole)
		in := ops[at].Input.(accountOp)
		change(&in)
		ops[at].Input = in
		if got := porcupine.CheckOperationsTimeout(accountModel, ops, 10*time.Second); got != porcupine.Illegal {
			t.Errorf("%s: %v", what, got)
		}
	}
	f("a number twice", debit, func(op *accountOp) { op.number-- })
	f("more than is there", debit, func(op *accountOp) { op.amount = 1 << 60 })
	f("a credit cut to nothing", credit, func(op *accountOp) { op.amount = 0 })
	f("a credit of another account", credit, func(op *accountOp) { op.to = outside })
	f("an authority that lags", read, func(op *accountOp) { op.says.next++ })
	f("an authority with another balance", read, func(op *accountOp) { op.says.balance++ })
	for what, ops := range map[string][]porcupine.Operation{
		"a payment lost":  slices.Delete(slices.Clone(whole), debit, debit+1),
		"a payment twice": append(slices.Clone(whole), whole[debit]),
		"a credit twice":  append(slices.Clone(whole), whole[credit]),
	} {
		if got := porcupine.CheckOperationsTimeout(accountModel, ops, 10*time.Second); got != porcupine.Illegal {
			t.Errorf("%s: %v", what, got)
		}
	}
	swapped := slices.Clone(whole)
	own := func(i int) bool {
		in := swapped[i].Input.(accountOp)
		return !in.read && in.from == in.account && in.account == whole[debit].Input.(accountOp).account
	}
	var debits []int
	for i := range swapped {
		if own(i) {
			debits = append(debits, i)
		}
	}
	slices.SortFunc(debits, func(a, b int) int { return cmp.Compare(swapped[a].Call, swapped[b].Call) })
	a, b := debits[0], debits[len(debits)-1]
	swapped[a].Call, swapped[b].Call = swapped[b].Call, swapped[a].Call
	swapped[a].Return, swapped[b].Return = swapped[b].Return, swapped[a].Return
	if got := porcupine.CheckOperationsTimeout(accountModel, swapped, 10*time.Second); got != porcupine.Illegal {
		t.Errorf("the first after the last: %v", got)
	}
}
