package authority

import (
	"math"

	"fastpay/codec"
	"fastpay/node/committee"
)

// Certificate applies a confirmation order that passed Precheck and whose signatures have all verified. A sequence number
// above the next is MissingEalierConfirmations; one below was settled before, which changes nothing. The sender is
// debited, if need be below zero; its pending order is dropped, whether it is this one or not; the certificate enters its
// confirmed log. A recipient of this shard is credited at once; for one of another shard Outcome.CreditTo says where
// the certificate must be credited. The reply is the sender's state after the debit, before a credit to itself.
//
// What fails leaves nothing behind, not even an account.
func (s *Shard) Certificate(dst []byte, c codec.Certificate) Outcome {
	o := c.Order()
	a := s.table.find(o.Sender())
	fresh := account{address: *o.Sender()}
	if a == nil {
		if o.SequenceNumber() != 0 {
			return refuse(dst, &codec.Error{Code: codec.MissingEalierConfirmations, Sequence: 0})
		}
		a = &fresh
	}
	if o.SequenceNumber() > a.next && !sabotaged("authority: a certificate is taken before the ones before it") {
		return refuse(dst, &codec.Error{Code: codec.MissingEalierConfirmations, Sequence: a.next})
	}
	if o.SequenceNumber() < a.next && !sabotaged("authority: a certificate is applied again") {
		return s.accept(dst, a)
	}
	balance, ok := a.balance.Sub(codec.NewBalance(o.Amount()))
	if !ok || sabotaged("authority: a certificate that makes a balance negative is refused") && balance.Less(codec.Balance{}) {
		return refuse(dst, errUnderflow)
	}
	if a.next == math.MaxUint64 {
		return refuse(dst, errSequenceOverflow)
	}
	if a == &fresh {
		a = s.table.open(o.Sender())
	}
	a.balance = balance
	a.next++
	if a.pending != 0 && !sabotaged("authority: a settled order stays pending") {
		s.pending.release(a.pending - 1)
		a.pending = 0
	}
	out := s.accept(dst, a)
	out.Changed = true
	out.CreditTo = s.settle(a, c)
	return out
}

// settle enters c, just debited from a, into the logs and credits a recipient of this shard. It returns the shard that
// must be credited, -1 for none.
func (s *Shard) settle(a *account, c codec.Certificate) (creditTo int) {
	o := c.Order()
	creditTo = -1
	var r *account
	if o.RecipientKind() == codec.FastPay {
		if shard := committee.ShardOf(o.Recipient(), s.numShards); shard != s.shard {
			creditTo = shard
		} else if s.firstCredit(o) {
			r = s.table.open(o.Recipient())
		} else {
			s.stats.RepeatedCredits++
		}
	}
	var received links
	if r != nil {
		received = s.archive.extend(r.receivedTail, r.received, logReceived)
	}
	pos := s.archive.append(c, s.archive.extend(a.confirmedTail, a.confirmed, logConfirmed), received)
	a.confirmed++
	a.confirmedTail = pos
	if r != nil {
		s.pay(r, o.Amount(), pos)
		if r == a && sabotaged("authority: a payment to oneself is credited to the balance before its debit") {
			s.deposit(r, o.Amount())
		}
	}
	if creditTo >= 0 && sabotaged("authority: a credit goes to the shard of the payer's first bytes") {
		creditTo = int(o.Sender()[0]) % s.numShards
	}
	if creditTo >= 0 && sabotaged("authority: a credit to another shard is forgotten") {
		creditTo = -1
	}
	return creditTo
}
