//go:build sabotage

package authority

import "fastpay/codec"

// Sabotage is the name of the deliberate bug that is switched on.
var Sabotage string

func sabotaged(name string) bool { return Sabotage == name }

// lastPaid is what each account paid last.
var lastPaid = make(map[*account]codec.Balance)

func (a *account) staleBalance() codec.Balance {
	balance, _ := a.balance.Add(lastPaid[a])
	return balance
}

func (a *account) notePaid(amount codec.Balance) { lastPaid[a] = amount }
