package bench

import "fastpay/codec"

// asides are a committee's connections for info requests, one to each shard of each authority, beside those of the
// payments: an answer may have to be read back from a journal, and all later answers of its connection wait for it.
type asides struct {
	seats     []*seat    // member*shards+shard; their numbers in the poller follow those of the payers' seats
	questions *questions // of payees; nil when the load has none
	credits   *credits   // nil when no payment leaves its shard
}

// asideConns is how many connections a shard of an authority then has.
const asideConns = 2

// maxAsideOwed is how many answers a connection may owe; beyond it nothing more is asked there.
const maxAsideOwed = 4096

// newAsides connects what the run needs. ok is false when an authority does not accept that has no fault.
func (d *payers) newAsides(o *Options, bases []int) (ok bool) {
	a := &asides{}
	if o.Info > 0 {
		a.questions = newQuestions(o.Info/100, d.made.accounts)
		room(&d.meter.infos)
	}
	if d.shards > 1 {
		a.credits = newCredits(d.members)
		room(&d.meter.credited, &d.meter.creditedAll, &d.meter.creditLag)
	}
	if a.questions == nil && a.credits == nil {
		return true
	}
	d.asides = a
	for member, base := range bases {
		for shard := range d.shards {
			s := newSeat(member, shard, len(d.seats)+len(a.seats), o.Host, base)
			s.in = make([]byte, max(seatBuffer, o.MaxMessage+header)) // certificates may come
			a.seats = append(a.seats, s)
			if !s.connect(&d.poller, 0, o.SendTimeout) && d.faulty&bit(member) == 0 {
				return false
			}
		}
	}
	return true
}

// ask appends a question to a shard of an authority, unless that is down or owes too much.
func (a *asides) ask(d *payers, member, shard int, r request, q *codec.InfoRequest) bool {
	s := a.seats[member*d.shards+shard]
	if s.fd < 0 || s.owed() >= maxAsideOwed {
		return false
	}
	s.out = appendInfoRequest(s.out, q)
	s.ask(r)
	return true
}

// receive takes the answers that a connection has.
func (a *asides) receive(d *payers, s *seat) {
	n, ok := s.receive(func(r request, message []byte) { a.reply(d, s, r, message) })
	d.meter.transferred(n)
	if !ok {
		a.drop(d, s)
	}
}

func (a *asides) reply(d *payers, s *seat, r request, message []byte) {
	if !d.message.Decode(message) {
		d.refused(s, r, message)
		return
	}
	switch r.kind {
	case askInfo:
		a.questions.reply(d, s, r, message)
	case askBalance:
		a.credits.balance(d, s, r)
	case askReceived:
		a.credits.received(d, s, r)
	}
}

func (a *asides) drop(d *payers, s *seat) {
	if s.fd < 0 {
		return
	}
	s.drop(d.now_)
	if a.credits != nil {
		a.credits.forget(s.member, s.shard)
	}
}

// step asks what is due, and connects again what broke off.
func (a *asides) step(d *payers) {
	if a.questions != nil {
		a.questions.ask(d)
	}
	for _, s := range a.seats {
		if s.fd < 0 && d.now_ >= s.retryAt && s.connect(&d.poller, d.now_, d.timeout) && a.credits != nil {
			a.credits.resume(d, s.member, s.shard)
		}
		if s.fd < 0 || s.written == len(s.out) {
			continue
		}
		n, ok := s.flush(&d.poller)
		d.meter.transferred(n)
		if !ok {
			a.drop(d, s)
		}
	}
}

// expire gives up what was not answered in time.
func (a *asides) expire(d *payers) {
	if a.questions != nil {
		a.questions.expire(d)
	}
	if a.credits != nil {
		a.credits.expire(d)
	}
}

// waiting is how many questions are not answered.
func (a *asides) waiting() int {
	if a == nil || a.questions == nil {
		return 0
	}
	return a.questions.open
}
