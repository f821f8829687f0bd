package authority

import (
	"slices"

	"pgregory.net/rapid"

	"fastpay/codec"
)

// sendForgery sends what nobody signed, made from what somebody did: it must be refused and change nothing.
func (w *world) sendForgery() {
	if len(w.orders) == 0 {
		return
	}
	message := w.forge(w.recent(w.orders))
	i := w.authority()
	d := w.honest[i]
	shard := rapid.IntRange(0, w.numShards-1).Draw(w.t, "shard")
	before := d.dump()
	if a := d.one(shard, message); a.err == nil {
		w.t.Fatalf("S9: a forgery is accepted: %x", message)
	}
	if d.dump() != before {
		w.t.Fatalf("S9: a forgery changes the state: %x", message)
	}
}

func (w *world) forge(o codec.Order) []byte {
	t := w.t
	vote := func(seed byte, message []byte) codec.VoteEntry {
		return codec.VoteEntry{Authority: testKey(seed), Signature: cheap{}.sign(seed, message)}
	}
	message := o.AppendSignedBytes(nil)
	changed := o.Transfer()
	changed.Amount++
	other := codec.NewOrder(&changed, o.Signature())
	stranger := vote(200, message)
	evil := vote(byzantine, message)
	good := []codec.VoteEntry{evil}
	for seed := range byte(3) {
		if sig, ok := w.votes[string(o.TransferBytes())][seed]; ok {
			good = append(good, codec.VoteEntry{Authority: testKey(seed), Signature: sig})
		}
	}
	wrap := func(o codec.Order, votes []codec.VoteEntry) []byte {
		return certMessage(codec.NewCertificate(o, votes))
	}
	switch rapid.IntRange(0, 7).Draw(t, "forgery") {
	case 0: // an order changed after signing
		return orderMessage(other)
	case 1: // an order in another's name
		changed.Sender = testKey(rapid.SampledFrom(w.owners).Draw(t, "victim"))
		return orderMessage(codec.NewOrder(&changed, o.Signature()))
	case 2: // one voter three times
		return wrap(o, []codec.VoteEntry{evil, evil, evil})
	case 3: // strangers' votes
		return wrap(o, append(good[:min(2, len(good))], stranger))
	case 4: // one vote too few
		return wrap(o, good[:min(2, len(good))])
	case 5: // a correct authority's name on the Byzantine one's signature
		return wrap(o, []codec.VoteEntry{evil, {Authority: testKey(0), Signature: evil.Signature},
			{Authority: testKey(1), Signature: evil.Signature}})
	case 6: // good votes under another transfer
		return wrap(other, padded(good))
	default: // a quorum over what the owner did not sign
		m := other.AppendSignedBytes(nil)
		return wrap(other, []codec.VoteEntry{vote(0, m), vote(1, m), vote(byzantine, m)})
	}
}

// padded is at least three votes of different members, the missing ones with a signature of nobody.
func padded(votes []codec.VoteEntry) []codec.VoteEntry {
	for seed := byte(0); len(votes) < 3; seed++ {
		name := testKey(seed)
		if !slices.ContainsFunc(votes, func(v codec.VoteEntry) bool { return v.Authority == name }) {
			votes = append(votes, codec.VoteEntry{Authority: name, Signature: testSignature})
		}
	}
	return votes
}
