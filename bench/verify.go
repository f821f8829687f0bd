package bench

import "fastpay/crypto"

// verify checks the votes that came, and makes certificates. A wrong vote lets others have its place, and these are
// checked too.
func (d *payers) verify() {
	for len(d.unverified) > 0 {
		d.verifier.Reset()
		places := make([]int, len(d.unverified))
		for i, v := range d.unverified {
			p := &d.slots[v.slot]
			if p.number != v.number {
				places[i] = -1 // settled meanwhile, without it
			} else if v.rival {
				places[i] = d.verifier.AddVote(v.member, p.rival.signed, &p.rival.votes[v.member])
			} else {
				places[i] = d.verifier.AddVote(v.member, p.signed, &p.votes[v.member])
			}
		}
		d.verifier.Verify()
		checked := d.unverified
		d.unverified = nil
		for i, v := range checked {
			if places[i] >= 0 {
				d.verdict(v, d.verifier.Valid(places[i]))
			}
		}
		for _, v := range checked {
			d.certify(v.slot)
		}
	}
}

func (d *payers) verdict(v vote, good bool) {
	p, t := &d.slots[v.slot], &d.tallies[v.member]
	p.waiting &^= bit(v.member)
	switch {
	case !good:
		t.BadVotes++
		p.bad |= bit(v.member)
		if d.faulty&bit(v.member) == 0 {
			d.meter.refuseFor("order: a vote that does not verify")
		}
		return
	case v.rival:
		p.rival.verified |= bit(v.member)
	default:
		p.verified |= bit(v.member)
		t.Votes++
	}
	d.meter.answers++
	if p.rival != nil && p.verified&p.rival.verified&bit(v.member) != 0 {
		t.TwoVotes++
		d.twoVotes(p, v.member)
	}
}

// consider has votes verified, as many as a certificate needs.
func (d *payers) consider(slot int32) {
	p := &d.slots[slot]
	if p.state != ordering && p.rival == nil {
		return
	}
	for member := range d.members {
		if p.rival == nil && count(p.verified|p.waiting) >= d.quorum {
			return
		}
		if b := bit(member); p.got&b != 0 && (p.verified|p.waiting|p.bad)&b == 0 {
			p.waiting |= b
			d.unverified = append(d.unverified, vote{slot, p.number, member, false})
		}
	}
}

// certify makes the certificate once there are enough votes, and sends it.
func (d *payers) certify(slot int32) {
	p := &d.slots[slot]
	d.checkRival(p)
	if p.number < 0 || p.state != ordering {
		return
	}
	if count(p.verified) < d.quorum {
		d.consider(slot)
		return
	}
	n := 0
	for member := 0; n < d.quorum; member++ {
		if p.verified&bit(member) != 0 {
			d.kept.put(p.number, n, member, &p.votes[member])
			n++
		}
	}
	p.state = certifying
	d.answered(p, 1, 0)
	d.askAll(askCertificate, slot, d.certificateFrame(p.number))
}

func (d *payers) answered(p *payment, orders, confirmations int) {
	d.meter.answered(d.now_, d.now_-p.due, orders, confirmations)
	if d.open != nil {
		d.meter.served(d.now_-p.began, orders, confirmations)
	}
}

// keysOf prepares the committee's keys, in the order of its members.
func keysOf(w *workload) (*crypto.KeySet, error) {
	names := make([]crypto.PublicKey, len(w.members))
	for i := range names {
		names[i] = w.members[i].Public()
	}
	return crypto.NewKeySet(names)
}
