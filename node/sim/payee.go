package sim

import "fastpay/codec"

// paidOut hands the certificate to whom it pays.
func (w *World) paidOut(from *payer, c codec.Certificate) {
	to, ok := paid(c)
	if !ok {
		w.redeem(c)
		return
	}
	for _, p := range w.payers {
		if p.address == *to {
			w.transmit(event{kind: eventGift, from: from.index, to: p.index, data: c.Bytes()}, 0)
			return
		}
	}
}

// gift takes a certificate from a payer.
func (p *payer) gift(data []byte) {
	c, err := codec.ParseCertificate(data)
	if err != nil || p.w.committee.CheckCertificate(c) != nil {
		return
	}
	if to, ok := paid(c); !ok || *to != p.address {
		p.w.facts.certificate(c, p.name)
		return
	}
	p.count(c)
	p.save()
	if (p.finished || p.poor > 0) && p.mayPay() {
		p.finished, p.poor = false, 0
		p.waiting = false // for longer
		p.sleep(0)
	}
}

func (p *payer) counted(c codec.Certificate) bool {
	payer, known := p.w.facts.ids[*c.Order().Sender()]
	i, ok := p.places[placeKey(payer, c.Order().SequenceNumber())]
	if !known || !ok || i >= len(p.wallet.received) {
		return false
	}
	r := p.wallet.received[i].Order() // since a crash it may be another one
	return *r.Sender() == *c.Order().Sender() && r.SequenceNumber() == c.Order().SequenceNumber()
}

// count counts a payment that was received, once.
func (p *payer) count(c codec.Certificate) {
	if p.counted(c) {
		return
	}
	p.w.facts.certificate(c, p.name)
	p.places[placeKey(p.w.facts.id(c.Order().Sender()), c.Order().SequenceNumber())] = len(p.wallet.received)
	p.wallet.received = append(p.wallet.received, c)
	p.wallet.balance += int64(c.Order().Amount())
	p.w.count.Received++
}
