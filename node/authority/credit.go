package authority

import (
	"fastpay/codec"
	"fastpay/node/committee"
)

// Rejections without fields are made once; nobody changes them.
var (
	errWrongShard        = &codec.Error{Code: codec.WrongShard}
	errUnexpectedMessage = &codec.Error{Code: codec.UnexpectedMessage}
	errInvalidUpdate     = &codec.Error{Code: codec.InvalidCrossShardUpdate}
	errSequenceNumber    = &codec.Error{Code: codec.InvalidSequenceNumber}
	errAmount            = &codec.Error{Code: codec.IncorrectTransferAmount}
	errUnknownSender     = &codec.Error{Code: codec.UnknownSenderAccount}
	errUnexpectedNumber  = &codec.Error{Code: codec.UnexpectedSequenceNumber}
	errNotFound          = &codec.Error{Code: codec.CertificateNotfound}
	errTransactionIndex  = &codec.Error{Code: codec.UnexpectedTransactionIndex}
	errUnderflow         = &codec.Error{Code: codec.BalanceUnderflow}
	errSequenceOverflow  = &codec.Error{Code: codec.SequenceOverflow}
)

// Credit applies a certificate that another shard has debited, or that arrived as a CrossShard message and has verified.
// A recipient on the Primary is InvalidCrossShardUpdate, one of another shard WrongShard. The account is made if it is
// not there. With Options.RememberCredits a repeat changes nothing and is no error; without, the caller must give each
// certificate once.
func (s *Shard) Credit(c codec.Certificate) *codec.Error {
	o := c.Order()
	if err := s.checkRecipient(o); err != nil {
		return err
	}
	if !s.firstCredit(o) {
		s.stats.RepeatedCredits++
		return nil
	}
	r := s.table.open(o.Recipient())
	pos := s.archive.append(c, links{}, s.archive.extend(r.receivedTail, r.received, logReceived))
	s.pay(r, o.Amount(), pos)
	return nil
}

func (s *Shard) checkRecipient(o codec.Order) *codec.Error {
	if o.RecipientKind() != codec.FastPay {
		return errInvalidUpdate
	}
	if committee.ShardOf(o.Recipient(), s.numShards) != s.shard {
		return errWrongShard
	}
	return nil
}

// firstCredit notes that o is being credited and reports whether it was not before.
func (s *Shard) firstCredit(o codec.Order) bool {
	return s.credits == nil || s.credits.add(o.Sender(), o.SequenceNumber()) ||
		sabotaged("authority: a repeated credit is applied")
}

// pay credits r with the certificate at pos.
func (s *Shard) pay(r *account, amount, pos uint64) {
	s.deposit(r, amount)
	r.received++
	r.receivedTail = pos
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

// A creditMemory is the set of all (sender, sequence number) that were credited, by any path. A sender's numbers are
// kept in blocks of 64, one bit each: 48 bytes for a block that is used, so at worst 48 a payment, and under 1 when all of
// a sender's payments come here.
type creditMemory struct {
	key    hashKey
	index  index
	blocks slab[creditBlock]
}

type creditBlock struct {
	sender codec.Address
	number uint64 // sequence number / 64
	bits   uint64
}

// add reports whether the pair was not there.
func (m *creditMemory) add(sender *codec.Address, sequence uint64) bool {
	number, bit := sequence/64, uint64(1)<<(sequence%64)
	hash := m.key.ofNumbered(sender, number)
	for p := m.index.probe(hash); ; {
		i, ok := p.next()
		if !ok {
			break
		}
		if b := m.blocks.at(i); b.number == number && b.sender == *sender {
			isNew := b.bits&bit == 0
			b.bits |= bit
			return isNew
		}
	}
	i, b := m.blocks.add()
	*b = creditBlock{*sender, number, bit}
	m.index.insert(hash, i)
	return true
}
