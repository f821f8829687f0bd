package client

import (
	"bytes"
	"cmp"
	"slices"

	"fastpay/codec"
)

// fetch is the search for one certificate that someone lacks. Each authority is asked once at most. So many are asked at
// a time that an honest one is among them (weight of validity); when one fails, the next is asked. So the silent ones
// delay nothing, and a certificate that a quorum has settled is found.
type fetch struct {
	want        payment
	asked       []bool
	openWeight  uint64
	lostWeight  uint64
	waiting     []int // seats
	finished    bool
	certificate codec.Certificate
	message     []byte // with it, once it was sent to somebody
	err         error  // the last one, when nobody has it
}

// prefetch is how many certificates of a run are fetched ahead of the one that is needed: enough to hide the round trips.
const prefetch = 16

// remember makes a certificate available to all seats.
func (d *Driver) remember(c codec.Certificate) {
	d.enter(paymentOf(c.Order()), &fetch{finished: true, certificate: c})
}

func (d *Driver) enter(p payment, f *fetch) {
	if d.fetches == nil {
		d.fetches = make(map[payment]*fetch)
	}
	d.fetches[p] = f
}

// obtain gives the message with the certificate that a delivery needs now, nil if it is yet to be fetched.
func (d *Driver) obtain(s *seat, at *delivery) ([]byte, error) {
	for i := uint64(0); i < prefetch && i <= at.last-at.number; i++ {
		d.fetchFor(payment{at.payer, at.number + i}, s)
	}
	f := d.fetches[payment{at.payer, at.number}]
	if !f.finished {
		f.waiting = append(f.waiting, s.index)
		return nil, nil
	}
	if f.message == nil && f.err == nil {
		f.message = codec.AppendCertificate(make([]byte, 0, 4+len(f.certificate.Bytes())), f.certificate)
	}
	return f.message, f.err
}

// fetchFor starts a fetch for a seat that lacks the certificate itself.
func (d *Driver) fetchFor(p payment, lacking *seat) {
	if d.fetches[p] != nil {
		return
	}
	if c, ok := d.atHand(p); ok {
		d.remember(c)
		return
	}
	d.startFetch(p, lacking.index, -1)
}

// atHand is a certificate that nobody has to be asked for.
func (d *Driver) atHand(p payment) (c codec.Certificate, ok bool) {
	if c, ok = d.known(&p.sender, p.number); ok {
		return c, true
	}
	i, ok := slices.BinarySearchFunc(d.credits, p, func(c codec.Certificate, p payment) int {
		if d := bytes.Compare(c.Order().Sender()[:], p.sender[:]); d != 0 {
			return d
		}
		return cmp.Compare(c.Order().SequenceNumber(), p.number)
	})
	if ok {
		c = d.credits[i]
	}
	return c, ok
}

// fetch starts a fetch, if there is none yet. has, if not nil, is a seat that claims to have it; it waits for the outcome.
func (d *Driver) fetch(p payment, has *seat) {
	f := d.fetches[p]
	if f == nil {
		first := -1
		if has != nil {
			first = has.index
		}
		f = d.startFetch(p, -1, first)
	}
	if has != nil && !f.finished {
		f.waiting = append(f.waiting, has.index)
	}
}

func (d *Driver) startFetch(p payment, without, first int) *fetch {
	f := &fetch{want: p, asked: make([]bool, len(d.seats))}
	d.enter(p, f)
	if without >= 0 {
		f.asked[without] = true
		f.lostWeight += d.weight(without)
		f.err = &codec.Error{Code: codec.CertificateNotfound}
	}
	if first >= 0 {
		d.askFor(f, first)
	}
	d.askMore(f)
	return f
}

func (d *Driver) askFor(f *fetch, authority int) {
	f.asked[authority] = true
	f.openWeight += d.weight(authority)
	q := codec.InfoRequest{Account: f.want.sender, HasSequence: true, Sequence: f.want.number}
	d.send(authority, &f.want.sender, codec.AppendInfoRequest(make([]byte, 0, questionSize), &q), 0, f)
}

// askMore keeps an honest authority among those asked. The search ends without success when nobody is left, or when a
// quorum does not have it and the rest is silent: what a quorum has settled, no quorum lacks.
func (d *Driver) askMore(f *fetch) {
	for i := range f.asked {
		if f.openWeight >= d.committee.Validity() {
			return
		}
		if !f.asked[i] {
			d.askFor(f, i)
		}
	}
	if f.openWeight == 0 || f.lostWeight >= d.committee.Quorum() && !slices.Contains(f.asked, false) {
		d.finish(f)
	}
}

// fetched takes an answer to a fetch.
func (d *Driver) fetched(f *fetch, authority int, r *codec.InfoResponse) {
	c := r.Certificate
	if r.Account != f.want.sender || c.IsZero() || paymentOf(c.Order()) != f.want ||
		d.committee.CheckCertificate(c) != nil && !sabotaged("client: fetched certificates are not verified") {
		d.fetchFailed(f, authority, &codec.Error{Code: codec.ErrorWhileRequestingCertificate})
		return
	}
	if !f.finished {
		f.certificate, f.err = copyCertificate(c), nil
		d.finish(f)
	}
}

func (d *Driver) fetchFailed(f *fetch, authority int, err error) {
	if f.finished {
		return
	}
	f.err = err
	f.openWeight -= d.weight(authority)
	f.lostWeight += d.weight(authority)
	d.askMore(f)
}

// finish wakes the seats that wait.
func (d *Driver) finish(f *fetch) {
	f.finished = true
	waiting := f.waiting
	f.waiting = nil
	for _, i := range waiting {
		d.resume(&d.seats[i])
	}
}

// resume goes on at a seat whose certificate was fetched, or is not to be had.
func (d *Driver) resume(s *seat) {
	switch {
	case s.step == stepUsed:
		// With the certificate the task is done; without it the authority did not tell the truth.
		if f := d.fetches[paymentOf(d.order)]; f.err != nil {
			d.lose(s, &codec.Error{Code: codec.UnexpectedSequenceNumber})
		}
	case s.step == stepDeliver && s.waiting:
		s.waiting = false
		d.deliver(s)
	}
}

// copyCertificate takes a certificate out of the answer that holds it, which may be much larger.
func copyCertificate(c codec.Certificate) codec.Certificate {
	own, err := codec.ParseCertificate(bytes.Clone(c.Bytes()))
	if err != nil {
		panic("client: a decoded certificate does not decode") // the format is canonical
	}
	return own
}
