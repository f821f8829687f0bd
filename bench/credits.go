package bench

import (
	"time"

	"fastpay/codec"
	"fastpay/node/committee"
)

// credits watches when recipients get their money. The reply to a certificate tells that the payer was debited; a
// recipient in another shard is credited later, and nobody is told. So for one of watchOneOf payments across shards each
// authority is asked, from its reply to the certificate on, which payments the recipient has received, until that one is
// among them. The others are not asked about: the questions are load too.
type credits struct {
	watched []watched
	free    []int32
	slotOf  map[int]int32 // by number of the payment
	least   uint64        // hashes below it are watched
}

// watched is one payment whose credit is looked for. Sets of members are bits.
type watched struct {
	number int // -1 when the slot is free
	payer  codec.Address
	payee  codec.Address
	shard  int // of the payee
	due    time.Duration
	began  time.Duration

	// Cursor is known; payer was debited; question under way; credit is there; can't be told any more.
	known, debited, asked, seen, gone uint64

	cursor    []uint64        // by member: how many of the payee's received payments were looked through
	debitedAt []time.Duration // by member
}

const (
	// watchOneOf payments across shards is watched: the questions are below one percent of the requests, and a window of ten
	// seconds has enough for a p99.
	watchOneOf = 256
	maxWatched = 1024
	// creditMargin is how many payments are looked through that the payee had received when the payment began: the answer
	// that tells how many may come after the credit.
	creditMargin = 8
)

func newCredits(members int) *credits {
	c := &credits{watched: make([]watched, maxWatched), slotOf: make(map[int]int32), least: (1 << 32) / watchOneOf}
	for i := range c.watched {
		c.watched[i] = watched{number: -1, cursor: make([]uint64, members), debitedAt: make([]time.Duration, members)}
		c.free = append(c.free, int32(maxWatched-1-i))
	}
	return c
}

// begin watches a payment that begins, if it is one of those. Authorities are asked what its recipient has.
func (c *credits) begin(d *payers, p *payment) {
	hash := uint64(p.number) * 0x9e3779b97f4a7c15 >> 32
	if hash >= c.least || p.rival != nil || len(c.free) == 0 || p.order.RecipientKind() != codec.FastPay {
		return
	}
	payee := *p.order.Recipient()
	shard := int(committee.ShardOf(&payee, d.shards))
	if shard == int(d.shardOf[p.number%d.made.payers]) {
		return
	}
	slot := c.free[len(c.free)-1]
	c.free = c.free[:len(c.free)-1]
	c.slotOf[p.number] = slot
	w := &c.watched[slot]
	*w = watched{number: p.number, payer: *p.order.Sender(), payee: payee, shard: shard, due: p.due, began: p.began,
		cursor: w.cursor, debitedAt: w.debitedAt}
	for member := range d.members {
		c.next(d, slot, member)
	}
}

// next asks a member what is to be known next about a payment.
func (c *credits) next(d *payers, slot int32, member int) {
	w, b := &c.watched[slot], bit(member)
	q := codec.InfoRequest{Account: w.payee}
	kind := askBalance
	switch {
	case (w.asked|w.seen|w.gone)&b != 0:
		return
	case w.known&b != 0 && w.debited&b == 0: // its turn comes with the debit
		return
	case w.known&b != 0:
		kind, q.HasReceived, q.ReceivedAfter = askReceived, true, w.cursor[member]
	}
	if d.asides.ask(d, member, w.shard, request{kind, slot, w.number}, &q) {
		w.asked |= b
	}
}

// debit is called when a member has settled a payment.
func (c *credits) debit(d *payers, number, member int) {
	slot, is := c.slotOf[number]
	if !is {
		return
	}
	w := &c.watched[slot]
	if w.debited&bit(member) == 0 {
		w.debited |= bit(member)
		w.debitedAt[member] = d.now_
	}
	c.next(d, slot, member)
}

// answered finds what an answer is about, nil when it is over.
func (c *credits) answered(s *seat, r request) *watched {
	w := &c.watched[r.slot]
	if w.number != r.number {
		return nil
	}
	w.asked &^= bit(s.member)
	return w
}

// balance takes a recipient's balance and number, from which follows how many payments of paymentAmount it has received.
func (c *credits) balance(d *payers, s *seat, r request) {
	w := c.answered(s, r)
	if w == nil || !d.aboutPayee(w) {
		return
	}
	info := d.message.InfoResponse()
	have, fits := info.Balance.Add(codec.NewBalance(info.NextSequenceNumber * paymentAmount))
	if fits {
		have, fits = have.Sub(codec.NewBalance(initialBalance))
	}
	total, is := have.Amount()
	if !fits || !is { // of an authority that makes answers up
		w.gone |= bit(s.member)
		return
	}
	w.cursor[s.member] = max(total/paymentAmount, creditMargin) - creditMargin
	w.known |= bit(s.member)
	c.next(d, r.slot, s.member)
}

func (d *payers) aboutPayee(w *watched) bool {
	return d.message.Kind == codec.KindInfoResponse && d.message.InfoResponse().Account == w.payee
}

// received looks for the payment among those that the recipient has received.
func (c *credits) received(d *payers, s *seat, r request) {
	w := c.answered(s, r)
	if w == nil {
		return
	}
	b := bit(s.member)
	if !d.aboutPayee(w) { // the log of certificates no longer goes back so far
		w.gone |= b
		c.end(d, r.slot)
		return
	}
	list := d.message.InfoResponse().Received
	w.cursor[s.member] += uint64(list.Len())
	for list.Len() > 0 {
		var certificate codec.Certificate
		certificate, list = list.Next()
		o := certificate.Order()
		if o.SequenceNumber() == uint64(w.number/d.made.payers) && *o.Sender() == w.payer {
			w.seen |= b
			d.meter.credit(d.now_-w.debitedAt[s.member], d.now_-w.due, count(w.seen) == d.quorum, count(w.seen) == d.members)
			c.end(d, r.slot)
			return
		}
	}
	c.next(d, r.slot, s.member)
}

// end frees the slot of a payment that no member can tell anything more about.
func (c *credits) end(d *payers, slot int32) {
	if w := &c.watched[slot]; count(w.seen|w.gone) == d.members {
		c.release(d, slot)
	}
}

func (c *credits) release(d *payers, slot int32) {
	w := &c.watched[slot]
	if count(w.seen) < d.quorum {
		d.meter.unseen++
	}
	delete(c.slotOf, w.number)
	w.number = -1
	c.free = append(c.free, slot)
}

// expire gives up the payments that were not seen to arrive everywhere.
func (c *credits) expire(d *payers) {
	for i := range c.watched {
		if w := &c.watched[i]; w.number >= 0 && d.now_-w.began >= d.timeout {
			c.release(d, int32(i))
		}
	}
}

// forget is called when a connection broke: what was asked there is not answered any more.
func (c *credits) forget(member, shard int) {
	for i := range c.watched {
		if w := &c.watched[i]; w.number >= 0 && w.shard == shard {
			w.asked &^= bit(member)
		}
	}
}

// resume asks again where a connection is back.
func (c *credits) resume(d *payers, member, shard int) {
	for i := range c.watched {
		if w := &c.watched[i]; w.number >= 0 && w.shard == shard {
			c.next(d, int32(i), member)
		}
	}
}
