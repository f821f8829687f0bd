package sim

import "fastpay/codec"

// Credits between the shards of an authority. Where a process runs all shards they are events of its own that nobody can
// lose but a crash; between processes they cross a network, and are kept and sent again until acknowledged. Either way a
// credit leaves only when the record of its debit is durable.

// sendCredit hands a settled certificate, the Cert message in data, to the shard that must be credited.
func (p *process) sendCredit(shard int, data []byte, group uint64) {
	c := p.queueCredit(shard, data)
	if !p.w.plan.Remember { // it arrives, once
		p.outbox[shard] = p.outbox[shard][:0]
	}
	if sabotaged("sim: a credit leaves before its debit is durable") {
		group = 0
	}
	p.park(group, event{kind: eventCredit, from: p.index, to: p.sibling(shard), shard: int16(shard), ref: c.number,
		data: c.data}, 0)
	if p.holdsCredits() {
		p.resendLater()
	}
}

// queueCredit keeps a credit until it is acknowledged.
func (p *process) queueCredit(shard int, data []byte) credit {
	if p.outbox == nil {
		p.outbox = make([][]credit, len(p.shards))
	}
	if p.sent == nil {
		p.sent = make([]uint64, len(p.shards))
	}
	p.sent[shard]++
	data = append([]byte(nil), data...)
	data[0] = byte(codec.KindCrossShard)
	c := credit{number: p.sent[shard], data: data}
	p.outbox[shard] = append(p.outbox[shard], c)
	return c
}

func (p *process) holdsCredits() bool {
	for _, box := range p.outbox {
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
	for shard, box := range p.outbox {
		for i := range box[:min(len(box), resendWindow)] {
			p.w.count.CreditsResent++
			p.park(p.lastGroup(), event{kind: eventCredit, from: p.index, to: p.sibling(shard), shard: int16(shard),
				ref: box[i].number, data: box[i].data}, 0)
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
	if p.down {
		p.w.count.Undelivered++
		return
	}
	m := &p.w.message
	if !m.Decode(e.data) || m.Kind != codec.KindCrossShard {
		p.w.fail(propertyS6, "a credit does not decode")
		return
	}
	c, core := m.Certificate(), p.shards[e.shard]
	before, _ := core.Balance(c.Order().Recipient())
	if err := core.Credit(c); err != nil {
		if p.correct {
			p.w.fail(propertyS6, "a credit is refused: "+err.Error())
		}
		return
	}
	changed := true
	if p.books != nil {
		changed = p.books.credit(c.Order(), int(e.shard))
	} else {
		after, _ := core.Balance(c.Order().Recipient())
		changed = before != after
	}
	if changed {
		p.applied++
		if p.disk != nil {
			p.disk.credit(int(e.shard), c)
		}
	} else {
		p.w.count.CreditsRepeated++
	}
	p.flush()
	p.park(p.lastGroup(), event{kind: eventAck, from: p.index, to: e.from, shard: e.shard, ref: e.ref,
		data: e.data}, 0)
}

// acknowledged forgets a credit that a sibling has.
func (p *process) acknowledged(e *event) {
	if p.down || p.outbox == nil {
		return
	}
	box := p.outbox[e.shard]
	for i := range box {
		if box[i].number == e.ref {
			p.outbox[e.shard] = append(box[:i], box[i+1:]...)
			return
		}
	}
}

// sibling is the process that runs a shard of the same copy of the authority.
func (p *process) sibling(shard int) int32 {
	if !p.w.plan.Split {
		return p.index
	}
	return p.index - p.firstShard() + int32(shard)
}

// firstShard is the only shard of a process that runs one.
func (p *process) firstShard() int32 {
	for i, s := range p.shards {
		if s != nil {
			return int32(i)
		}
	}
	return 0
}
