package client

import (
	"errors"
	"time"

	"fastpay/codec"
)

// seat is the Driver's state for one authority. It has one request of its own under way at a time; fetches of
// certificates that others lack come beside it.
type seat struct {
	index int
	step  step
	err   error // stepLost

	deliveries []delivery // to be settled here before anything else; the first is under way
	waiting    bool       // for a certificate that is being fetched
	asked      int        // times that the state was asked for
	toppedUp   bool
	retries    int
	state      codec.InfoResponse // goalSurvey: what it said
	cursor     uint64             // goalReceive: certificates read
	pageSeen   map[payment]bool   // goalReceive: those certificates
	counted    func(codec.Certificate) bool
}

type step int

const (
	stepAsk     step = iota // its answer to an info request is awaited
	stepDeliver             // its answer to a certificate, or a certificate that it lacks
	stepOrder               // its vote
	stepUsed                // it has settled another payment of this number, whose certificate is being fetched
	stepPage                // a page of its received log
	stepDone
	stepLost
)

// delivery is a run of one payer's certificates that an authority lacks: number is the one to send next, last the last.
type delivery struct {
	payer        codec.Address
	number, last uint64
	rewound      bool
}

// An authority that has just been given the certificate of a payment may credit it a moment later, when payer and payee
// live in different shards. So an order that it has no funds for is tried again: 5 times within 310 ms.
const (
	orderRetries    = 5
	orderRetryDelay = 10 * time.Millisecond // doubles
)

// maxAsks bounds how often an authority is asked for its state before it is taken for confused: once at the start, and
// once when it refuses the order's number nevertheless (another client of the same owner may have been at work).
const maxAsks = 2

// errAnswer is an answer that does not fit the request.
var errAnswer = errors.New("the answer does not fit the request")

// questionSize has room for any info request.
const questionSize = 4 + 32 + 2*9

func (d *Driver) ask(s *seat) {
	s.step = stepAsk
	s.asked++
	if d.question == nil {
		d.question = codec.AppendInfoRequest(make([]byte, 0, questionSize), &codec.InfoRequest{Account: d.account})
	}
	d.send(s.index, &d.account, d.question, 0, nil)
}

// answered takes an info response, the answer to everything that was accepted.
func (d *Driver) answered(s *seat, r *codec.InfoResponse) {
	subject := &d.account
	if s.step == stepDeliver {
		subject = &s.deliveries[0].payer
	}
	if r.Account != *subject {
		d.lose(s, errAnswer)
		return
	}
	if s.step == stepDone && d.goal == goalCertify && sabotaged("client: replies count instead of authorities") {
		s.step = stepOrder
	}
	switch s.step {
	case stepAsk:
		d.told(s, r)
	case stepDeliver:
		d.delivered(s, r.NextSequenceNumber)
	case stepOrder:
		d.voted(s, r.Pending)
	case stepPage:
		d.paged(s, r.Received)
	}
}

// refused takes an error answer.
func (d *Driver) refused(s *seat, err error) {
	var e *codec.Error
	if !errors.As(err, &e) {
		d.lose(s, err)
		return
	}
	switch {
	case s.step == stepAsk && e.Code == codec.UnknownSenderAccount:
		d.told(s, &codec.InfoResponse{Account: d.account})
	case s.step == stepPage && e.Code == codec.UnknownSenderAccount:
		d.win(s)
	case s.step == stepDeliver && e.Code == codec.MissingEalierConfirmations:
		d.rewind(s, e)
	case s.step == stepOrder && e.Code == codec.UnexpectedSequenceNumber && s.asked < maxAsks:
		d.ask(s)
	case s.step == stepOrder && (e.Code == codec.InsufficientFunding || e.Code == codec.UnknownSenderAccount):
		d.topUp(s, e)
	case s.step == stepOrder && e.Code == codec.PreviousTransferMustBeConfirmedFirst:
		d.conflict(s, e.Pending)
		d.lose(s, e)
	default:
		d.lose(s, e)
	}
}

// told takes the state of the account.
func (d *Driver) told(s *seat, r *codec.InfoResponse) {
	if d.goal == goalSurvey {
		s.state = codec.InfoResponse{Account: r.Account, Balance: r.Balance, NextSequenceNumber: r.NextSequenceNumber}
		if !r.Pending.IsZero() && r.Pending.Order().SequenceNumber() == r.NextSequenceNumber {
			d.conflict(s, r.Pending.Order())
		}
		d.win(s)
		return
	}
	switch number := d.order.SequenceNumber(); {
	case r.NextSequenceNumber > number:
		s.step = stepUsed
		if d.fetch(paymentOf(d.order), s); d.fetches[paymentOf(d.order)].finished {
			d.resume(s)
		}
	case r.NextSequenceNumber < number && sabotaged("client: an authority that lags is given up"):
		d.lose(s, errAnswer)
	case r.NextSequenceNumber < number:
		s.deliveries = []delivery{{payer: d.account, number: r.NextSequenceNumber, last: number - 1}}
		d.deliver(s)
	default:
		d.sendOrder(s, 0)
	}
}

// deliver sends the next certificate that the authority lacks, or waits for it to be fetched.
func (d *Driver) deliver(s *seat) {
	s.step = stepDeliver
	at := &s.deliveries[0]
	message, err := d.obtain(s, at)
	switch {
	case err != nil:
		d.lose(s, err)
	case message == nil:
		s.waiting = true
	default:
		d.send(s.index, &at.payer, message, 0, nil)
	}
}

// delivered goes on after a certificate was settled; next is the payer's next number there.
func (d *Driver) delivered(s *seat, next uint64) {
	at := &s.deliveries[0]
	if next <= at.number {
		d.lose(s, errAnswer)
		return
	}
	if next <= at.last {
		at.number = next
		d.deliver(s)
		return
	}
	if s.deliveries = s.deliveries[1:]; len(s.deliveries) > 0 {
		d.deliver(s)
		return
	}
	if d.goal == goalSettle {
		d.win(s)
		return
	}
	d.sendOrder(s, 0)
}

// rewind goes back to the first certificate that the authority lacks. From there on all are sent in order, so a second
// time would be a lie.
func (d *Driver) rewind(s *seat, e *codec.Error) {
	at := &s.deliveries[0]
	if at.rewound || e.Sequence >= at.number {
		d.lose(s, e)
		return
	}
	at.rewound = true
	at.number = e.Sequence
	d.deliver(s)
}

func (d *Driver) sendOrder(s *seat, delay time.Duration) {
	s.step = stepOrder
	if d.proposal == nil {
		d.proposal = codec.AppendOrder(make([]byte, 0, 4+len(d.order.Bytes())), d.order)
	}
	d.send(s.index, &d.account, d.proposal, delay, nil)
}

// topUp answers an authority that knows less money than the payer does: it gets the last payment of everyone who paid
// the payer, and with it, by rewinding, all before it.
func (d *Driver) topUp(s *seat, e *codec.Error) {
	if sabotaged("client: an authority that does not know of the money is given up") || len(d.funding) == 0 || s.retries >= orderRetries {
		d.lose(s, e)
		return
	}
	if !s.toppedUp {
		s.toppedUp = true
		for _, p := range d.funding {
			s.deliveries = append(s.deliveries, delivery{payer: p.sender, number: p.number, last: p.number})
		}
		d.deliver(s)
		return
	}
	d.sendOrder(s, orderRetryDelay<<s.retries)
	s.retries++
}

// voted takes a vote: this authority's, for this order, with a good signature. The order's own signature need not be
// the one that was sent, for votes are on transfers.
func (d *Driver) voted(s *seat, v codec.Vote) {
	name := &d.committee.Member(s.index).Name
	if v.IsZero() || *v.Authority() != *name || !sameTransfer(v.Order(), d.order) {
		d.lose(s, &codec.Error{Code: codec.ErrorWhileProcessingTransferOrder})
		return
	}
	if !d.committee.Verify(name, d.signed, v.Signature()) && !sabotaged("client: votes are not verified") {
		d.lose(s, &codec.Error{Code: codec.InvalidSignature, Text: "the authority's vote does not verify"})
		return
	}
	d.votes = append(d.votes, codec.VoteEntry{Authority: *name, Signature: *v.Signature()})
	weight := d.weight(s.index)
	if sabotaged("client: votes count the same, whatever their weight") {
		weight = 1 + (d.committee.TotalWeight()-1)/uint64(d.committee.Len())
	}
	d.voteWeight += weight
	d.win(s)
}

// conflict notes an order that the authority has pending, if it is the owner's: nobody else can make one.
func (d *Driver) conflict(s *seat, o codec.Order) {
	if *o.Sender() != d.account {
		return
	}
	if d.goal == goalCertify && (o.SequenceNumber() != d.order.SequenceNumber() || sameTransfer(o, d.order)) {
		return
	}
	i := 0
	for i < len(d.conflicts) && !sameTransfer(d.conflicts[i].Order, o) {
		i++
	}
	if i == len(d.conflicts) {
		if d.committee.CheckOrder(o) != nil {
			return
		}
		d.conflicts = append(d.conflicts, Conflict{Order: o})
	}
	d.conflicts[i].Weight += d.weight(s.index)
	for ; i > 0 && d.conflicts[i].Weight > d.conflicts[i-1].Weight; i-- {
		d.conflicts[i], d.conflicts[i-1] = d.conflicts[i-1], d.conflicts[i]
	}
}

func (d *Driver) page(s *seat) {
	s.step = stepPage
	q := codec.InfoRequest{Account: d.account, HasReceived: true, ReceivedAfter: s.cursor}
	d.send(s.index, &d.account, codec.AppendInfoRequest(make([]byte, 0, questionSize), &q), 0, nil)
}

// paged takes one page of a received log. A log that repeats itself, or holds what does not verify, has lost the rest of
// its credit; what did verify counts, whoever sent it.
func (d *Driver) paged(s *seat, list codec.CertificateList) {
	if list.Len() == 0 {
		d.win(s)
		return
	}
	if s.pageSeen == nil {
		s.pageSeen = make(map[payment]bool)
	}
	s.cursor += uint64(list.Len())
	for list.Len() > 0 {
		var c codec.Certificate
		c, list = list.Next()
		p := paymentOf(c.Order())
		if s.pageSeen[p] || c.Order().RecipientKind() != codec.FastPay || *c.Order().Recipient() != d.account {
			d.lose(s, errAnswer)
			return
		}
		s.pageSeen[p] = true
		if have, ok := d.received[p]; ok && sameTransfer(have.Order(), c.Order()) || s.counted(c) {
			continue
		}
		if err := d.committee.CheckCertificate(c); err != nil && !sabotaged("client: received certificates are not verified") {
			d.lose(s, err)
			return
		}
		d.received[p] = copyCertificate(c)
	}
	d.page(s)
}

func (d *Driver) win(s *seat) {
	s.step = stepDone
	d.doneWeight += d.weight(s.index)
}

func (d *Driver) lose(s *seat, err error) {
	s.step, s.err = stepLost, err
	d.lostWeight += d.weight(s.index)
}
