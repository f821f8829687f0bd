package sim

import (
	"fmt"

	"fastpay/codec"
	"fastpay/crypto"
)

// A colluder is an owner who spends his money twice: for each number he signs several orders, shows each to some of the
// authorities, adds the votes of the members that lie, which sign anything for him, and settles what gets a quorum at
// some of them. When the votes are split for good, his account is blocked, and his alone.
type colluder struct {
	w       *World
	index   int32
	account int32
	key     *crypto.PrivateKey
	address codec.Address
	number  uint64
	funds   int64

	orders []codec.Order
	votes  []map[int]crypto.Signature // of members that vote as they should, by order
	tries  int
}

const (
	collusionPause = 8000 // µs between two looks at the votes
	collusionTries = 6    // looks before he tries again with the same orders
)

func newColluder(w *World, index int32, key *crypto.PrivateKey, funds int64) *colluder {
	c := &colluder{w: w, index: index, key: key, address: key.Public(), funds: funds}
	c.account = w.facts.id(&c.address)
	w.facts.endow(&c.address, funds)
	return c
}

// most is what he could have at best.
func (c *colluder) most() uint64 { return uint64(c.w.facts.minted) }

func (c *colluder) timer(*event) {}

// wake signs the next orders, or looks at the votes for the last ones.
func (c *colluder) wake(*event) {
	if c.w.healed || c.w.violation != nil {
		return
	}
	if len(c.orders) == 0 {
		c.conspire()
	} else {
		c.harvest()
	}
	c.w.push(event{kind: eventWake, to: c.index}, 1+c.w.draw(2*collusionPause))
}

// conspire signs orders for one number and shows them around.
func (c *colluder) conspire() {
	w := c.w
	c.votes, c.tries = nil, 0
	for i := range 2 + w.rng.IntN(2) {
		amount := 1 + w.rng.Uint64N(uint64(max(c.funds, 1)))
		if w.rng.IntN(3) == 0 {
			amount = uint64(max(c.funds, 1)) // all of it, each time
		}
		t := codec.Transfer{Sender: c.address, Amount: amount, SequenceNumber: c.number,
			Recipient: codec.Recipient{Kind: codec.FastPay, Address: w.payers[w.rng.IntN(len(w.payers))].address}}
		if w.rng.IntN(6) == 0 {
			t.Recipient.Kind = codec.Primary
		}
		if i == 1 && w.rng.IntN(3) == 0 {
			t.UserData.Present = true
		}
		o := w.signOrder(c.key, t)
		w.facts.sign(o)
		c.orders = append(c.orders, o)
		c.votes = append(c.votes, make(map[int]crypto.Signature))
	}
	c.show()
	w.count.Conflicts++
}

// show sends orders to members: mostly one to each, sometimes several; sometimes the same to all.
func (c *colluder) show() {
	same := c.w.rng.IntN(3) == 0
	favourite := c.w.rng.IntN(len(c.orders))
	for m := range c.w.members {
		pick := c.w.rng.IntN(len(c.orders))
		if same && c.w.rng.IntN(5) > 0 {
			pick = favourite
		}
		c.send(m, pick)
		if c.w.rng.IntN(4) == 0 {
			c.send(m, c.w.rng.IntN(len(c.orders)))
		}
	}
}

func (c *colluder) send(member, order int) {
	c.w.request(c.index, member, shardOf(&c.address, c.w.plan.Shards), c.number<<8|uint64(order),
		codec.AppendOrder(nil, c.orders[order]))
}

// reply takes votes for any of the orders.
func (c *colluder) reply(e *event) {
	m := &c.w.message
	if !m.Decode(e.data) || m.Kind != codec.KindInfoResponse {
		return
	}
	v := m.InfoResponse().Pending
	if v.IsZero() {
		return
	}
	member, ok := c.w.memberIndex[*v.Authority()]
	if !ok || !c.w.scheme.Verify(v.Authority(), v.Order().AppendSignedBytes(nil), v.Signature()) {
		return
	}
	for i, o := range c.orders {
		if transferDigest(o) == transferDigest(v.Order()) {
			c.votes[i][member] = *v.Signature()
		}
	}
}

// votesFor is all votes for an order, those of the lying members included, by member.
func (c *colluder) votesFor(i int) (votes []codec.VoteEntry) {
	signed := c.orders[i].AppendSignedBytes(nil)
	for m := range c.w.members {
		key := keyOf(firstMember + m)
		v := codec.VoteEntry{Authority: key.Public()}
		if sig, ok := c.votes[i][m]; ok {
			v.Signature = sig
		} else if m < len(c.w.plan.Liars) {
			c.w.scheme.Sign(&v.Signature, key, signed, 0)
		} else {
			continue
		}
		votes = append(votes, v)
	}
	return votes
}

// weightOf is the weight of members' votes, each as often as it is there.
func (w *World) weightOf(votes []codec.VoteEntry) (weight uint64) {
	for i := range votes {
		if m, ok := w.memberIndex[votes[i].Authority]; ok {
			weight += w.plan.weight(m)
		}
	}
	return weight
}

// harvest makes certificates of what has a quorum and settles them here and there.
func (c *colluder) harvest() {
	w := c.w
	done := false
	for i, o := range c.orders {
		votes := c.votesFor(i)
		if !w.plan.quorum(w.weightOf(votes)) {
			continue
		}
		cert := codec.NewCertificate(o, votes)
		w.facts.certificate(cert, fmt.Sprintf("colluder %d", c.index))
		c.settle(cert)
		c.funds -= int64(o.Amount())
		done = true
	}
	if done {
		w.count.Collusions++
		c.number++
		c.orders = nil
		return
	}
	if c.tries++; c.tries%collusionTries == 0 {
		w.count.Blocked++
		c.show()
	}
}

// settle sends a certificate to some authorities, and to the payee.
func (c *colluder) settle(cert codec.Certificate) {
	w := c.w
	message := codec.AppendCertificate(nil, cert)
	w.pool.keep(message)
	for m := range w.members {
		if w.rng.IntN(3) > 0 {
			w.request(c.index, m, shardOf(&c.address, w.plan.Shards), 0, message)
		}
	}
	if to, ok := paid(cert); !ok {
		w.redeem(cert)
	} else if i := w.rng.IntN(2); i == 0 {
		for _, p := range w.payers {
			if p.address == *to {
				w.transmit(event{kind: eventGift, from: c.index, to: p.index, data: cert.Bytes()}, 0)
			}
		}
	}
}
