package sim

import (
	"errors"
	"fmt"

	"fastpay/codec"
	"fastpay/node/authority"
)

// The bridge: money that comes in at the Primary is credited by every shard that follows its log; what goes out is
// redeemed once.

// treasury is what the contract holds from the start, so that it can pay.
const treasury = 1 << 50

// mint takes money in for somebody, and tells everyone what they may not have heard.
func (w *World) mint() {
	if w.healed {
		return
	}
	p := w.payers[w.rng.IntN(len(w.payers))]
	w.deposit(&p.address, 1+w.rng.Uint64N(1<<36))
	w.tellAll()
	w.push(event{kind: eventMint}, 1+w.draw(2*w.plan.MintEvery))
}

func (w *World) deposit(to *codec.Address, amount uint64) {
	if _, err := w.contract.Fund(to, amount); err != nil {
		w.fail(propertyS4, "the contract refuses money: "+err.Error())
		return
	}
	w.facts.accounts[w.facts.id(to)].funded += int64(amount)
	w.facts.minted += int64(amount)
	w.count.Minted++
	w.history.deposited(w, w.facts.id(to), amount)
}

// tellAll tells every process of the transactions after the last that it knows of, of an old one, and of one too early.
func (w *World) tellAll() {
	last := uint64(len(w.contract.Log()))
	for _, p := range w.processes {
		for i := p.funded + 1; i <= min(last, p.funded+8); i++ {
			w.tell(p, i)
		}
		if w.healed {
			continue
		}
		if p.funded > 0 && w.rng.IntN(4) == 0 {
			w.tell(p, 1+w.rng.Uint64N(p.funded))
		}
		if p.funded+2 <= last && w.rng.IntN(4) == 0 {
			w.tell(p, p.funded+2)
		}
	}
}

func (w *World) tell(p *process, index uint64) {
	w.transmit(event{kind: eventFund, to: p.index, ref: index}, 0)
}

// fund applies a transaction of the Primary at all shards of a process.
func (p *process) fund(e *event) {
	if p.down {
		p.w.count.Undelivered++
		return
	}
	t := &p.w.contract.Log()[e.ref-1]
	changed := false
	for s, shard := range p.shards {
		if shard == nil {
			continue
		}
		out := shard.SyncPrimary(nil, &t.Recipient, t.Amount, t.Index)
		if out.NewVote { // its reply, which nobody asked for, is the first to show a vote since a recovery
			var sig signature
			p.w.scheme.Sign(&sig, p.key, shard.AppendSignedBytes(nil, out.Ticket), 0)
			shard.Signed([]signature{sig})
		}
		if p.books != nil {
			p.books.fund(&t.Recipient, t.Amount, t.Index, s, out.Changed)
		}
		if out.Changed {
			changed = true
		} else {
			p.w.count.FundingRepeated++
		}
	}
	if changed {
		p.funded = e.ref
		p.flush()
	}
}

// redeem has the Primary pay for a certificate, and tries to have it pay again.
func (w *World) redeem(c codec.Certificate) {
	before, place := w.contract.Total(), placeKey(w.facts.id(c.Order().Sender()), c.Order().SequenceNumber())
	_, amount, err := w.contract.Redeem(c)
	if errors.Is(err, authority.ErrNotCovered) {
		return
	}
	if w.redeemed[place] && errors.Is(err, authority.ErrRedeemed) { // a colluder's: two certificates of one order
		return
	}
	w.redeemed[place] = true
	if err != nil || amount != c.Order().Amount() || before-amount != w.contract.Total() {
		w.fail(propertyS4, fmt.Sprintf("the contract pays %d with error %v for %s", amount, err, describeOrder(c.Order())))
		return
	}
	w.count.Redeemed++
	for range 1 + w.rng.IntN(2) {
		_, amount, err = w.contract.Redeem(c)
		if !errors.Is(err, authority.ErrRedeemed) && !errors.Is(err, authority.ErrNotCovered) {
			w.fail(propertyS4, fmt.Sprintf("the contract pays %d twice, with error %v, for %s", amount, err,
				describeOrder(c.Order())))
		}
	}
}
