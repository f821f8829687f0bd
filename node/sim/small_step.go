package sim

import (
	"fmt"
	"slices"
	"strings"

	"fastpay/codec"
	"fastpay/node/journal"
)

// take does one step: the inputs arrive as one batch, and the process comes as far as the outcome says.
func (s *small) take(w *World, p *process, st step) {
	from := int16(shardOf(s.orders[0].Sender(), smallShards))
	to := int16(shardOf(s.orders[0].Recipient(), smallShards))
	for _, in := range st.inputs {
		switch in {
		case inCredit1:
			m := s.certificate(w, 0, 0, 1, 2, 3)
			m[0] = byte(codec.KindCrossShard)
			p.creditArrived(&event{kind: eventCredit, ref: 1, data: m, shard: to, peer: from, life: uint16(p.epoch)})
		case inAck1:
			p.acknowledged(&event{kind: eventAck, ref: 1, shard: from, peer: to, life: uint16(p.epoch)})
		default:
			p.receive(&event{kind: eventRequest, data: s.message(w, in), shard: from})
		}
	}
	p.batch()
	s.finish(p, st.out)
	w.queue.heap = w.queue.heap[:0] // messages are inputs here
}

// finish writes and lets out, or crashes on the way and recovers.
func (s *small) finish(p *process, out outcome) {
	half := false
	switch out {
	case outDone:
		p.commit()
		return
	case outTornNone, outTornHalf, outTornAll:
		p.disk.stopAt = journal.OpSync
		p.disk.keep = func() bool { half = !half; return out == outTornAll || out == outTornHalf && half }
		if p.disk.journal.Commit() == nil { // there was nothing to write
			p.disk.stopAt = ""
		}
	case outUnsent:
		if err := p.disk.journal.Commit(); err != nil {
			p.w.fail(propertyDisk, err.Error())
		}
	}
	p.disk.crash(func() bool { return false })
	p.stop()
	p.restart()
}

// checkSum is S4 at any moment: what the accounts have, and what is between them, is what there was.
func (s *small) checkSum(w *World, p *process) {
	if p.down {
		w.fail(propertyDisk, "the process does not come back")
		return
	}
	total := int64(0)
	for _, shard := range p.shards {
		total += shard.TotalBalance().Int64()
	}
	owner := w.facts.id(s.orders[0].Sender())
	settled := p.books.at(owner).next == 1
	_, credited := p.books.credited[placeKey(owner, 0)]
	if settled && !credited {
		for _, c := range slices.Concat(p.outboxes...) {
			if cert, err := codec.ParseCertificate(c.data[4:]); err == nil {
				total += int64(cert.Order().Amount())
			}
		}
	}
	if total != smallFunds {
		w.fail(propertyS4, fmt.Sprintf("%d in all and not %d", total, smallFunds))
	}
}

// dump is everything about a process that decides about its future.
func (s *small) dump(p *process) (key string, l localState) {
	var b strings.Builder
	for i, shard := range p.shards {
		for a := range shard.Accounts() {
			order := 0
			for k, o := range s.orders {
				if a.Pending != nil && strings.HasPrefix(string(a.Pending), string(o.TransferBytes())) {
					order = k + 1
				}
			}
			fmt.Fprintf(&b, "%d: %x %v %d pending %d logs %d %d\n", i, a.Address[:2], a.Balance, a.NextSequenceNumber, order,
				a.Confirmed, a.Received)
		}
	}
	for i, shard := range p.shards {
		other := 1 - i
		fmt.Fprintf(&b, "credits of %d: %d %d %d, kept %d\n", i, shard.Issued(other), shard.Acknowledged(other),
			shard.Cursor(other), len(*p.box(i, other)))
	}
	owner := p.w.facts.id(s.orders[0].Sender())
	place := placeKey(owner, 0)
	for k, o := range s.orders {
		l.votes[k] = p.books.shownVotes[place] == transferDigest(o)
	}
	l.done = p.books.at(owner).next == 1
	l.credit = p.w.count.creditsOut > 0
	_, l.ack = p.books.shownCredits[place]
	fmt.Fprint(&b, l.votes, l.credit, l.ack, p.books.shownNext[owner])
	return b.String(), l
}
