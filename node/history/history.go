package history

import (
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// Account is the state of an account: the number of its next payment, and what it has beyond what it began with.
type Account struct {
	Next    uint64
	Balance int64
}

// Payment moved money from one account to another. Times are of any clock that all clients share.
type Payment struct {
	From, To     int32 // accounts from 0, or Outside
	Number       uint64
	Amount       int64
	Called, Done uint64 // Done is Forever where nobody has seen the end
}

const (
	// Outside is who has no account here: the Primary.
	Outside = -1
	// Forever is later than all that was seen.
	Forever = 1 << 62
)

// Operation is what happens to one account: a payment that it makes or gets, or a question in the end.
type Operation struct {
	Account int32
	Initial int64 // what the account began with
	Payment
	Read bool    // a question; of Payment only the times count
	Says Account // the answer, with the whole balance
}

// Of lists the operations of payments between accounts that began with initial.
func Of(payments []Payment, initial []int64) (all []Operation) {
	for _, p := range payments {
		if p.From != Outside {
			all = append(all, Operation{Account: p.From, Initial: initial[p.From], Payment: p})
		}
		if p.To != Outside && p.To != p.From {
			all = append(all, Operation{Account: p.To, Initial: initial[p.To], Payment: p})
		}
	}
	return all
}

// Answer is a question that is asked after everything else.
func Answer(account int32, initial int64, says Account) Operation {
	return Operation{Account: account, Initial: initial, Payment: Payment{Called: Forever + 1, Done: Forever + 2}, Read: true, Says: says}
}

// Verdict is Porcupine's.
type Verdict = porcupine.CheckResult

// The verdicts.
const (
	Linearizable = porcupine.Ok
	Impossible   = porcupine.Illegal
	Unknown      = porcupine.Unknown // within the time
)

// Check looks for a moment for each operation, for so long at most.
func Check(all []Operation, within time.Duration) Verdict {
	ops := make([]porcupine.Operation, len(all))
	for i, op := range all {
		ops[i] = porcupine.Operation{Input: op, Call: int64(op.Called), Return: int64(op.Done)}
	}
	return porcupine.CheckOperationsTimeout(model, ops, within)
}

var model = porcupine.Model{
	Partition: byAccount,
	Init:      func() any { return Account{} },
	Step: func(state, input, _ any) (bool, any) {
		op := input.(Operation)
		next, ok := op.apply(state.(Account))
		return ok, next
	},
}

func byAccount(ops []porcupine.Operation) (parts [][]porcupine.Operation) {
	of := make(map[int32][]porcupine.Operation)
	for _, op := range ops {
		account := op.Input.(Operation).Account
		of[account] = append(of[account], op)
	}
	accounts := make([]int32, 0, len(of))
	for account := range of {
		accounts = append(accounts, account)
	}
	slices.Sort(accounts)
	for _, account := range accounts {
		parts = append(parts, of[account])
	}
	return parts
}

// apply lets an operation happen now, if it can.
func (op *Operation) apply(a Account) (Account, bool) {
	if op.Read {
		return a, op.Says == Account{a.Next, a.Balance + op.Initial}
	}
	if op.From == op.Account {
		if op.Number != a.Next || a.Balance+op.Initial < op.Amount {
			return a, false
		}
		a.Next++
		a.Balance -= op.Amount
	}
	if op.To == op.Account {
		a.Balance += op.Amount
	}
	return a, true
}
