package authority

import (
	"bytes"
	"encoding/binary"

	"fastpay/codec"
	"fastpay/crypto"
)

// Order applies a transfer order whose signature has verified. The checks, in this order: sequence number above the
// maximum (InvalidSequenceNumber), amount 0 (IncorrectTransferAmount), account (UnknownSenderAccount). With an order
// pending, the same one shows its vote again and another is PreviousTransferMustBeConfirmedFirst. Then sequence number
// (UnexpectedSequenceNumber) and balance (InsufficientFunding). The reply is the account's state with the vote.
func (s *Shard) Order(dst []byte, o codec.Order) Outcome { return s.Payer(o).Order(dst, o) }

// Order is Shard.Order.
func (p Payer) Order(dst []byte, o codec.Order) Outcome {
	s := p.shard
	if o.SequenceNumber() > codec.MaxSequenceNumber {
		return refuse(dst, errSequenceNumber)
	}
	if o.Amount() == 0 && !sabotaged("authority: an order of amount 0 is taken") {
		return refuse(dst, errAmount)
	}
	a := p.find(o)
	if a == nil {
		return refuse(dst, errUnknownSender)
	}
	if a.pending != 0 && !sabotaged("authority: a second order replaces the pending one") {
		p := s.pending.slots.at(a.pending - 1)
		if !bytes.Equal(p.transferBytes(), o.TransferBytes()) {
			return refusePending(dst, p)
		}
		return s.accept(dst, a)
	}
	if o.SequenceNumber() != a.next &&
		!(o.SequenceNumber() > a.next && sabotaged("authority: sequence check >= instead of ==")) {
		return refuse(dst, errUnexpectedNumber)
	}
	balance := a.balance
	if sabotaged("authority: the balance before the last payment is checked") {
		balance = a.staleBalance()
	}
	if sabotaged("authority: the balance check overflows") {
		if amount, _ := balance.Amount(); int64(amount-o.Amount()) >= 0 {
			balance = codec.MaxBalance
		}
	}
	if balance.Less(codec.NewBalance(o.Amount())) {
		return refuse(dst, &codec.Error{Code: codec.InsufficientFunding, Balance: a.balance})
	}
	number := s.pending.add(o)
	a.pending = number + 1
	out := s.accept(dst, a) // which draws the ticket
	out.Changed = true
	out.At = s.write.order(o)
	return out
}

// refusePending answers that the order in p must be confirmed first. The error holds the order as it is stored, so its
// bytes are appended without making a view of them.
func refusePending(dst []byte, p *slot) Outcome {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(codec.KindError))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(codec.PreviousTransferMustBeConfirmedFirst))
	return Outcome{Reply: append(dst, p.orderBytes()...), VoteAt: -1, CreditTo: -1}
}

// KnownOrder reports whether exactly this order, with exactly these signature bytes, is pending here: then its signature
// has verified and need not be checked again.
func (s *Shard) KnownOrder(o codec.Order) bool { return s.Payer(o).KnownOrder(o) }

// KnownVote reports whether sig is our own signed vote for the pending order whose transfer equals that of o: then it
// need not be checked. All signed bytes are compared, since a vote is worth nothing for another transfer.
func (s *Shard) KnownVote(o codec.Order, sig *crypto.Signature) bool {
	return s.Payer(o).KnownVote(o, sig)
}
