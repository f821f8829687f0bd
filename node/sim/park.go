package sim

import (
	"slices"

	"fastpay/node/authority"
	"fastpay/node/link"
)

// A parkedEvent waits until group of the journal is durable.
type parkedEvent struct {
	group uint64
	event event
	delay uint64
	fetch authority.Fetch // of a reply: what is to be read from the log yet
	wire  *wire           // of what a link is to be told: the credit ref, or ack
	ack   link.Acknowledgement
}

// park has an event leave once group is durable.
func (p *process) park(group uint64, e event, delay uint64) {
	p.parkReply(group, e, delay, authority.Fetch{})
}

// parkReply does so with a reply that still lacks certificates.
func (p *process) parkReply(group uint64, e event, delay uint64, fetch authority.Fetch) {
	p.parkAny(&parkedEvent{group: group, event: e, delay: delay, fetch: fetch})
}

func (p *process) parkAny(l *parkedEvent) {
	if p.disk != nil && l.group > p.disk.journal.Durable() && !sabotaged("sim: a reply leaves before its record is durable") {
		p.parked = append(p.parked, *l)
		return
	}
	p.leave(l)
}

// release lets go what waited.
func (p *process) release() {
	durable, n := p.disk.journal.Durable(), 0
	for n < len(p.parked) && p.parked[n].group <= durable {
		n++
	}
	leaving := append(p.leaving[:0], p.parked[:n]...) // what leaves may have more parked
	p.parked = slices.Delete(p.parked, 0, n)
	for i := range leaving {
		p.leave(&leaving[i])
	}
	clear(leaving)
	p.leaving = leaving
}

// leave is the moment at which something becomes known outside.
func (p *process) leave(l *parkedEvent) {
	e := l.event
	if l.fetch.Wanted() {
		reply, _, err := p.reader.Finish(append(p.w.replies.begin(), e.data...), &l.fetch)
		if err != nil {
			p.damaged(err)
			return
		}
		e.data = p.w.replies.keep(reply)
	}
	if p.books != nil && e.kind == eventReply {
		p.books.shown(e.data)
	}
	if p.books != nil && e.kind == eventAck {
		p.books.acknowledgedCredit(e.data)
	}
	if e.kind == eventCredit {
		p.w.count.creditsOut++
	}
	switch {
	case l.wire == nil:
		p.w.transmit(e, l.delay)
	case e.kind == eventAck:
		l.wire.durable(l.ack)
	default:
		l.wire.issued(e.ref)
	}
}
