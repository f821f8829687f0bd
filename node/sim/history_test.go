package sim

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"fastpay/node/history"
)

// recorded carries a world out and returns its history. A deaf one says nothing of violations.
func recorded(t *testing.T, o Options, deaf bool) (ops []history.Operation, paid int) {
	t.Helper()
	w := NewWorld(o)
	w.deaf = deaf
	w.history = new(sightings)
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
	payments := make([]history.Payment, len(list))
	for i, p := range list {
		payments[i] = history.Payment{From: p.from, To: p.to, Number: p.number, Amount: p.amount, Called: p.called, Done: p.done}
	}
	initial := make([]int64, len(w.facts.accounts))
	for i := range initial {
		initial[i] = w.facts.accounts[i].initial
	}
	ops = history.Of(payments, initial)
	for m := range w.members {
		if m < len(w.plan.Liars) || w.members[m].retired {
			continue
		}
		for i := range w.facts.accounts {
			a := &w.facts.accounts[i].address
			shard := w.members[m].copies[0][shardOf(a, w.plan.Shards)].shards[shardOf(a, w.plan.Shards)]
			balance, _ := shard.Balance(a)
			says := history.Account{Balance: balance.Big().Int64()}
			for known := range shard.Accounts() {
				if known.Address == *a {
					says.Next = known.NextSequenceNumber
				}
			}
			ops = append(ops, history.Answer(int32(i), initial[i], says))
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
		if got := history.Check(ops, time.Minute); got != history.Linearizable {
			t.Errorf("seed %d: %d operations: %v", 50_000+seed, len(ops), got)
		}
		operations, payments = operations+len(ops), payments+n
	}
	t.Logf("%d histories, %d payments, %d operations", worlds, payments, operations)
}

// TestHistoriesThatAreNot damages a history in every way that the model should notice.
func TestHistoriesThatAreNot(t *testing.T) {
	whole, _ := recorded(t, Options{Seed: 3, Payments: 60, Members: 4, Faults: Loss | Duplicates | Reordering}, false)
	debit := slices.IndexFunc(whole, func(op history.Operation) bool {
		return !op.Read && op.From == op.Account && op.To != op.Account && op.Number > 0
	})
	credit := slices.IndexFunc(whole, func(op history.Operation) bool {
		return !op.Read && op.From != op.Account
	})
	read := slices.IndexFunc(whole, func(op history.Operation) bool { return op.Read })
	f := func(what string, at int, change func(op *history.Operation)) {
		t.Helper()
		ops := slices.Clone(whole)
		change(&ops[at])
		if got := history.Check(ops, 10*time.Second); got != history.Impossible {
			t.Errorf("%s: %v", what, got)
		}
	}
	f("a number twice", debit, func(op *history.Operation) { op.Number-- })
	f("more than is there", debit, func(op *history.Operation) { op.Amount = 1 << 60 })
	f("a credit cut to nothing", credit, func(op *history.Operation) { op.Amount = 0 })
	f("a credit of another account", credit, func(op *history.Operation) { op.To = history.Outside })
	f("an authority that lags", read, func(op *history.Operation) { op.Says.Next++ })
	f("an authority with another balance", read, func(op *history.Operation) { op.Says.Balance++ })
	for what, ops := range map[string][]history.Operation{
		"a payment lost":  slices.Delete(slices.Clone(whole), debit, debit+1),
		"a payment twice": append(slices.Clone(whole), whole[debit]),
		"a credit twice":  append(slices.Clone(whole), whole[credit]),
	} {
		if got := history.Check(ops, 10*time.Second); got != history.Impossible {
			t.Errorf("%s: %v", what, got)
		}
	}
	swapped := slices.Clone(whole)
	own := func(i int) bool {
		op := &swapped[i]
		return !op.Read && op.From == op.Account && op.Account == whole[debit].Account
	}
	var debits []int
	for i := range swapped {
		if own(i) {
			debits = append(debits, i)
		}
	}
	slices.SortFunc(debits, func(a, b int) int { return cmp.Compare(swapped[a].Called, swapped[b].Called) })
	a, b := debits[0], debits[len(debits)-1]
	swapped[a].Called, swapped[b].Called = swapped[b].Called, swapped[a].Called
	swapped[a].Done, swapped[b].Done = swapped[b].Done, swapped[a].Done
	if got := history.Check(swapped, 10*time.Second); got != history.Impossible {
		t.Errorf("the first after the last: %v", got)
	}
}
