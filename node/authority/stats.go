package authority

import (
	"iter"
	"math/big"

	"fastpay/codec"
)

// Stats are counters and sizes of a shard.
type Stats struct {
	CappedCredits   uint64 // credits that exceeded the largest balance and were cut
	RepeatedCredits uint64 // credits that came again and were ignored
	Undelivered     uint64 // credits to other shards that these have not acknowledged
	Accounts        int
	Pending         int // orders signed and not yet confirmed
}

// Stats is a copy of the counters.
func (s *Shard) Stats() Stats {
	st := s.stats
	st.Accounts, st.Pending = s.NumAccounts(), s.pending.used
	for i := range s.lanes {
		st.Undelivered += s.lanes[i].out.issued - s.lanes[i].out.acknowledged
	}
	return st
}

// NumAccounts is the number of accounts.
func (s *Shard) NumAccounts() int { return int(s.table.accounts.n) }

// Balance is what an account has, and whether it is there.
func (s *Shard) Balance(address *codec.Address) (codec.Balance, bool) {
	if a := s.table.find(address); a != nil {
		return a.balance, true
	}
	return codec.Balance{}, false
}

// TotalBalance is the sum of all balances, which may exceed 128 bits. It walks all accounts.
func (s *Shard) TotalBalance() *big.Int {
	sum := new(big.Int)
	for a := range s.Accounts() {
		sum.Add(sum, a.Balance.Big())
	}
	return sum
}

// An Account is a copy of an account's state, for tools and tests.
type Account struct {
	Address            codec.Address
	Balance            codec.Balance
	NextSequenceNumber uint64
	Pending            []byte // encoded pending order and our vote for it, as in an InfoResponse; nil when there is none
	Confirmed          uint64 // certificates in the confirmed log
	Received           uint64 // certificates in the received log
	Synchronized       uint32 // transactions of the Primary
}

// Accounts yields all accounts in the order of their creation. The shard must not change meanwhile.
func (s *Shard) Accounts() iter.Seq[Account] {
	return func(yield func(Account) bool) {
		for i := range s.table.accounts.n {
			if !yield(s.snapshot(s.table.accounts.at(i))) {
				return
			}
		}
	}
}

func (s *Shard) snapshot(a *account) Account {
	c := Account{
		Address: a.address, Balance: a.balance, NextSequenceNumber: a.next,
		Confirmed: a.confirmed, Received: a.received, Synchronized: a.synchronized,
	}
	if a.pending != 0 {
		p := s.pending.slots.at(a.pending - 1)
		c.Pending = append(append(append(c.Pending, p.orderBytes()...), s.name[:]...), p.vote[:]...)
	}
	return c
}
