package sim

import (
	"errors"
	"fmt"

	"fastpay/codec"
	"fastpay/node/authority"
	"fastpay/node/link"
)

// Credits between the shards of an authority. Those of one process travel in its memory, which only a crash loses;
// those of shards in processes of their own go over links (wire.go). Either way a credit leaves only when the record of
// its debit is durable, and is kept, and sent again, until the receiver's record is.

// outbox is what a shard has sent to another one and not seen acknowledged, by number.
type outbox []credit

// A credit is on its way to another shard of the authority.
type credit struct {
	number uint64
	at     authority.Position // of its settlement
	data   []byte             // the CrossShard message
}

// box is the outbox of two of the process's shards.
func (p *process) box(from, to int) *outbox {
	if p.outboxes == nil {
		p.outboxes = make([]outbox, len(p.shards)*len(p.shards))
	}
	return &p.outboxes[from*len(p.shards)+to]
}

// sendCredit hands a settled certificate to the shard that must be credited. data is its Cert message.
func (p *process) sendCredit(from, to int, number uint64, at authority.Position, data []byte, group uint64) {
	c := p.queueCredit(from, to, number, at, data)
	if sabotaged("sim: a credit leaves before its debit is durable") {
		group = 0
	}
	if p.w.plan.Split {
		p.parkAny(&parkedEvent{group: group, event: event{kind: eventCredit, ref: number}, wire: p.wireTo(to)})
		return
	}
	p.park(group, p.creditEvent(from, to, c), 0)
	p.resendLater()
}

func (p *process) wireTo(shard int) *wire {
	for _, wr := range p.wiresOut {
		if wr.pair.To == shard {
			return wr
		}
	}
	return nil
}

func (p *process) creditEvent(from, to int, c credit) event {
	return event{kind: eventCredit, from: p.index, to: p.index, shard: int16(to), peer: int16(from),
		life: uint16(p.epoch), ref: c.number,
		data: c.data}
}

// queueCredit keeps a credit until it is acknowledged.
func (p *process) queueCredit(from, to int, number uint64, at authority.Position, data []byte) credit {
	data = append([]byte(nil), data...)
	data[0] = byte(codec.KindCrossShard)
	c := credit{number, at, data}
	box := p.box(from, to)
	*box = append(*box, c)
	return c
}

// drop forgets the credits up to number.
func (b *outbox) drop(number uint64) {
	n := 0
	for n < len(*b) && (*b)[n].number <= number {
		n++
	}
	*b = (*b)[n:]
}

func (p *process) holdsCredits() bool {
	for _, box := range p.outboxes {
		if len(box) > 0 {
			return true
		}
	}
	return false
}

func (p *process) resendLater() {
	if p.resending {
		return
	}
	p.resending = true
	p.w.push(event{kind: eventResend, to: p.index, ref: p.epoch}, p.w.plan.ResendAfter)
}

// resend sends again what is not acknowledged, the oldest of each shard first.
func (p *process) resend() {
	p.resending = false
	if sabotaged("sim: credits are not sent again") || !p.holdsCredits() {
		return
	}
	for i, box := range p.outboxes {
		for _, c := range box[:min(len(box), resendWindow)] {
			p.w.count.CreditsResent++
			p.park(p.lastGroup(), p.creditEvent(i/len(p.shards), i%len(p.shards), c), 0)
		}
	}
	p.resendLater()
}

// resendWindow is how many credits are sent again at a time.
const resendWindow = 32

// lastGroup is the group after which everything so far is durable.
func (p *process) lastGroup() uint64 {
	if p.disk == nil {
		return 0
	}
	return p.disk.journal.Appended()
}

// creditArrived applies a credit of a sibling. What it says has been checked by the sibling.
func (p *process) creditArrived(e *event) {
	if p.down || e.life != uint16(p.epoch) { // the memory that it was in is gone
		p.w.count.Undelivered++
		return
	}
	m := &p.w.message
	if !m.Decode(e.data) || m.Kind != codec.KindCrossShard {
		p.w.fail(propertyS6, "a credit does not decode")
		return
	}
	c, core, from := m.Certificate(), p.shards[e.shard], int(e.peer)
	before := core.Cursor(from)
	err := core.Credit(from, e.ref, p.settlementOf(e), c)
	switch {
	case errors.Is(err, authority.ErrGap):
		p.w.count.CreditGaps++
		return
	case err != nil:
		if p.correct {
			p.w.fail(propertyS6, "a credit is refused: "+err.Error())
		}
		return
	}
	if core.Cursor(from) == before {
		p.w.count.CreditsRepeated++
	}
	if p.books != nil {
		p.books.credit(c.Order(), int(e.shard), core.Cursor(from) != before)
	}
	p.flush()
	p.park(p.lastGroup(), event{kind: eventAck, from: p.index, to: e.from, shard: e.peer, peer: e.shard,
		life: uint16(p.epoch), ref: core.Cursor(from), data: e.data}, 0)
}

// settlementOf is where the settlement of a credit is in the process's own log, 0 if it is in another one.
func (p *process) settlementOf(e *event) authority.Position {
	if e.from != p.index {
		return 0
	}
	for _, c := range *p.box(int(e.peer), int(e.shard)) {
		if c.number == e.ref {
			return c.at
		}
	}
	return 0
}

// acknowledged forgets the credits that a sibling has.
func (p *process) acknowledged(e *event) {
	if p.down || e.life != uint16(p.epoch) { // the memory that it was in is gone
		p.w.count.Undelivered++
		return
	}
	p.forgetCredits(int(e.shard), int(e.peer), link.Acknowledgement{Number: e.ref})
}

// forgetCredits is for credits that their receiver has durably, up to a number.
func (p *process) forgetCredits(from, to int, a link.Acknowledgement) {
	core := p.shards[from]
	before := core.Acknowledged(to)
	if err := core.Acknowledge(to, a.Number, uint64(a.Chain)); err != nil {
		if p.correct {
			p.w.fail(propertyS6, fmt.Sprintf("an acknowledgement of %d is refused: %v", a.Number, err))
		}
		return
	}
	if core.Acknowledged(to) == before {
		return
	}
	if p.books != nil {
		p.books.write(entry{kind: recordAcknowledged, shard: from, recipient: -1, number: a.Number})
	}
	p.box(from, to).drop(core.Acknowledged(to))
	p.flush()
}
