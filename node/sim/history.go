package sim

import "fastpay/codec"

// Sightings are what clients have seen of payments, from outside: when each was begun and when it was over. Worlds keep
// them on demand, for a checker that knows nothing of the protocol.
type sightings struct {
	payments []payment
}

// A payment moved money from one account to another. Times are virtual, in µs.
type payment struct {
	from, to     int32 // accounts, or outside
	number       uint64
	amount       int64
	called, done uint64 // forever: nobody has seen the end of it
}

const (
	outside = -1 // the Primary
	forever = 1 << 62
)

// paidBy notes a payment of a payer.
func (h *sightings) paidBy(p *payer) {
	if h == nil {
		return
	}
	o := p.wallet.proof.Order()
	h.payments = append(h.payments, payment{from: p.account, to: p.w.payee(o), number: o.SequenceNumber(),
		amount: int64(o.Amount()), called: p.called, done: p.w.now})
}

// payee is the account that an order pays.
func (w *World) payee(o codec.Order) int32 {
	if o.RecipientKind() != codec.FastPay {
		return outside
	}
	return w.facts.id(o.Recipient())
}

// deposited notes money that came in at the Primary.
func (h *sightings) deposited(w *World, to int32, amount uint64) {
	if h == nil {
		return
	}
	h.payments = append(h.payments, payment{from: outside, to: to, amount: int64(amount), called: w.now, done: forever})
}
