package sim

import (
	"math/rand/v2"

	"fastpay/codec"
	"fastpay/crypto"
)

// A pool is what an adversary who listens has heard: the last messages, and certificates among them.
type pool struct {
	messages [64][]byte
	certs    [64]codec.Certificate
	heard    int
	seen     int
}

// keep listens.
func (p *pool) keep(message []byte) {
	p.messages[p.heard%len(p.messages)] = message
	p.heard++
	if codec.Kind(message[0]) == codec.KindCertificate {
		if c, err := codec.ParseCertificate(message[4:]); err == nil {
			p.certs[p.seen%len(p.certs)] = c
			p.seen++
		}
	}
}

func (p *pool) message(rng *rand.Rand) (message []byte, ok bool) {
	if p.heard == 0 {
		return nil, false
	}
	return p.messages[rng.IntN(min(p.heard, len(p.messages)))], true
}

func (p *pool) certificate(rng *rand.Rand) (c codec.Certificate, ok bool) {
	if p.seen == 0 {
		return c, false
	}
	return p.certs[rng.IntN(min(p.seen, len(p.certs)))], true
}

type forgery int

const (
	forgeRepeat     forgery = iota // a message that was sent before
	forgeQuorum                    // one vote too few
	forgeTwice                     // a voter twice instead of another
	forgeStranger                  // a voter from outside instead of a member
	forgeVote                      // one signature damaged, at any place
	forgeLastVote                  // the last one
	forgeContent                   // the votes of another transfer
	forgeMovedVote                 // an authority's own vote, for another transfer
	forgeOwner                     // an order that its owner did not sign
	forgeMovedOrder                // an owner's signature, on another transfer
	forgeAmounts                   // orders of nothing, and of more than there is
	forgeNumbers                   // orders with numbers that are not next
	forgeInfo                      // questions with wild numbers
	forgeShard                     // messages at the wrong door
	forgeGarbage                   // bytes
	forgeCrossShard                // credits from strangers
	forgeSalted                    // a good certificate with other votes and another order's signature: not a forgery
	forgeEarly                     // a certificate whose funds are not there yet, and its own number much later
	numForgeries
)

var forgeryNames = [numForgeries]string{"repeat", "quorum", "voter twice", "stranger", "bad vote", "bad last vote",
	"other content", "moved vote", "no owner", "moved order", "amounts", "numbers", "info", "wrong shard", "garbage",
	"cross-shard", "salted", "early"}

// A forger sends what no correct client would send. It has the keys of the colluding owners and of the members that
// lie, and what was heard; nothing else.
type forger struct {
	w     *World
	index int32
}

func (f *forger) reply(*event) {}
func (f *forger) timer(*event) {}

// wake sends one forgery to one authority.
func (f *forger) wake(*event) {
	if f.w.healed {
		return
	}
	kind := forgery(f.w.rng.IntN(int(numForgeries)))
	if message, ok := f.make(kind); ok && kind != forgeCrossShard {
		f.w.count.forged[kind]++
		f.post(kind, message)
	} else if ok {
		f.post(kind, message)
	}
	f.w.push(event{kind: eventWake, to: f.index}, 1+f.w.draw(2*f.w.plan.ForgeEvery))
}

// post sends a message to the shard that it belongs to, at one authority or all.
func (f *forger) post(kind forgery, data []byte) {
	w := f.w
	shard := w.rng.IntN(w.plan.Shards)
	if m := &w.message; kind != forgeShard && m.Decode(data) {
		switch m.Kind {
		case codec.KindOrder:
			shard = shardOf(m.Order().Sender(), w.plan.Shards)
		case codec.KindCertificate:
			shard = shardOf(m.Certificate().Order().Sender(), w.plan.Shards)
		case codec.KindCrossShard:
			shard = shardOf(m.Certificate().Order().Recipient(), w.plan.Shards)
		case codec.KindInfoRequest:
			shard = shardOf(&m.InfoRequest().Account, w.plan.Shards)
		}
	}
	if m := &w.message; kind == forgeQuorum || kind == forgeTwice || kind == forgeStranger || kind == forgeLastVote {
		if m.Decode(data) { // payees must not believe it either
			w.push(event{kind: eventGift, from: f.index, to: int32(w.rng.IntN(len(w.payers))),
				data: m.Certificate().Bytes()}, w.delay())
		}
	}
	if w.rng.IntN(3) > 0 {
		w.request(f.index, w.rng.IntN(w.plan.Members), shard, 0, data)
		return
	}
	for m := range w.members {
		w.request(f.index, m, shard, 0, data)
	}
}

// make makes a forgery of a kind; ok is false while there is nothing to make it of.
func (f *forger) make(kind forgery) (message []byte, ok bool) {
	w := f.w
	switch kind {
	case forgeRepeat, forgeShard:
		return w.pool.message(w.rng)
	case forgeGarbage:
		message, ok = w.pool.message(w.rng)
		if ok {
			message = append([]byte(nil), message[:1+w.rng.IntN(len(message))]...)
			message[w.rng.IntN(len(message))] ^= 1 << w.rng.IntN(8)
		}
		return message, ok
	case forgeInfo:
		return f.info(), true
	case forgeOwner, forgeAmounts, forgeNumbers, forgeMovedOrder:
		return f.order(kind)
	case forgeMovedVote:
		return f.movedVote()
	}
	c, ok := w.pool.certificate(w.rng)
	if !ok {
		return nil, false
	}
	return f.certificate(kind, c)
}

func (f *forger) info() []byte {
	w := f.w
	wild := []uint64{0, 1, 5, 1 << 20, 1<<63 - 1, 1 << 63, 1<<64 - 1}
	q := codec.InfoRequest{Account: w.payers[w.rng.IntN(len(w.payers))].address}
	q.HasSequence, q.Sequence = w.rng.IntN(2) == 0, wild[w.rng.IntN(len(wild))]
	q.HasReceived, q.ReceivedAfter = w.rng.IntN(2) == 0, wild[w.rng.IntN(len(wild))]
	return codec.AppendInfoRequest(nil, &q)
}

// certificate changes a good certificate.
func (f *forger) certificate(kind forgery, c codec.Certificate) (message []byte, ok bool) {
	w := f.w
	votes, o := votesOf(c), c.Order()
	few := votes // less than a quorum
	for w.plan.quorum(w.weightOf(few)) {
		few = few[:len(few)-1]
	}
	if len(few) == 0 {
		return nil, false
	}
	switch kind {
	case forgeQuorum:
		if light, ok := f.light(); ok && w.rng.IntN(2) == 0 {
			return light, true
		}
		votes = few
	case forgeTwice:
		repeated := few[w.rng.IntN(len(few))]
		for votes = few; !w.plan.quorum(w.weightOf(votes)); {
			votes = append(votes, repeated)
		}
	case forgeStranger:
		key := keyOf(firstStranger)
		v := codec.VoteEntry{Authority: key.Public()}
		w.scheme.Sign(&v.Signature, key, o.AppendSignedBytes(nil), 0)
		votes = append(few, v)
	case forgeVote:
		votes[w.rng.IntN(len(votes))].Signature[w.rng.IntN(16)] ^= 1
	case forgeLastVote:
		// Of an order that never had a quorum: else a certificate that is settled already says nothing.
		votes[len(votes)-1].Signature[0] ^= 1
		if fresh, ok := f.fresh(votes[len(votes)-1]); ok {
			return fresh, true
		}
	case forgeContent:
		t := o.Transfer()
		t.SequenceNumber++
		t.Amount++
		if i := w.colluderOf(o.Sender()); i >= 0 { // who can sign it
			o = w.signOrder(w.colluders[i].key, t)
			w.facts.sign(o)
		} else {
			o = codec.NewOrder(&t, o.Signature())
		}
	case forgeCrossShard:
		t := o.Transfer()
		t.SequenceNumber += uint64(w.rng.IntN(3))
		return codec.AppendCrossShard(nil, codec.NewCertificate(codec.NewOrder(&t, o.Signature()), votes)), true
	case forgeSalted:
		w.rng.Shuffle(len(votes), func(i, j int) { votes[i], votes[j] = votes[j], votes[i] })
	case forgeEarly:
	}
	return codec.AppendCertificate(nil, codec.NewCertificate(o, votes)), true
}

// fresh is a certificate of a colluder's next order, in which only the last vote, given, is bad: it takes the votes of
// the lying members and those that correct ones gave.
func (f *forger) fresh(last codec.VoteEntry) (message []byte, ok bool) {
	w := f.w
	for _, c := range w.colluders {
		for i := range c.orders {
			votes := c.votesFor(i)
			if w.plan.quorum(w.weightOf(votes)) {
				continue
			}
			for m := w.plan.Members - 1; m >= 0; m-- {
				last.Authority = keyOf(firstMember + m).Public()
				if with := append(votes, last); !hasVoter(votes, &last.Authority) && w.plan.quorum(w.weightOf(with)) {
					return codec.AppendCertificate(nil, codec.NewCertificate(c.orders[i], with)), true
				}
			}
		}
	}
	return nil, false
}

// light is a certificate of a colluder's order with votes of more than two thirds of the members, who have no more than two
// thirds of the weight.
func (f *forger) light() (message []byte, ok bool) {
	w := f.w
	for _, c := range w.colluders {
		for i := range c.orders {
			votes := c.votesFor(i)
			if len(votes) >= quorumOf(w.plan.Members) && !w.plan.quorum(w.weightOf(votes)) {
				return codec.AppendCertificate(nil, codec.NewCertificate(c.orders[i], votes)), true
			}
		}
	}
	return nil, false
}

func hasVoter(votes []codec.VoteEntry, name *codec.Address) bool {
	for i := range votes {
		if votes[i].Authority == *name {
			return true
		}
	}
	return false
}

// movedVote is a certificate of one of a colluder's orders with the votes of its other one.
func (f *forger) movedVote() (message []byte, ok bool) {
	w := f.w
	for _, c := range w.colluders {
		if len(c.orders) < 2 {
			continue
		}
		votes := c.votesFor(0)
		for _, v := range c.votesFor(1) {
			if !hasVoter(votes, &v.Authority) {
				votes = append(votes, v)
			}
		}
		if w.plan.quorum(w.weightOf(votes)) {
			return codec.AppendCertificate(nil, codec.NewCertificate(c.orders[w.rng.IntN(2)], votes)), true
		}
	}
	return nil, false
}

// order makes an order that must be refused.
func (f *forger) order(kind forgery) (message []byte, ok bool) {
	w := f.w
	victim := w.payers[w.rng.IntN(len(w.payers))]
	t := codec.Transfer{Sender: victim.address, SequenceNumber: victim.wallet.next, Amount: 1,
		Recipient: codec.Recipient{Kind: codec.FastPay, Address: keyOf(firstStranger + 1).Public()}}
	key := keyOf(firstStranger + 1)
	switch kind {
	case forgeMovedOrder: // the victim's signature of what it has just sent
		for _, p := range w.payers { // best one whose certificate is on its way
			if p.stage == stageSettle && w.rng.IntN(2) == 0 {
				victim = p
				break
			}
		}
		o := victim.wallet.pending
		if o.IsZero() {
			return nil, false
		}
		t.Sender = victim.address
		t.SequenceNumber = o.SequenceNumber() + uint64(w.rng.IntN(2))
		return codec.AppendOrder(nil, codec.NewOrder(&t, o.Signature())), true
	case forgeAmounts, forgeNumbers:
		if len(w.colluders) == 0 {
			return nil, false
		}
		c := w.colluders[w.rng.IntN(len(w.colluders))]
		key, t.Sender, t.SequenceNumber = c.key, c.address, c.number
		amounts := []uint64{0, c.most() + 1, 1<<63 - 1, 1 << 63, 1<<64 - 1}
		numbers := []uint64{1, 2, 1 << 32, 1 << 62, 1<<64 - 1}
		if kind == forgeAmounts {
			t.Amount = amounts[w.rng.IntN(len(amounts))]
		} else {
			t.SequenceNumber += numbers[w.rng.IntN(len(numbers))]
		}
		o := w.signOrder(key, t)
		w.facts.sign(o)
		return codec.AppendOrder(nil, o), true
	}
	return codec.AppendOrder(nil, w.signOrder(key, t)), true
}

// signOrder makes an order; each has a signature of its own where the scheme has many.
func (w *World) signOrder(key *crypto.PrivateKey, t codec.Transfer) codec.Order {
	var sig crypto.Signature
	w.scheme.Sign(&sig, key, t.AppendSignedBytes(nil), w.rng.Uint64())
	return codec.NewOrder(&t, &sig)
}

func (w *World) colluderOf(a *codec.Address) int {
	for i, c := range w.colluders {
		if c.address == *a {
			return i
		}
	}
	return -1
}
