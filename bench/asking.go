package bench

import "fastpay/codec"

func (d *payers) drop(s *seat) {
	if s.fd >= 0 {
		d.tallies[s.member].Breaks++
	}
	s.drop(d.now_)
	clear(d.replayed[s.index])
}

// revive connects again what broke off, and asks again what is under way there.
func (d *payers) revive() {
	for _, s := range d.seats {
		if s.fd >= 0 || d.now_ < s.retryAt || !s.connect(&d.poller, d.now_, d.timeout) {
			continue
		}
		for i := range d.slots {
			p := &d.slots[i]
			if p.number < 0 || int(d.shardOf[p.number%d.made.payers]) != s.shard {
				continue
			}
			switch {
			case p.state == ordering && p.got&bit(s.member) == 0:
				d.ask(s, request{askOrder, int32(i), p.number}, d.orderFrame(p.order))
			case p.state == certifying && p.confirmed&bit(s.member) == 0:
				d.ask(s, request{askCertificate, int32(i), p.number}, d.certificateFrame(p.number))
			}
		}
	}
}

// remind asks again an authority that was not sent everything, once it owes nothing: when others have failed, a quorum may
// need its answer. The certificate of the payer's payment before brings to light what it must be told first.
func (d *payers) remind() {
	for i := range d.slots {
		p := &d.slots[i]
		if p.number < 0 || p.state == settledAtQuorum || p.rival != nil || d.now_-p.began < d.timeout/8 {
			continue
		}
		shard := int(d.shardOf[p.number%d.made.payers])
		for member := range d.members {
			s := d.seats[member*d.shards+shard]
			if !s.reminded {
				continue
			}
			switch before := p.number - d.made.payers; {
			case p.state == certifying && p.confirmed&bit(member) == 0:
				d.ask(s, request{askCertificate, int32(i), p.number}, d.certificateFrame(p.number))
			case p.state == ordering && p.got&bit(member) == 0:
				if before >= 0 && d.kept.made[before] {
					d.ask(s, request{askReminder, int32(i), before}, d.certificateFrame(before))
				}
				d.ask(s, request{askOrder, int32(i), p.number}, d.orderFrame(p.order))
			}
		}
	}
}

func (d *payers) flush() {
	for _, s := range d.seats {
		if s.fd < 0 || s.stuck && s.written == 0 && len(s.out) == 0 {
			continue
		}
		if s.written == len(s.out) {
			continue
		}
		if d.datagrams != nil {
			d.meter.transferred(d.datagrams.flush(s))
			continue
		}
		n, ok := s.flush(&d.poller)
		d.meter.transferred(n)
		if !ok {
			d.drop(s)
		}
	}
}

// ask sends a frame to a seat, unless that is down or owes too much; then its authority misses it.
func (d *payers) ask(s *seat, r request, frame []byte) {
	if s.fd < 0 || s.owed() >= maxAsked && r.kind != askReplay {
		d.tallies[s.member].Left++
		s.missed = true
		return
	}
	s.out = append(s.out, frame...)
	if d.datagrams != nil {
		d.datagrams.ask(d, s, r)
		return
	}
	s.ask(r)
}

// askAll sends a frame about payment p to all authorities.
func (d *payers) askAll(kind requestKind, slot int32, frame []byte) {
	p := &d.slots[slot]
	shard := int(d.shardOf[p.number%d.made.payers])
	for member := range d.members {
		d.ask(d.seats[member*d.shards+shard], request{kind, slot, p.number}, frame)
	}
}

func (d *payers) orderFrame(o codec.Order) []byte {
	d.frame = codec.AppendOrder(codec.BeginFrame(d.frame[:0]), o)
	codec.EndFrame(d.frame, 0)
	return d.frame
}

func (d *payers) certificateFrame(k int) []byte {
	d.frame = d.kept.appendFrame(d.frame[:0], d.made.order(k), k, d.made.workload, d.entries)
	return d.frame
}
