package bench

import (
	"encoding/binary"
	"time"

	"fastpay/codec"
)

// datagrams are a committee's requests over UDP. Each is a datagram; what gets no answer in time is sent again, which
// changes nothing, and given up after the time-out. Answers come in any order: that of an account's state answers all
// requests about the account that it can be an answer to. Refusals name no account, so they answer none: what they refuse is
// sent again, or lost.
type datagrams struct {
	in, out *mmsg // one call at a time
	payerOf map[codec.Address]int
	waiting [][][]sentRequest // by member and payer: what is not answered
	usual   time.Duration     // smoothed time to an answer
	scanned time.Duration
	matched []request // scratch
}

// sentRequest is one that is not answered.
type sentRequest struct {
	request
	first time.Duration // when it was sent first
	tries int
}

// repeat is when to look whether a request was answered. Those of a seat are in the order of their times.
type repeat struct {
	kind   requestKind
	number int
	payer  int
	at     time.Duration
}

func newDatagrams(made *orders, members int) *datagrams {
	g := &datagrams{in: newMmsg(true), out: newMmsg(false), payerOf: make(map[codec.Address]int, made.payers),
		waiting: make([][][]sentRequest, members)}
	for payer := range made.payers {
		g.payerOf[made.accounts[made.from+payer]] = payer
	}
	for member := range g.waiting {
		g.waiting[member] = make([][]sentRequest, made.payers)
	}
	return g
}

// payer is whom a request is about.
func (g *datagrams) payer(d *payers, r request) int {
	if r.kind == askProbe {
		return r.number
	}
	return r.number % d.made.payers
}

// ask notes a request whose frame was appended to out of s.
func (g *datagrams) ask(d *payers, s *seat, r request) {
	payer := g.payer(d, r)
	list := &g.waiting[s.member][payer]
	*list = append(*list, sentRequest{r, d.now_, 1})
	s.open++
	s.repeats.add(repeat{r.kind, r.number, payer, d.now_})
}

// receive takes the datagrams that are there.
func (g *datagrams) receive(d *payers, s *seat) {
	for {
		n, err := g.in.receive(s.fd)
		if err != nil { // an ICMP message: nobody listens, at the moment
			return
		}
		for i := range n {
			d.meter.transferred(len(g.in.datagram(i)))
			g.reply(d, s, g.in.datagram(i))
		}
		if n < mmsgBatch {
			return
		}
	}
}

func (g *datagrams) reply(d *payers, s *seat, message []byte) {
	d.heard = d.now_
	if !d.message.Decode(message) || d.message.Kind != codec.KindInfoResponse {
		g.refusal(d, s, message)
		return
	}
	payer, is := g.payerOf[d.message.InfoResponse().Account]
	if !is {
		d.refused(s, request{}, message)
		return
	}
	g.matched = g.matched[:0]
	list := g.waiting[s.member][payer]
	left := list[:0]
	for _, r := range list {
		if !g.answers(d, s, r.request) {
			left = append(left, r)
			continue
		}
		if s.open--; r.tries == 1 {
			g.usual += (d.now_ - r.first - g.usual) / smoothing
		}
		g.matched = append(g.matched, r.request)
	}
	g.waiting[s.member][payer] = left
	if len(g.matched) == 0 {
		d.meter.duplicates++
	}
	for _, r := range g.matched {
		d.reply(s, r, message)
	}
}

// answers reports whether the message, which is about the right account, can be the answer to a request.
func (g *datagrams) answers(d *payers, s *seat, r request) bool {
	switch r.kind {
	case askOrder:
		_, is := isVoteFor(&d.message, d.made.order(r.number), &d.made.names[s.member])
		return is
	case askProbe:
		return true
	}
	return d.settles(r)
}

// refusal counts one. What follows from datagrams that were lost is no fault of the authority.
func (g *datagrams) refusal(d *payers, s *seat, message []byte) {
	if d.message.Kind == codec.KindError {
		switch d.message.ErrorCode() {
		case codec.UnexpectedSequenceNumber, codec.PreviousTransferMustBeConfirmedFirst, codec.MissingEalierConfirmations:
			d.tallies[s.member].Behind++
			return
		}
	}
	d.refused(s, request{}, message)
}

// patience is how long an answer may take before its request is sent again: under load answers are late, and not lost.
func (g *datagrams) patience() time.Duration { return max(resendAfter, resendFactor*g.usual) }

// resend sends again what was not answered in time, and gives up what is too old.
func (g *datagrams) resend(d *payers) {
	if d.now_-g.scanned < scanEvery {
		return
	}
	g.scanned = d.now_
	patience := g.patience()
	for _, s := range d.seats {
		for s.repeats.len() > 0 && d.now_-s.repeats.first().at >= patience {
			again := *s.repeats.first()
			s.repeats.remove()
			g.again(d, s, again)
		}
	}
}

func (g *datagrams) again(d *payers, s *seat, look repeat) {
	list := g.waiting[s.member][look.payer]
	for i := range list {
		r := &list[i]
		if r.kind != look.kind || r.number != look.number {
			continue
		}
		if p := r.slot; r.kind == askOrder && (d.slots[p].number != r.number || d.slots[p].state != ordering) {
			s.open-- // a quorum of others has voted
			g.waiting[s.member][look.payer] = append(list[:i], list[i+1:]...)
			return
		}
		if d.now_-r.first >= d.timeout {
			s.open--
			s.missed = true
			d.tallies[s.member].Left++
			g.waiting[s.member][look.payer] = append(list[:i], list[i+1:]...)
			return
		}
		r.tries++
		d.meter.retransmitted++
		s.out = append(s.out, d.frameOf(r.request)...)
		look.at = d.now_
		s.repeats.add(look)
		return
	}
}

// frameOf is a request as it was sent.
func (d *payers) frameOf(r request) []byte {
	switch r.kind {
	case askOrder:
		return d.orderFrame(d.made.order(r.number))
	case askProbe:
		d.frame = appendProbe(d.frame[:0], &d.made.accounts[d.made.from+r.number])
		return d.frame
	}
	return d.certificateFrame(r.number)
}

// flush sends the frames of a seat, a datagram each, as far as its socket takes them.
func (g *datagrams) flush(s *seat) (sent int) {
	for s.written < len(s.out) {
		n := 0
		for at := s.written; at < len(s.out) && n < mmsgBatch; n++ {
			size := int(binary.LittleEndian.Uint32(s.out[at:]))
			g.out.set(n, s.out[at+header:at+header+size])
			at += header + size
		}
		taken, err := g.out.send(s.fd, n)
		if err != nil { // an ICMP message about an earlier one; this one counts as lost
			taken = 1
		} else if taken == 0 { // no room: with a later step
			return sent
		}
		for i := range taken {
			size := int(g.out.vectors[i].Len)
			s.written += header + size
			sent += size
		}
	}
	s.out, s.written = s.out[:0], 0
	return sent
}
