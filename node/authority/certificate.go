package authority

import (
	"math"

	"fastpay/codec"
	"fastpay/node/committee"
)

// Certificate applies a confirmation order that passed Precheck and whose signatures have all verified. A sequence number
// above the next is MissingEalierConfirmations; one below was settled before, which changes nothing. The sender is
// debited, if need be below zero; its pending order is dropped, whether it is this one or not; the certificate enters its
// confirmed log. A recipient of this shard is credited at once; for one of another shard Outcome.CreditTo and CreditNumber
// say where and under which number the certificate must be credited. The reply is the sender's state after the debit, before a credit to itself.
//
// What fails leaves nothing behind, not even an account.
func (s *Shard) Certificate(dst []byte, c codec.Certificate) Outcome {
	return s.Payer(c.Order()).Certificate(dst, c)
}

// Certificate is Shard.Certificate.
func (p Payer) Certificate(dst []byte, c codec.Certificate) Outcome {
	s, o := p.shard, c.Order()
	a := p.find(o)
	var (
		next   uint64 // what an account begins with that is not there
		before codec.Balance
	)
	if a != nil {
		next, before = a.next, a.balance
	}
	if o.SequenceNumber() > next && !sabotaged("authority: a certificate is taken before the ones before it") {
		return refuse(dst, &codec.Error{Code: codec.MissingEalierConfirmations, Sequence: next})
	}
	if o.SequenceNumber() < next && !sabotaged("authority: a certificate is applied again") {
		return s.accept(dst, a)
	}
	balance, ok := before.Sub(codec.NewBalance(o.Amount()))
	if !ok || balance.Less(codec.Balance{}) &&
		sabotaged("authority: a certificate that makes a balance negative is refused") {
		return refuse(dst, errUnderflow)
	}
	if next == math.MaxUint64 {
		return refuse(dst, errSequenceOverflow)
	}
	if a == nil {
		a = s.table.open(o.Sender())
	}
	a.balance = balance
	if sabotaged("authority: the balance before the last payment is checked") {
		a.notePaid(codec.NewBalance(o.Amount()))
	}
	a.next++
	if a.pending != 0 && !sabotaged("authority: a settled order stays pending") {
		s.pending.release(a.pending - 1)
		a.pending = 0
	}
	out := s.accept(dst, a)
	out.Changed = true
	p.settle(a, c, &out)
	return out
}

// settle writes c, just debited from a, enters it into the logs, and credits a recipient of this shard.
func (p Payer) settle(a *account, c codec.Certificate, out *Outcome) {
	s, o := p.shard, c.Order()
	var (
		r        *account
		received *chain
		box      *outbox
	)
	if o.RecipientKind() == codec.FastPay {
		to := committee.ShardOf(o.Recipient(), s.numShards)
		if to != s.shard && sabotaged("authority: a credit goes to the shard of the payer's first byte") {
			to = int(o.Sender()[0]) % s.numShards
		}
		if to == s.shard {
			r = p.open(o)
			received = &r.receivedChain
		} else {
			box = &s.lanes[to].out
			out.CreditTo, out.CreditNumber = to, box.issued+1
		}
	}
	out.At = s.write.settlement(c, &a.confirmedChain, received, out.CreditTo, out.CreditNumber)
	s.confirm(a, out.At)
	if r == a && sabotaged("authority: a payment to oneself is credited to the balance before its debit") {
		s.deposit(r, o.Amount())
	}
	if r != nil {
		s.pay(r, o.Amount(), out.At)
	} else if box != nil && box.issue(out.At) && out.At.IsProvisional() {
		s.marked = append(s.marked, box)
	}
}

// confirm enters the settlement at position at into the confirmed log of a.
func (s *Shard) confirm(a *account, at Position) {
	s.touch(a, at)
	a.confirmed++
	a.confirmedChain.extend(a.confirmed, at)
}

// touch notes that a gets its first position of this batch, so that Rebase finds it.
func (s *Shard) touch(a *account, at Position) {
	if at.IsProvisional() && !a.isProvisional() {
		s.touched = append(s.touched, a)
	}
}
