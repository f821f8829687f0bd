package bench

import (
	"fmt"

	"fastpay/codec"
	"fastpay/crypto"
)

// payTwice sends two orders with one number: each authority gets both, and which comes first differs. As many correct ones
// get the first order first as make a quorum of it with all that vote for anything; so the payer can go on, and the second
// order gets a quorum as well only if more authorities are faulty than the committee tolerates.
func (d *payers) payTwice(slot int32) {
	p := &d.slots[slot]
	o := d.made.rival(p.number)
	p.rival = &rival{order: o, signed: o.AppendSignedBytes(nil), votes: make([]crypto.Signature, d.members)}
	shard := int(d.shardOf[p.number%d.made.payers])
	frames := [2][]byte{append([]byte(nil), d.orderFrame(p.order)...), append([]byte(nil), d.orderFrame(p.rival.order)...)}
	asked := [2]request{{askOrder, slot, p.number}, {askRival, slot, p.number}}
	left := d.quorum - count(d.liars) // correct ones that get the first order first
	for member := range d.members {
		first := 0
		if d.faulty&bit(member) == 0 {
			if left--; left < 0 {
				first = 1
			}
		}
		s := d.seats[member*d.shards+shard]
		d.ask(s, asked[first], frames[first])
		d.ask(s, asked[1-first], frames[1-first])
	}
}

// maxUnsafe bounds how many violations are told in words; a run with one is worth nothing anyway.
const maxUnsafe = 20

func (d *payers) violation(format string, args ...any) {
	if len(d.unsafe) < maxUnsafe {
		d.unsafe = append(d.unsafe, fmt.Sprintf(format, args...))
	}
}

// twoVotes is called when an authority is seen to have voted for two orders with one number.
func (d *payers) twoVotes(p *payment, member int) {
	if d.faulty&bit(member) == 0 {
		d.violation("authority %d voted for two orders of account %s with number %d", member,
			codec.FormatAddress(p.order.Sender()), p.order.SequenceNumber())
	}
}

// checkRival looks for a second certificate.
func (d *payers) checkRival(p *payment) {
	if p.rival == nil || p.rival.certified || count(p.rival.verified) < d.quorum || count(p.verified) < d.quorum {
		return
	}
	p.rival.certified = true
	d.violation("two certificates for account %s with number %d: %d and %d votes", codec.FormatAddress(p.order.Sender()),
		p.order.SequenceNumber(), count(p.verified), count(p.rival.verified))
}
