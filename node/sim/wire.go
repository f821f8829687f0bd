package sim

import (
	"fmt"

	"fastpay/codec"
	"fastpay/node/link"
)

// A wire is the link from one shard of an authority to another one in a process of its own, and the connection under
// it: what is sent arrives in order, or the connection breaks and both ends know. The ends are the real ones; they live
// in the memory of their processes.
type wire struct {
	w        *World
	index    int32
	pair     link.Pair
	from, to *process
	sender   *link.Sender   // nil while its process is down
	receiver *link.Receiver // the same
	message  link.Message   // scratch

	conn    uint64 // number of the connection; events of earlier ones are void
	up      bool
	dialing bool      // an eventDial is under way
	refused bool      // one end does not believe the other: nobody tries again
	arrived [2]uint64 // when the last frame arrives, by direction
}

// Directions of frames, in events.
const (
	toReceiver = 0
	toSender   = 1
)

// linkWindow is small, so that it is full now and then.
const linkWindow = 4 << 10

// makeWires makes the links between the processes of one copy of an authority.
func (w *World) makeWires(of []*process) {
	for _, from := range of {
		for _, to := range of {
			if from == to {
				continue
			}
			wr := &wire{w: w, index: int32(len(w.wires)), pair: link.Pair{From: from.first, To: to.first}, from: from, to: to}
			w.wires = append(w.wires, wr)
			from.wiresOut = append(from.wiresOut, wr)
			to.wiresIn = append(to.wiresIn, wr)
		}
	}
	for _, p := range of {
		p.openWires()
	}
}

// logID names the journal of a process.
func (p *process) logID() (id link.LogID) {
	id[0], id[1], id[2] = byte(p.index), byte(p.index>>8), p.lives
	return id
}

// openWires makes the process's ends of its links, as what it knows says.
func (p *process) openWires() {
	for _, wr := range p.wiresOut {
		core, to := p.shards[p.first], wr.pair.To
		wr.sender = link.NewSender(link.Hello{Authority: p.key.Public(), Pair: wr.pair, Shards: len(p.shards), Log: p.logID(),
			Next: core.Issued(to) + 1, Acknowledged: core.Acknowledged(to), Chain: link.Chain(core.AcknowledgedSum(to)),
		}, linkWindow)
		wr.dialLater()
	}
	for _, wr := range p.wiresIn {
		wr.receiver = link.NewReceiver(link.ReceiverOptions{Authority: p.key.Public(), Pair: wr.pair, Shards: len(p.shards),
			Log: p.logID()}, p.cursor(wr.pair.From))
		wr.dialLater()
	}
}

// cursor is what has come from another shard.
func (p *process) cursor(from int) link.Acknowledgement {
	core := p.shards[p.first]
	return link.Acknowledgement{Number: core.Cursor(from), Chain: link.Chain(core.CursorSum(from))}
}

// closeWires is the process's end.
func (p *process) closeWires() {
	for _, wr := range p.wiresOut {
		wr.disconnect()
		wr.sender = nil
	}
	for _, wr := range p.wiresIn {
		wr.disconnect()
		wr.receiver = nil
	}
}

func (wr *wire) disconnect() {
	if wr.up {
		wr.w.count.LinkBreaks++
	}
	wr.up = false
	wr.conn++
	if wr.receiver != nil {
		wr.receiver.Disconnect()
	}
}

// dialLater has the sender connect after a while, if there is something to send.
func (wr *wire) dialLater() {
	if !wr.up && !wr.dialing && !wr.refused && wr.sender != nil && wr.sender.Outstanding() {
		wr.dialing = true
		wr.w.push(event{kind: eventDial, from: wr.index}, 1+wr.w.draw(wr.w.plan.ResendAfter))
	}
}

// dial connects, if both processes are there and nothing is between them.
func (wr *wire) dial() {
	wr.dialing = false
	if wr.up || wr.sender == nil {
		return
	}
	if wr.receiver == nil || wr.w.split && wr.w.side[wr.from.member] {
		wr.dialLater()
		return
	}
	wr.conn++
	wr.up = true
	hello := wr.sender.Hello()
	wr.send(toReceiver, hello.AppendFrame(nil))
}

// send has a frame arrive after those before it, or breaks the connection.
func (wr *wire) send(direction int, frame []byte) {
	w := wr.w
	if !wr.up {
		return
	}
	if w.chance(w.plan.Loss/4) || w.split && w.side[wr.from.member] {
		wr.disconnect()
		wr.dialLater()
		return
	}
	at := max(wr.arrived[direction], w.now+w.delay())
	wr.arrived[direction] = at
	w.push(event{kind: eventWire, from: wr.index, shard: int16(direction), ref: wr.conn, data: frame}, at-w.now)
}

// receive takes a frame.
func (wr *wire) receive(e *event) {
	if e.ref != wr.conn || !wr.up {
		return
	}
	m := &wr.message
	if err := m.Decode(e.data[4:]); err != nil {
		wr.fail(err)
		return
	}
	if e.shard == toReceiver {
		wr.received(m)
	} else {
		wr.answered(m)
	}
}

// fail ends the link: correct ends never refuse one another.
func (wr *wire) fail(err error) {
	if wr.from.correct {
		wr.w.fail(propertyS6, fmt.Sprintf("authority %d, link %d to %d: %v", wr.from.member, wr.pair.From, wr.pair.To, err))
	}
	if wr.from.restored || wr.to.restored {
		wr.w.count.RestoresRefused++
	}
	wr.refused = true
	wr.disconnect()
}

// received is what the receiver does with a message.
func (wr *wire) received(m *link.Message) {
	r, p := wr.receiver, wr.to
	switch m.Kind {
	case link.KindHello:
		welcome, err := r.Hello(&m.Hello)
		if err != nil {
			wr.fail(err)
			return
		}
		wr.send(toSender, welcome.AppendFrame(nil))
	case link.KindCredit:
		c := &m.Credit
		fresh, err := r.Credit(c.Number)
		if err != nil {
			wr.fail(err)
			return
		}
		if core := p.shards[p.first]; fresh && c.Number > core.Cursor(wr.pair.From) {
			wr.apply(c)
		} else {
			wr.w.count.CreditsRepeated++
		}
		wr.acknowledge()
	}
}

// apply credits, and tells the link once that is durable.
func (wr *wire) apply(c *link.Credit) {
	p := wr.to
	if err := p.shards[p.first].Credit(wr.pair.From, c.Number, 0, c.Certificate); err != nil {
		wr.fail(err)
		return
	}
	if p.books != nil {
		p.books.credit(c.Certificate.Order(), p.first, true)
	}
	_, group := p.flush()
	ack := p.cursor(wr.pair.From)
	if sabotaged("sim: credits are acknowledged before they are durable") {
		wr.durable(ack)
	}
	data := codec.AppendCrossShard(nil, c.Certificate)
	p.parkAny(&parkedEvent{group: group, event: event{kind: eventAck, data: data}, wire: wr, ack: ack})
}

// durable tells the receiver what it may acknowledge.
func (wr *wire) durable(a link.Acknowledgement) {
	wr.receiver.Durable(a)
	wr.acknowledge()
}

func (wr *wire) acknowledge() {
	if a, ok := wr.receiver.Acknowledge(); ok {
		wr.send(toSender, a.AppendFrame(nil))
	}
}

// answered is what the sender does with a message.
func (wr *wire) answered(m *link.Message) {
	var err error
	switch m.Kind {
	case link.KindWelcome:
		err = wr.sender.Welcome(&m.Welcome)
	case link.KindAcknowledgement:
		err = wr.sender.Acknowledge(&m.Acknowledgement)
	}
	if err != nil {
		wr.fail(err)
		return
	}
	wr.pump()
}

// issued tells the sender of a credit whose debit is durable.
func (wr *wire) issued(number uint64) {
	wr.sender.Issued(number)
	if wr.up {
		wr.pump()
	} else {
		wr.dialLater()
	}
}

// pump sends what may be sent, and forgets what is acknowledged.
func (wr *wire) pump() {
	p := wr.from
	box := p.box(wr.pair.From, wr.pair.To)
	for wr.up {
		number, ok := wr.sender.Wants()
		if !ok {
			break
		}
		if len(*box) == 0 || number < (*box)[0].number || number-(*box)[0].number >= uint64(len(*box)) {
			wr.fail(fmt.Errorf("credit %d is wanted, which is not in the outbox", number))
			return
		}
		c, err := codec.ParseCertificate((*box)[number-(*box)[0].number].data[4:])
		var frame []byte
		if err == nil {
			frame, err = wr.sender.Offer(nil, c)
		}
		if err != nil {
			wr.fail(err)
			return
		}
		if len(frame) > 0 {
			wr.send(toReceiver, frame)
		}
	}
	a := wr.sender.Acknowledged()
	if a.Number > p.shards[p.first].Acknowledged(wr.pair.To) {
		p.forgetCredits(p.first, wr.pair.To, a)
	}
}
