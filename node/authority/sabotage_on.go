//go:build sabotage

package authority

import "fastpay/codec"

// Sabotage is the name of the deliberate bug that is switched on.
var Sabotage string

func sabotaged(name string) bool { return Sabotage == name }

// staleBalance is the balance before the last payment.
func (s *Shard) staleBalance(a *account) codec.Balance {
	if a.confirmed == 0 || !s.archive.has(a.confirmedTail) {
		return a.balance
	}
	c, err := codec.ParseCertificate(s.archive.certificate(a.confirmedTail))
	if err != nil {
		panic(err)
	}
	balance, _ := a.balance.Add(codec.NewBalance(c.Order().Amount()))
	return balance
}
