package authority

import (
	"bytes"

	"fastpay/codec"
	"fastpay/node/committee"
)

// isRepeat reports whether Replay would skip the record, which an honest authority does not write then.
func isRepeat(s *Shard, r *Record) bool {
	switch r.Kind {
	case RecordOrder, RecordSettlement:
		c := s.table.find(r.Order.Sender())
		return c != nil && (r.Order.SequenceNumber() < c.next || r.Kind == RecordOrder && s.KnownOrder(r.Order))
	case RecordCredit:
		return r.Number <= s.Cursor(r.From)
	case RecordPrimary:
		return r.Index <= s.lastTransaction
	case RecordAcknowledged:
		return r.Number <= s.Acknowledged(r.To)
	}
	return false
}

// order looks at an order that was accepted.
func (a *Audit) order(s *Shard, at Position, o codec.Order) {
	a.checkOrder(s, at, o)
	c := s.table.find(o.Sender())
	switch {
	case o.Amount() == 0 || o.SequenceNumber() > codec.MaxSequenceNumber:
		a.find(at, s.shard, "an order that no state makes acceptable: amount %d, number %d", o.Amount(), o.SequenceNumber())
	case c != nil && c.balance.Less(codec.NewBalance(o.Amount())):
		a.find(at, s.shard, "an order of %d was accepted from %s, which had %v", o.Amount(), codec.FormatAddress(o.Sender()), c.balance)
	}
}

// settlement looks at a certificate that was debited.
func (a *Audit) settlement(s *Shard, at Position, r *Record) {
	o := r.Order
	a.move(o.Amount(), -1)
	a.certificate(s, at, r)
	if c := s.table.find(o.Sender()); c != nil && c.confirmedChain != r.confirmed || c == nil && r.confirmed != (chain{}) {
		a.find(at, s.shard, "payment %d of %s does not lead to the payments before it", o.SequenceNumber(), codec.FormatAddress(o.Sender()))
	}
	switch r.credit {
	case creditHere:
		a.move(o.Amount(), 1)
		a.checkReceived(s, at, r, o.Recipient())
	case creditAway:
		if a.shards[r.To] != nil {
			p := pair{s.shard, r.To}
			a.underway[p] = append(a.underway[p], debit{r.Number, o.Amount(), at, *o.Recipient()})
		}
	}
}

// credit looks at a credit that arrived: one of this journal must be the next one of its shard that is under way.
func (a *Audit) credit(s *Shard, at Position, r *Record) {
	a.move(r.Amount, 1)
	a.checkReceived(s, at, r, r.Account)
	if r.NumVotes() > 0 {
		a.certificate(s, at, r)
		if from := committee.ShardOf(r.Order.Sender(), a.numShards); from != r.From {
			a.find(at, s.shard, "a credit of shard %d was paid by an account of shard %d", r.From, from)
		}
	}
	if a.shards[r.From] == nil {
		if r.At != 0 {
			a.find(at, s.shard, "the certificate of a credit of shard %d is not in this journal", r.From)
		}
		return
	}
	p := pair{r.From, s.shard}
	list := a.underway[p]
	if len(list) == 0 {
		if a.shards[r.From].Issued(s.shard) < r.Number {
			a.find(at, s.shard, "credit %d of shard %d was never issued", r.Number, r.From)
		}
		return // it was issued before the snapshot
	}
	d := list[0]
	if r.Number < d.number {
		return // the same
	}
	a.underway[p] = list[1:]
	if d.number != r.Number || d.amount != r.Amount || d.account != *r.Account || r.At != 0 && r.At != d.at {
		a.find(at, s.shard, "credit %d of shard %d pays %d to %s by the certificate at %v, but %d pays %d to %s at %v was issued",
			r.Number, r.From, r.Amount, codec.FormatAddress(r.Account), r.At, d.number, d.amount, codec.FormatAddress(&d.account), d.at)
	}
}

// checkReceived compares the links of the record of a credit with the log of the account.
func (a *Audit) checkReceived(s *Shard, at Position, r *Record, account *codec.Address) {
	c := s.table.find(account)
	if c != nil && c.receivedChain != r.received || c == nil && r.received != (chain{}) {
		a.find(at, s.shard, "a credit of %s does not lead to the credits before it", codec.FormatAddress(account))
	}
}

// certificate checks the voters of a record's certificate, that our own vote among them contradicts none that we gave, and
// collects all signatures.
func (a *Audit) certificate(s *Shard, at Position, r *Record) {
	start := len(a.arena)
	raw, err := r.AppendCertificate(a.arena, a.committee)
	if err != nil {
		a.find(at, s.shard, "%v", err)
		return
	}
	a.arena = raw
	c, err := codec.ParseCertificate(raw[start:len(raw):len(raw)])
	if err != nil {
		a.find(at, s.shard, "%v", err)
		return
	}
	if err := a.committee.CheckShape(c); err != nil {
		a.find(at, s.shard, "%v", err)
	}
	signed := a.checkOrder(s, at, c.Order())
	for i := range c.NumVotes() {
		_, sig := c.Vote(i)
		member, _ := r.Vote(i)
		if p := s.pendingOf(c.Order().Sender()); member == a.self && p != nil && r.Kind == RecordSettlement &&
			!bytes.Equal(p.transferBytes(), c.Order().TransferBytes()) {
			a.find(at, s.shard, "two votes of this authority for payment %d of %s", c.Order().SequenceNumber(),
				codec.FormatAddress(c.Order().Sender()))
		}
		a.checks = append(a.checks, auditCheck{a.verifier.AddVote(member, signed, sig), at, s.shard, member})
	}
}

// checkOrder collects the sender's signature, unless the same order is pending, and returns the signed bytes.
func (a *Audit) checkOrder(s *Shard, at Position, o codec.Order) (signed []byte) {
	start := len(a.arena)
	a.arena = o.AppendSignedBytes(a.arena)
	signed = a.arena[start:len(a.arena):len(a.arena)]
	if s.KnownOrder(o) {
		return signed
	}
	start = len(a.arena)
	a.arena = append(a.arena, o.Bytes()...)
	o, _, _ = codec.TakeOrder(a.arena[start:len(a.arena):len(a.arena)])
	a.checks = append(a.checks, auditCheck{a.verifier.AddOrder(o.Sender(), signed, o.Signature()), at, s.shard, -1})
	return signed
}

// verify checks the signatures collected so far.
func (a *Audit) verify() {
	a.report.Signatures += uint64(a.verifier.Len())
	if !a.verifier.Verify() {
		for _, c := range a.checks {
			if a.verifier.Valid(c.index) {
				continue
			}
			if c.voter < 0 {
				a.find(c.at, c.shard, "the payer's signature does not verify")
			} else {
				a.find(c.at, c.shard, "the vote of %s does not verify", codec.FormatAddress(&a.committee.Member(c.voter).Name))
			}
		}
	}
	a.verifier.Reset()
	a.checks, a.arena = a.checks[:0], a.arena[:0]
}
