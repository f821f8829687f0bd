package authority

import (
	"errors"
	"fmt"

	"fastpay/codec"
	"fastpay/node/committee"
)

// Rejections without fields are made once; nobody changes them.
var (
	errWrongShard        = &codec.Error{Code: codec.WrongShard}
	errUnexpectedMessage = &codec.Error{Code: codec.UnexpectedMessage}
	errSequenceNumber    = &codec.Error{Code: codec.InvalidSequenceNumber}
	errAmount            = &codec.Error{Code: codec.IncorrectTransferAmount}
	errUnknownSender     = &codec.Error{Code: codec.UnknownSenderAccount}
	errUnexpectedNumber  = &codec.Error{Code: codec.UnexpectedSequenceNumber}
	errNotFound          = &codec.Error{Code: codec.CertificateNotfound}
	errTransactionIndex  = &codec.Error{Code: codec.UnexpectedTransactionIndex}
	errUnderflow         = &codec.Error{Code: codec.BalanceUnderflow}
	errSequenceOverflow  = &codec.Error{Code: codec.SequenceOverflow}
)

// ErrCredit is a credit that its sender should not have given to this shard.
var ErrCredit = errors.New("authority: misdirected credit")

// Credit applies credit number of shard from: a certificate that was debited there, durably. A number up to Cursor is a
// repeat, which changes nothing; one beyond the next is ErrGap. The recipient's account is made if it is not there. at is
// the position of the settlement if it is in the log that this shard writes to, and otherwise 0: then the certificate
// itself goes into the record. A certificate that does not pay from that shard to this one is ErrCredit.
func (s *Shard) Credit(from int, number uint64, at Position, c codec.Certificate) error {
	o := c.Order()
	if err := s.checkCredit(from, o, c.NumVotes()); err != nil {
		return err
	}
	if at != 0 {
		return s.CreditSettled(from, number, at, o.Recipient(), o.Amount())
	}
	if fresh, err := s.follows(from, number); !fresh {
		return err
	}
	s.lanes[from].sum = o.AddTo(s.lanes[from].sum)
	r := s.table.open(o.Recipient())
	s.pay(r, o.Amount(), s.write.creditOutside(from, number, c, &r.receivedChain))
	return nil
}

// CreditSettled is Credit for a settlement at a position in the log that this shard writes to. No more is needed of the
// certificate than whom it pays and how much.
func (s *Shard) CreditSettled(from int, number uint64, at Position, recipient *codec.Address, amount uint64) error {
	if err := s.checkFrom(from); err != nil {
		return err
	}
	if committee.ShardOf(recipient, s.numShards) != s.shard {
		return s.notHere(recipient)
	}
	if fresh, err := s.follows(from, number); !fresh {
		return err
	}
	r := s.table.open(recipient)
	s.pay(r, amount, s.write.credit(from, number, at, recipient, amount, &r.receivedChain))
	return nil
}

func (s *Shard) checkCredit(from int, o codec.Order, votes int) error {
	if err := s.checkFrom(from); err != nil {
		return err
	}
	if payer := committee.ShardOf(o.Sender(), s.numShards); payer != from || votes == 0 {
		return fmt.Errorf("%w: shard %d sent one with %d votes, of an account of shard %d", ErrCredit, from, votes, payer)
	}
	if o.RecipientKind() != codec.FastPay || committee.ShardOf(o.Recipient(), s.numShards) != s.shard {
		return s.notHere(o.Recipient())
	}
	return nil
}

func (s *Shard) checkFrom(from int) error {
	if from < 0 || from >= s.numShards || from == s.shard {
		return fmt.Errorf("%w: shard %d got one from shard %d of %d", ErrCredit, s.shard, from, s.numShards)
	}
	return nil
}

func (s *Shard) notHere(recipient *codec.Address) error {
	return fmt.Errorf("%w: shard %d got one for %s, which is not here", ErrCredit, s.shard, codec.FormatAddress(recipient))
}

// follows takes in the number of a credit. It reports whether it is the next one; what is neither that nor a repeat is
// ErrGap.
func (s *Shard) follows(from int, number uint64) (fresh bool, err error) {
	l := &s.lanes[from]
	if number <= l.cursor && !sabotaged("authority: a repeated credit is applied") {
		s.stats.RepeatedCredits++
		return false, nil
	}
	if number != l.cursor+1 && !sabotaged("authority: a repeated credit is applied") &&
		!sabotaged("authority: a gap in the numbers of credits is taken") {
		return false, fmt.Errorf("%w: shard %d got credit %d of shard %d, expected %d", ErrGap, s.shard, number, from, l.cursor+1)
	}
	l.cursor = number
	return true, nil
}

// pay credits r with the certificate of the record at position at.
func (s *Shard) pay(r *account, amount uint64, at Position) {
	s.touch(r, at)
	s.deposit(r, amount)
	r.received++
	r.receivedChain.extend(r.received, at)
}

// deposit adds amount to a balance, at most up to the largest. Refusing would make the outcome depend on the order of
// arrival. With an initial supply of at most 2^126 it never happens.
func (s *Shard) deposit(r *account, amount uint64) {
	if sabotaged("authority: a credit is cut to 32 bits") {
		amount = uint64(uint32(amount))
	}
	sum, ok := r.balance.Add(codec.NewBalance(amount))
	if !ok {
		sum = codec.MaxBalance
		s.stats.CappedCredits++
	}
	r.balance = sum
}
