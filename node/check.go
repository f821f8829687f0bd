package node

import (
	"fastpay/codec"
	"fastpay/crypto"
)

// check is one signature's place in a verifier.
type check struct {
	index   int32
	suspect bool
}

// checkOrder collects the sender's signature, unless exactly this order has verified before.
func (b *batch) checkOrder(r *request, o codec.Order) {
	at := len(b.signed)
	b.signed = o.AppendSignedBytes(b.signed)
	r.signed = b.signed[at:len(b.signed):len(b.signed)]
	r.checks[0] = int32(len(b.checks))
	r.payer = r.shard.core.Payer(o)
	if !r.payer.KnownOrder(o) {
		v, suspect := b.verifier(r)
		before := v.Len()
		b.checks = append(b.checks, check{int32(v.AddOrder(o.Sender(), r.signed, o.Signature())), suspect})
		b.work += workOrder * (v.Len() - before) // nothing, when order and certificate are in one batch
	}
	r.checks[1] = int32(len(b.checks))
}

// checkCertificate collects the sender's signature and the votes', but for our own.
func (b *batch) checkCertificate(r *request, cert codec.Certificate) {
	o := cert.Order()
	b.checkOrder(r, o)
	v, suspect := b.verifier(r)
	for i := range cert.NumVotes() {
		name, sig := cert.Vote(i)
		member, _ := b.w.node.Committee.Index(name) // Precheck refused strangers
		if member == b.w.node.self && r.payer.KnownVote(o, sig) {
			continue
		}
		b.checks = append(b.checks, check{int32(v.AddVote(member, r.signed, sig)), suspect})
		b.work++
	}
	r.checks[1] = int32(len(b.checks))
}

// verifier picks the batch for a source: one that sent a bad signature within the last second is checked apart, so that
// the others don't pay for finding it.
func (b *batch) verifier(r *request) (v *crypto.Verifier, suspect bool) {
	if r.conn != nil {
		suspect = b.w.now.Before(r.conn.suspectUntil)
	} else {
		suspect = b.w.suspects.has(&r.source, b.w.now)
	}
	if suspect {
		return b.w.suspect, true
	}
	return b.w.good, false
}

// verify checks all signatures, and refuses the requests that have a bad one. The verifiers are empty then, for the next
// batch: they are the worker's, not the batch's, since each keeps the keys of senders, and with many batches parked none of
// them would have met a sender before.
func (b *batch) verify() {
	w := b.w
	b.tally.signatures += w.good.Len() + w.suspect.Len()
	good, suspect := w.good.Verify(), w.suspect.Verify()
	if !good || !suspect {
		b.refuseBad()
	}
	w.good.Reset()
	w.suspect.Reset()
}

// refuseBad refuses the requests that have a bad signature.
func (b *batch) refuseBad() {
	for i := range b.requests {
		r := &b.requests[i]
		for _, c := range b.checks[r.checks[0]:r.checks[1]] {
			v := b.w.good
			if c.suspect {
				v = b.w.suspect
			}
			if !v.Valid(int(c.index)) {
				r.refusal = refuseSignature
				b.suspectSource(r)
				break
			}
		}
	}
}

func (b *batch) suspectSource(r *request) {
	b.tally.badSignatures++
	if r.conn != nil {
		r.conn.suspectUntil = b.w.now.Add(suspicionTime)
	} else {
		b.w.suspects.mark(&r.source, b.w.now)
	}
}
