package bench

import (
	"context"
	"time"
)

// settleWithin is how long authorities may take after a run to settle what they missed.
const settleWithin = 10 * time.Second

// settle asks every authority of the set for every payer's number, and replays what is missing there. It returns the
// authorities that have settled all; the others are down, silent or too slow. The run is over: nothing is measured.
func (d *payers) settle(ctx context.Context, members uint64) (settled uint64, err error) {
	deadline := d.now() + settleWithin
	left := make([]map[int]bool, d.members) // by member: payers whose number is not known to be right
	for member := range left {
		left[member] = make(map[int]bool)
		for payer := 0; payer < d.made.payers && members&bit(member) != 0; payer++ {
			left[member][payer] = true
		}
	}
	d.unsettled = left
	probe := d.now()
	for d.now() < deadline && ctx.Err() == nil && d.unsettledIn(members) {
		if d.now() >= probe {
			d.probeAll()
			probe = d.now() + probeEvery
			if d.datagrams != nil {
				probe = d.now() + scanEvery
			}
		}
		if err := d.step(); err != nil {
			return 0, err
		}
	}
	for member := range d.members {
		if members&bit(member) != 0 && len(left[member]) == 0 {
			settled |= bit(member)
		}
	}
	return settled, nil
}

// probeEvery is the pause before an authority is asked again, which may be down or have much to catch up with.
const probeEvery = 250 * time.Millisecond

// maxProbes bounds the questions that an authority has at once over UDP.
const maxProbes = 4096

func (d *payers) unsettledIn(members uint64) bool {
	for member, payers := range d.unsettled {
		if members&bit(member) != 0 && len(payers) > 0 {
			return true
		}
	}
	return false
}

// probeAll asks seats that owe nothing about all payers that are left there.
func (d *payers) probeAll() {
	for member, payers := range d.unsettled {
		idle := make([]bool, d.shards)
		for shard := range idle {
			idle[shard] = d.seats[member*d.shards+shard].owed() == 0
		}
		for payer := range payers {
			shard := int(d.shardOf[payer])
			s := d.seats[member*d.shards+shard]
			if !idle[shard] || s.fd < 0 {
				continue
			}
			if r := (request{askProbe, -1, payer}); d.datagrams == nil {
				s.out = appendProbe(s.out, &d.made.accounts[d.made.from+payer])
				s.ask(r)
			} else if s.owed() < maxProbes { // the others later: a socket's buffer has room for these
				d.ask(s, r, d.frameOf(r))
			}
		}
	}
	d.flush()
}

// probeReply compares an authority's number of a payer with how many of the payer's certificates were made.
func (d *payers) probeReply(s *seat, r request, message []byte) {
	info := d.message.InfoResponse()
	if info.Account != d.made.accounts[d.made.from+r.number] {
		d.refused(s, r, message)
		return
	}
	next, want := int(info.NextSequenceNumber), d.certified(r.number)
	if next >= want {
		delete(d.unsettled[s.member], r.number)
		return
	}
	clear(d.replayed[s.index]) // it owes nothing, so nothing is on its way
	d.replay(s, r.number, next, want)
}

// certified is how many payments of a payer have a certificate; they are its first.
func (d *payers) certified(payer int) int {
	n := 0
	for k := payer; k < d.next && d.kept.made[k]; k += d.made.payers {
		n++
	}
	return n
}
