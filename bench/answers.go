package bench

import "fastpay/codec"

// reply takes an answer of a seat.
func (d *payers) reply(s *seat, r request, message []byte) {
	d.heard = d.now_
	if !d.message.Decode(message) {
		d.refused(s, r, message)
		return
	}
	switch r.kind {
	case askOrder, askRival:
		d.voteReply(s, r, message)
	case askCertificate, askReminder:
		d.confirmReply(s, r, message)
	case askReplay:
		if !d.settles(r) {
			d.refused(s, r, message)
		}
	case askProbe:
		d.probeReply(s, r, message)
	}
}

func (d *payers) voteReply(s *seat, r request, message []byte) {
	p := &d.slots[r.slot]
	if p.number != r.number { // settled without it
		return
	}
	o := p.order
	if r.kind == askRival {
		o = p.rival.order
	}
	signature, ok := isVoteFor(&d.message, o, &d.made.names[s.member])
	switch {
	case !ok && p.rival != nil: // a payer who pays twice is refused one of the two
	case !ok:
		d.refused(s, r, message)
	case r.kind == askRival:
		p.rival.votes[s.member] = *signature
		d.unverified = append(d.unverified, vote{r.slot, r.number, s.member, true})
	default:
		p.votes[s.member] = *signature
		p.got |= bit(s.member)
		d.consider(r.slot)
	}
}

// settles reports whether the message says that the payment of r is settled.
func (d *payers) settles(r request) bool {
	info := d.message.InfoResponse()
	return d.message.Kind == codec.KindInfoResponse && info.Account == d.made.accounts[d.made.account(r.number)] &&
		info.NextSequenceNumber > uint64(r.number/d.made.payers)
}

func (d *payers) confirmReply(s *seat, r request, message []byte) {
	if !d.settles(r) {
		if d.message.Kind == codec.KindError && d.message.ErrorCode() == codec.MissingEalierConfirmations {
			d.replay(s, r.number%d.made.payers, int(d.message.Error().Sequence), r.number/d.made.payers+1)
			return
		}
		d.refused(s, r, message)
		return
	}
	if r.kind == askReminder { // it was answered before
		return
	}
	if sequence, payer := r.number/d.made.payers, r.number%d.made.payers; sequence >= d.replayed[s.index][payer] {
		d.tallies[s.member].Confirmations++
	}
	p := &d.slots[r.slot]
	if p.number != r.number {
		return
	}
	p.confirmed |= bit(s.member)
	if d.asides != nil && d.asides.credits != nil {
		d.asides.credits.debit(d, r.number, s.member)
	}
	if p.state == certifying && count(p.confirmed) >= d.quorum {
		p.state = settledAtQuorum
		d.answered(p, 0, 1)
		d.current[r.number%d.made.payers] = notFlying
		d.active--
		d.trail(r)
	}
	if p.state == settledAtQuorum && count(p.confirmed) == d.members {
		if d.meter.measuring {
			_ = d.everyone.RecordValue(microseconds(d.now_ - p.due))
		}
		d.release(r.slot)
	}
}

func (d *payers) trail(r request) {
	if d.trailed >= sparseMarks && 2*d.trailed >= len(d.trailing) {
		d.trailing, d.trailed = d.trailing[:copy(d.trailing, d.trailing[d.trailed:])], 0
	}
	d.trailing = append(d.trailing, r)
}

// replay sends an authority the certificates of a payer that it has missed: numbers from..to-1, less those that are on
// their way.
func (d *payers) replay(s *seat, payer, from, to int) {
	from = max(from, d.replayed[s.index][payer])
	for sequence := from; sequence < to; sequence++ {
		k := sequence*d.made.payers + payer
		if k >= d.made.total || !d.kept.made[k] {
			return
		}
		d.ask(s, request{askReplay, -1, k}, d.certificateFrame(k))
		d.tallies[s.member].Replayed++
		d.replayed[s.index][payer] = sequence + 1
	}
}

var requestNames = [...]string{"order", "second order", "certificate", "certificate", "replayed certificate", "info request", "info request", "info request", "info request"}

// refused counts an answer that is not the expected one. Of an authority whose failures are part of the run it is no
// fault of the run, nor is what an authority does not know that was too slow to be told.
func (d *payers) refused(s *seat, r request, message []byte) {
	if s.missed && d.message.Kind == codec.KindError && (d.message.ErrorCode() == codec.UnexpectedSequenceNumber ||
		d.message.ErrorCode() == codec.PreviousTransferMustBeConfirmedFirst) {
		d.tallies[s.member].Behind++
		return
	}
	d.tallies[s.member].Refused++
	if d.faulty&bit(s.member) == 0 {
		d.meter.refuse(requestNames[r.kind], message)
	}
}
