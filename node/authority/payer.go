package authority

import (
	"bytes"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
)

// A Payer is the account of an order's sender, looked up once for all that is asked about the order, and for a certificate
// of it that of its recipient. An account that was not there is looked up again when it is needed, since another request
// may have made it. A Payer is valid for the shard's life.
type Payer struct {
	shard     *Shard
	account   *account // nil if it was not there
	recipient *account // nil if nobody looked, or it was not there, or is of another shard
}

// Payer looks up the sender of o.
func (s *Shard) Payer(o codec.Order) Payer {
	return Payer{shard: s, account: s.table.find(o.Sender())}
}

// LookUp looks up the recipient of o for Certificate. Callers who do this for all certificates of a batch, one right after
// the other, wait for several accounts at once; Certificate alone would wait for each.
func (p *Payer) LookUp(o codec.Order) {
	if o.RecipientKind() == codec.FastPay && committee.ShardOf(o.Recipient(), p.shard.numShards) == p.shard.shard {
		p.recipient = p.shard.table.find(o.Recipient())
	}
}

// find is the sender's account, nil when there is none.
func (p Payer) find(o codec.Order) *account {
	if p.account != nil {
		return p.account
	}
	return p.shard.table.find(o.Sender())
}

// open is the recipient's account, made if it is not there.
func (p Payer) open(o codec.Order) *account {
	if p.recipient != nil {
		return p.recipient
	}
	return p.shard.table.open(o.Recipient())
}

// pending is the slot of the sender's pending order, nil when there is none.
func (p Payer) pending(o codec.Order) *slot {
	if a := p.find(o); a != nil && a.pending != 0 {
		return p.shard.pending.slots.at(a.pending - 1)
	}
	return nil
}

// KnownOrder is Shard.KnownOrder.
func (p Payer) KnownOrder(o codec.Order) bool {
	order := p.pending(o)
	if sabotaged("authority: an order is known by its signature alone") {
		return order != nil && bytes.Equal(order.orderBytes()[len(order.transferBytes()):], o.Signature()[:])
	}
	return order != nil && bytes.Equal(order.orderBytes(), o.Bytes())
}

// KnownVote is Shard.KnownVote.
func (p Payer) KnownVote(o codec.Order, sig *crypto.Signature) bool {
	order := p.pending(o)
	known := order != nil && order.ticket == signed && order.vote == *sig
	if sabotaged("authority: an own vote is known by its signature alone") {
		return known
	}
	return known && bytes.Equal(order.transferBytes(), o.TransferBytes())
}
