package client

import (
	"fmt"
	"time"

	"fastpay/codec"
	"fastpay/node/committee"
)

// Driver carries one task out at all authorities at once: collect votes, settle a certificate, ask for an account's
// state, fetch certificates, or collect what was received. It is a state machine: Reply and Fail put in what happened,
// Requests takes out what is to be sent. It has no clock, socket, goroutine or randomness, and the same calls in the same
// order give the same requests, byte for byte. One goroutine owns it.
//
// Whoever runs it must, for every request taken, call Reply or Fail once, in any order and at any time; answers that come
// after Idle may be dropped. A silent authority costs nothing but its own place: Done is true as soon as a quorum of
// weight answered well, or can't any more.
//
// Authorities are not trusted: votes and certificates count when they verify, and everything else only as far as weight
// stands behind it. What one authority says wrongly spoils its own place alone.
type Driver struct {
	committee *committee.Committee
	goal      goal
	account   codec.Address // whose order, state or certificates the task is about
	order     codec.Order   // goalCertify; in goalSettle that of the certificate
	signed    []byte        // the signed bytes of order
	funding   []payment     // goalCertify: the last payment received from each payer, see topUp
	known     Lookup
	credits   []codec.Certificate // goalCertify: of payments received, ordered by payer and number

	question []byte // the message that asks for the account's state, once there is one
	proposal []byte // the message with the order, once there is one
	requests []Request
	sent     []purpose // of the requests so far, by ID - 1
	seats    []seat
	fetches  map[payment]*fetch
	wanted   []payment // goalFetch, in order

	votes      []codec.VoteEntry
	voteWeight uint64
	doneWeight uint64
	lostWeight uint64

	done        bool
	err         error
	certificate codec.Certificate
	received    map[payment]codec.Certificate
	conflicts   []Conflict
}

// Request is a message that the Driver wants sent to one authority.
type Request struct {
	ID        int           // names it in Reply and Fail
	Authority int           // index in the committee
	Account   codec.Address // decides the shard
	Message   []byte        // encoded, without frame header; not to be changed
	Delay     time.Duration // wait as long before sending it
}

// Lookup finds a certificate that is at hand, by sender and sequence number.
type Lookup func(sender *codec.Address, number uint64) (codec.Certificate, bool)

// Conflict is another order of the payer, with a good signature, that authorities have pending under the same number.
type Conflict struct {
	Order  codec.Order
	Weight uint64 // of the authorities that showed it
}

type goal int

const (
	goalCertify goal = iota
	goalSettle
	goalSurvey
	goalFetch
	goalReceive
)

// payment names a payment: no two of them share a payer and a number.
type payment struct {
	sender codec.Address
	number uint64
}

// purpose is what a request is for: the seat's own program, or a fetch at that authority.
type purpose struct {
	authority int
	fetch     *fetch
	answered  bool
}

func newDriver(c *committee.Committee, g goal, account codec.Address, known Lookup) *Driver {
	d := &Driver{
		committee: c,
		goal:      g,
		account:   account,
		known:     known,
		seats:     make([]seat, c.Len()),
		sent:      make([]purpose, 0, 2*c.Len()),
		requests:  make([]Request, 0, c.Len()),
	}
	if known == nil {
		d.known = func(*codec.Address, uint64) (codec.Certificate, bool) { return codec.Certificate{}, false }
	}
	for i := range d.seats {
		d.seats[i].index = i
	}
	return d
}

// NewCertify makes the driver that turns a signed order into a certificate. An authority that lags is brought up to date
// first: with the payer's earlier certificates, and when it does not know of the money, with the payments in received.
// The certificate may turn out to be of another order, when the number has been used; compare the transfers. What
// authorities said in survey, if not nil, they are not asked again.
func NewCertify(c *committee.Committee, order codec.Order, received []codec.Certificate, known Lookup,
	survey *Driver) *Driver {
	d := newDriver(c, goalCertify, *order.Sender(), known)
	d.order = order
	d.signed = order.AppendSignedBytes(nil)
	for _, r := range received { // ordered by payer and number: keep each payer's last
		p := paymentOf(r.Order())
		if n := len(d.funding); n > 0 && d.funding[n-1].sender == p.sender {
			d.funding[n-1] = p
		} else {
			d.funding = append(d.funding, p)
		}
	}
	d.credits = received
	for i := range d.seats {
		if survey != nil && survey.seats[i].step == stepDone {
			d.told(&d.seats[i], &survey.seats[i].state)
		} else {
			d.ask(&d.seats[i])
		}
	}
	d.decide()
	return d
}

// NewSettle makes the driver that settles a certificate, which must be good. It is done when a quorum has settled it, and
// goes on until all have: run it to Idle, so that no authority is left behind. One that lags is brought up to date first.
func NewSettle(c *committee.Committee, certificate codec.Certificate, known Lookup) *Driver {
	return newSettle(c, certificate, known, make([]bool, c.Len()))
}

// newSettle leaves out the authorities that have it already.
func newSettle(c *committee.Committee, certificate codec.Certificate, known Lookup, has []bool) *Driver {
	d := newDriver(c, goalSettle, *certificate.Order().Sender(), known)
	d.order = certificate.Order()
	d.certificate = certificate
	d.remember(certificate)
	p := paymentOf(d.order)
	for i := range d.seats {
		s := &d.seats[i]
		if has[i] {
			d.win(s)
			continue
		}
		s.deliveries = []delivery{{payer: p.sender, number: p.number, last: p.number}}
		d.deliver(s)
	}
	d.decide()
	return d
}

// NewSurvey makes the driver that asks all for the state of an account. One that does not know the account has answered
// well: its state is zero.
func NewSurvey(c *committee.Committee, account *codec.Address) *Driver {
	d := newDriver(c, goalSurvey, *account, nil)
	for i := range d.seats {
		d.ask(&d.seats[i])
	}
	return d
}

// NewFetch makes the driver that fetches and checks the certificates from..to (not included) that account sent.
func NewFetch(c *committee.Committee, account *codec.Address, from, to uint64) *Driver {
	d := newDriver(c, goalFetch, *account, nil)
	for n := from; n < to; n++ {
		d.wanted = append(d.wanted, payment{*account, n})
	}
	for _, p := range d.wanted {
		d.fetch(p, nil)
	}
	d.decide()
	return d
}

// NewReceive makes the driver that collects the certificates of payments to account, from all authorities, checked.
// Those for which counted is true are left out. The authorities' logs differ in order, so they are read whole.
func NewReceive(c *committee.Committee, account *codec.Address, counted func(codec.Certificate) bool) *Driver {
	d := newDriver(c, goalReceive, *account, nil)
	d.received = make(map[payment]codec.Certificate)
	for i := range d.seats {
		d.seats[i].counted = counted
		d.page(&d.seats[i])
	}
	return d
}

// Requests takes the requests that are to be sent now.
func (d *Driver) Requests() []Request {
	r := d.requests
	d.requests = nil
	return r
}

// Reply puts in an authority's answer, a message without frame header, whose memory the Driver keeps.
func (d *Driver) Reply(id int, reply []byte) {
	from, ok := d.take(id)
	if !ok {
		return
	}
	var m codec.Message
	var err error
	switch {
	case !m.Decode(reply):
		err = &codec.Error{Code: codec.InvalidDecoding}
	case m.Kind == codec.KindError:
		err = m.Error()
	case m.Kind != codec.KindInfoResponse:
		err = &codec.Error{Code: codec.UnexpectedMessage}
	}
	switch {
	case from.fetch != nil && err != nil:
		d.fetchFailed(from.fetch, from.authority, err)
	case from.fetch != nil:
		d.fetched(from.fetch, from.authority, m.InfoResponse())
	case err != nil:
		d.refused(&d.seats[from.authority], err)
	default:
		d.answered(&d.seats[from.authority], m.InfoResponse())
	}
	d.decide()
}

// Fail puts in that a request got no answer: a time-out, a closed connection.
func (d *Driver) Fail(id int, err error) {
	from, ok := d.take(id)
	if !ok {
		return
	}
	if from.fetch != nil {
		d.fetchFailed(from.fetch, from.authority, err)
	} else {
		d.lose(&d.seats[from.authority], err)
	}
	d.decide()
}

func (d *Driver) take(id int) (purpose, bool) {
	if id < 1 || id > len(d.sent) {
		return purpose{}, false
	}
	p := d.sent[id-1]
	if !sabotaged("client: replies count instead of authorities") {
		d.sent[id-1].answered = true
	}
	return p, !p.answered && !d.Idle()
}

// Done reports whether the outcome is known: Err, and if that is nil, the result.
func (d *Driver) Done() bool { return d.done }

// Idle reports whether there is nothing left to do: Done, and for a settlement, every authority has it or can't be had.
func (d *Driver) Idle() bool {
	if !d.done || d.goal != goalSettle || d.err != nil || sabotaged("client: a settlement ends with the quorum") {
		return d.done
	}
	return d.doneWeight+d.lostWeight == d.committee.TotalWeight()
}

// Err is why the task failed, once Done: a *QuorumError, or what kept a certificate from being fetched.
func (d *Driver) Err() error { return d.err }

// Certificate is the result of NewCertify and NewSettle, and once Done without an error of the first of NewFetch.
func (d *Driver) Certificate() codec.Certificate { return d.certificate }

// Conflicts are the other orders that NewCertify met, and those that NewSurvey saw pending, heaviest first.
func (d *Driver) Conflicts() []Conflict { return d.conflicts }

func (d *Driver) send(authority int, account *codec.Address, message []byte, delay time.Duration, f *fetch) {
	d.sent = append(d.sent, purpose{authority: authority, fetch: f})
	d.requests = append(d.requests, Request{len(d.sent), authority, *account, message, delay})
}

func (d *Driver) weight(authority int) uint64 { return d.committee.Member(authority).Weight }

// decide notes the outcome as soon as there is one. Once noted it stays.
func (d *Driver) decide() {
	if d.done {
		return
	}
	switch d.goal {
	case goalCertify:
		if d.voteWeight >= d.committee.Quorum() || sabotaged("client: a quorum less one is enough") &&
			d.voteWeight+1 == d.committee.Quorum() {
			d.certificate = codec.NewCertificate(d.order, d.votes)
			d.done = true
		} else if f := d.fetches[paymentOf(d.order)]; f != nil && f.finished && f.err == nil {
			d.certificate = f.certificate
			d.done = true
		}
	case goalFetch:
		d.decideFetch()
		return
	default:
		d.done = d.doneWeight >= d.committee.Quorum()
	}
	if !d.done && d.lostWeight > d.committee.TotalWeight()-d.committee.Quorum() {
		d.done, d.err = true, d.quorumError()
	}
	if d.Idle() {
		d.requests = nil
	}
}

func (d *Driver) decideFetch() {
	for _, p := range d.wanted {
		switch f := d.fetches[p]; {
		case !f.finished:
			return
		case f.err != nil:
			d.done, d.err = true, fmt.Errorf("client: certificate %d of %s: %w", p.number, codec.FormatAddress(&p.sender), f.err)
			return
		}
	}
	d.done = true
	if len(d.wanted) > 0 {
		d.certificate = d.fetches[d.wanted[0]].certificate
	}
}

func paymentOf(o codec.Order) payment { return payment{*o.Sender(), o.SequenceNumber()} }
