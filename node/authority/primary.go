package authority

import (
	"math"

	"fastpay/codec"
	"fastpay/node/committee"
)

// SyncPrimary applies transaction number index of the Primary's log: amount was funded for recipient. Every shard follows
// the whole log, numbered from 1. A number up to the last is a repeat and changes nothing; one beyond the next is
// UnexpectedTransactionIndex. The next one advances the shard, and credits the recipient, made if it is not there,
// when it lives here. The reply is the recipient's state; there is none for a recipient of another shard.
func (s *Shard) SyncPrimary(dst []byte, recipient *codec.Address, amount, index uint64) Outcome {
	gap := index > s.lastTransaction && index-s.lastTransaction > 1
	if gap && !sabotaged("authority: transactions of the Primary are skipped") || index > codec.MaxSequenceNumber {
		return refuse(dst, errTransactionIndex)
	}
	isNew := index > s.lastTransaction || sabotaged("authority: a transaction of the Primary is applied again")
	out := Outcome{Reply: dst, VoteAt: -1, CreditTo: -1, Accepted: true}
	if isNew {
		s.lastTransaction = index
	}
	if committee.ShardOf(recipient, s.numShards) == s.shard {
		out = s.synchronize(dst, recipient, amount, isNew)
	}
	if isNew {
		out.Changed, out.At = true, s.write.primary(index, amount, recipient)
	}
	return out
}

func (s *Shard) synchronize(dst []byte, recipient *codec.Address, amount uint64, isNew bool) Outcome {
	if !isNew {
		a := s.table.find(recipient)
		if a == nil {
			a = &account{address: *recipient}
		}
		return s.accept(dst, a)
	}
	return s.accept(dst, s.fund(recipient, amount))
}

// fund credits recipient with a transaction of the Primary.
func (s *Shard) fund(recipient *codec.Address, amount uint64) *account {
	a := s.table.open(recipient)
	s.deposit(a, amount)
	if a.synchronized < math.MaxUint32 {
		a.synchronized++
	}
	return a
}

// LastTransaction is the number of the last transaction of the Primary that was applied.
func (s *Shard) LastTransaction() uint64 { return s.lastTransaction }
