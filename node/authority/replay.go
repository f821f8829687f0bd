package authority

import (
	"fmt"

	"fastpay/codec"
	"fastpay/node/committee"
)

// Replay applies a record that the log gave back, at its absolute position. Records come in their order; those of other
// shards must not. An order, payment, credit or transaction whose number says that it was applied already is skipped; a
// record that does not follow, or does not lead to those before it, is ErrRecord. Signatures and balances are not checked
// again: the record says that they were. Nothing is appended to Options.Log. After an error the shard is not to be used.
func (s *Shard) Replay(at Position, record []byte) error {
	var r Record
	if err := r.Parse(at, record); err != nil {
		return err
	}
	if !r.belongs(s.shard, s.numShards) {
		return s.unexpected(at, "a record of kind %d of another shard", r.Kind)
	}
	switch r.Kind {
	case RecordOrder:
		if sabotaged("authority: recovery forgets pending orders") {
			return nil
		}
		return s.replayOrder(at, r.Order)
	case RecordSettlement:
		return s.replaySettlement(at, &r)
	case RecordCredit:
		return s.replayCredit(at, &r)
	case RecordPrimary:
		return s.replayPrimary(at, &r)
	case RecordFunded:
		s.addAccount(r.Account, r.Balance)
	case RecordAcknowledged:
		if _, err := s.lanes[r.To].out.acknowledge(r.Number, r.Sum); err != nil {
			return s.unexpected(at, "%w", err)
		}
	}
	return nil
}

func (s *Shard) unexpected(at Position, format string, args ...any) error {
	return fmt.Errorf("%w at %v for shard %d: %w", ErrRecord, at, s.shard, fmt.Errorf(format, args...))
}

func (s *Shard) replayOrder(at Position, o codec.Order) error {
	a := s.table.find(o.Sender())
	if a == nil {
		return s.unexpected(at, "an order of %s, which is not there", codec.FormatAddress(o.Sender()))
	}
	n := o.SequenceNumber()
	if n < a.next {
		return nil
	}
	if n > a.next {
		return s.unexpected(at, "order %d of %s, expected %d", n, codec.FormatAddress(o.Sender()), a.next)
	}
	if a.pending != 0 {
		if string(s.pending.slots.at(a.pending-1).orderBytes()) == string(o.Bytes()) {
			return nil
		}
		return s.unexpected(at, "a second order %d of %s", n, codec.FormatAddress(o.Sender()))
	}
	number := s.pending.add(o)
	a.pending = number + 1
	return nil
}

func (s *Shard) replaySettlement(at Position, r *Record) error {
	o := r.Order
	if err := s.checkSettlement(at, r); err != nil {
		return err
	}
	a, n := s.table.find(o.Sender()), o.SequenceNumber()
	switch {
	case a == nil && n == 0:
		a = s.table.open(o.Sender())
	case a == nil || n > a.next:
		return s.unexpected(at, "payment %d of %s before those that precede it", n, codec.FormatAddress(o.Sender()))
	case n < a.next:
		return nil
	}
	if r.confirmed != a.confirmedChain {
		return s.unexpected(at, "payment %d of %s does not lead to those before it", n, codec.FormatAddress(o.Sender()))
	}
	balance, ok := a.balance.Sub(codec.NewBalance(o.Amount()))
	if !ok {
		return s.unexpected(at, "payment %d of %s has no end in 128 bits", n, codec.FormatAddress(o.Sender()))
	}
	a.balance = balance
	a.next++
	if a.pending != 0 {
		s.pending.release(a.pending - 1)
		a.pending = 0
	}
	s.confirm(a, at)
	switch r.credit {
	case creditHere:
		return s.replayPay(at, o.Recipient(), o.Amount(), &r.received)
	case creditAway:
		box := &s.lanes[r.To].out
		if r.Number != box.issued+1 {
			return s.unexpected(at, "credit %d to shard %d, expected %d", r.Number, r.To, box.issued+1)
		}
		box.issue(at)
	}
	return nil
}

// checkSettlement looks for voters that the committee has not.
func (s *Shard) checkSettlement(at Position, r *Record) error {
	for i := range r.NumVotes() {
		if member, _ := r.Vote(i); member >= s.committee.Len() {
			return s.unexpected(at, "voter %d in a committee of %d", member, s.committee.Len())
		}
	}
	return nil
}

func (s *Shard) replayCredit(at Position, r *Record) error {
	l := &s.lanes[r.From]
	if r.Number <= l.cursor {
		return nil
	}
	if r.Number != l.cursor+1 {
		return s.unexpected(at, "credit %d of shard %d, expected %d", r.Number, r.From, l.cursor+1)
	}
	if !sabotaged("authority: recovery forgets which credits have come") {
		l.take(r)
	}
	return s.replayPay(at, r.Account, r.Amount, &r.received)
}

// replayPay credits an account with a record that says how its log was before.
func (s *Shard) replayPay(at Position, recipient *codec.Address, amount uint64, before *chain) error {
	a := s.table.open(recipient)
	if a.receivedChain != *before {
		return s.unexpected(at, "a credit of %s does not lead to those before it", codec.FormatAddress(recipient))
	}
	s.pay(a, amount, at)
	return nil
}

func (s *Shard) replayPrimary(at Position, r *Record) error {
	if r.Index <= s.lastTransaction {
		return nil
	}
	if r.Index != s.lastTransaction+1 {
		return s.unexpected(at, "transaction %d of the Primary, expected %d", r.Index, s.lastTransaction+1)
	}
	s.lastTransaction = r.Index
	if committee.ShardOf(r.Account, s.numShards) == s.shard {
		s.fund(r.Account, r.Amount)
	}
	return nil
}
