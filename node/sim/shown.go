package sim

import (
	"fastpay/codec"
)

// shown checks a reply that leaves the process, and notes what it promises: S2, S3.
func (b *books) shown(reply []byte) {
	if len(reply) <= replyPendingAt || codec.Kind(reply[0]) != codec.KindInfoResponse {
		return
	}
	f := b.p.w.facts
	id, known := f.ids[codec.Address(reply[4:36])]
	if !known {
		return
	}
	b.shownNext[id] = max(b.shownNext[id], replyNext(reply))
	if reply[replyPendingAt] == 0 {
		return
	}
	m := &b.p.w.message
	if !m.Decode(reply) {
		b.fail(propertyR1, "sends a reply that does not decode")
		return
	}
	v := m.InfoResponse().Pending
	o := v.Order()
	var buf [codec.MaxSignedSize]byte
	if own := b.p.key.Public(); *v.Authority() != own || !b.p.w.scheme.Verify(&own, o.AppendSignedBytes(buf[:0]), v.Signature()) {
		b.fail(propertyS3, "shows a vote that does not verify: %s", describeOrder(o))
		return
	}
	place, content := placeKey(f.id(o.Sender()), o.SequenceNumber()), transferDigest(o)
	if before, ok := b.shownVotes[place]; ok && before != content {
		b.fail(propertyS2, "has shown a vote for another order than %s", describeOrder(o))
		return
	}
	b.shownVotes[place] = content
}

// acknowledgedCredit notes that a sibling is told that its credit is here.
func (b *books) acknowledgedCredit(credit []byte) {
	if m := &b.p.w.message; m.Decode(credit) {
		o := m.Certificate().Order()
		b.shownCredits[placeKey(b.p.w.facts.id(o.Sender()), o.SequenceNumber())] = struct{}{}
	}
}

// recovered checks the state after a restart, which must be that after the first records of what was applied, so many
// that nothing which was shown is missing: S8, S2.
func (b *books) recovered(records int) {
	if records > len(b.log) {
		b.fail(propertyS8, "recovers %d records of %d that it made", records, len(b.log))
		return
	}
	b.p.w.count.RecordsLost += uint64(len(b.log) - records)
	for len(b.log) > records {
		b.undo(&b.log[len(b.log)-1])
		b.log = b.log[:len(b.log)-1]
	}
	f := b.p.w.facts
	for id := range f.accounts {
		a := &f.accounts[id].address
		if shard := shardOf(a, b.p.w.plan.Shards); b.p.shards[shard] != nil {
			b.compare(propertyS8, a, int32(id), shard)
			if next := b.shownNext[int32(id)]; b.at(int32(id)).next < next {
				b.fail(propertyS8, "said that number %d is next of %x and now knows of %d", next, a[:3], b.at(int32(id)).next)
			}
		}
	}
	b.checkPending()
	for id := range b.accounts {
		a := &b.accounts[id]
		place := placeKey(int32(id), a.next)
		if content, shown := b.shownVotes[place]; shown && a.pending != content {
			b.fail(propertyS8, "has forgotten that it voted in place %x", place)
		}
	}
}

// checkPending holds the orders that the shards have pending against the books.
func (b *books) checkPending() {
	f := b.p.w.facts
	for _, s := range b.p.shards {
		if s == nil {
			continue
		}
		for a := range s.Accounts() {
			id, known := f.ids[a.Address]
			if !known {
				continue
			}
			if has := b.at(id).pending != (digest{}); has != (a.Pending != nil) || b.at(id).next != a.NextSequenceNumber {
				b.fail(propertyS8, "recovers %x with number %d and pending %v, but there were %d and %v", a.Address[:3],
					a.NextSequenceNumber, a.Pending != nil, b.at(id).next, has)
			}
		}
	}
}
