package history

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawn is a history that can be: payments between some accounts, one after the other, each of which took longer than the
// moment in which it happened, before and after.
func drawn(t *rapid.T) []Operation {
	accounts := rapid.IntRange(1, 4).Draw(t, "accounts")
	state, initial := make([]Account, accounts), make([]int64, accounts)
	for i := range initial {
		initial[i] = rapid.Int64Range(0, 50).Draw(t, "initial")
	}
	var payments []Payment
	for n := range uint64(rapid.IntRange(1, 12).Draw(t, "payments")) {
		now := 100 * n
		from := rapid.IntRange(0, accounts-1).Draw(t, "from")
		to := rapid.IntRange(Outside, accounts-1).Draw(t, "to")
		has := state[from].Balance + initial[from]
		p := Payment{From: int32(from), To: int32(to), Number: state[from].Next, Amount: rapid.Int64Range(0, has).Draw(t, "amount"),
			Called: now - min(now, rapid.Uint64Range(0, 150).Draw(t, "before")), Done: now + 1 + rapid.Uint64Range(0, 150).Draw(t, "after")}
		if rapid.IntRange(0, 9).Draw(t, "unseen") == 0 {
			p.Done = Forever
		}
		state[from].Next++
		state[from].Balance -= p.Amount
		if to != Outside {
			state[to].Balance += p.Amount
		}
		payments = append(payments, p)
	}
	all := Of(payments, initial)
	for i, a := range state {
		a.Balance += initial[i]
		all = append(all, Answer(int32(i), initial[i], a))
	}
	return all
}

// brute tries every order of one account's operations.
func brute(ops []Operation, a Account) bool {
	if len(ops) == 0 {
		return true
	}
	for i, op := range ops {
		first := !slices.ContainsFunc(ops, func(other Operation) bool { return other.Done < op.Called })
		if next, ok := op.apply(a); first && ok && brute(slices.Delete(slices.Clone(ops), i, i+1), next) {
			return true
		}
	}
	return false
}

// TestCheckVsEveryOrder compares with all orders, for histories that can be, and for the same with something changed.
func TestCheckVsEveryOrder(t *testing.T) {
	possible, impossible := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		all := drawn(t)
		if got := Check(all, time.Minute); got != Linearizable {
			t.Fatalf("%+v: %v", all, got)
		}
		damaged := slices.Clone(all)
		op := &damaged[rapid.IntRange(0, len(all)-1).Draw(t, "at")]
		switch rapid.IntRange(0, 4).Draw(t, "how") {
		case 0:
			op.Number++
		case 1:
			op.Amount += 1 + rapid.Int64Range(0, 60).Draw(t, "more")
		case 2:
			op.Called, op.Done = op.Called+200, op.Done+200
		case 3:
			op.Says.Balance++
		case 4:
			damaged = append(damaged, *op)
		}
		want := true
		for account := range int32(4) {
			own := slices.DeleteFunc(slices.Clone(damaged), func(op Operation) bool { return op.Account != account })
			want = want && brute(own, Account{})
		}
		if got := Check(damaged, time.Minute); got == Linearizable != want || got == Unknown {
			t.Fatalf("%+v: %v, by trying every order %v", damaged, got, want)
		}
		if want {
			possible++
		} else {
			impossible++
		}
	})
	if possible == 0 || impossible == 0 {
		t.Errorf("%d damaged histories were possible, %d impossible: expected some of each", possible, impossible)
	}
}
