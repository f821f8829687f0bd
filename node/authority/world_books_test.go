package authority

import (
	"slices"

	"pgregory.net/rapid"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
)

// What a world notes of answers, and checks against a model too simple to be wrong.

// note checks and remembers what a request led to.
func (w *world) note(authority int, message []byte, m *codec.Message, a answer) {
	if a.err != nil && a.err.Code == codec.PreviousTransferMustBeConfirmedFirst {
		w.tally.conflicts++
	}
	if a.out.Accepted && !a.out.Changed {
		w.tally.repeats++
	}
	if a.err != nil {
		return
	}
	if r := infoOfWorld(w.t, a.reply); !r.Pending.IsZero() {
		w.noteVote(authority, r.Pending)
	}
	if m.Kind != codec.KindCertificate {
		return
	}
	c := m.Certificate()
	w.checkQuorum(c)
	w.settled[authority][string(c.Order().TransferBytes())] = true
	if a.creditTo >= 0 {
		from := committee.ShardOf(c.Order().Sender(), w.numShards)
		sent := credit{from, a.creditTo, a.out.CreditNumber, a.out.At, codec.NewCertificate(c.Order(), entries(c))}
		if w.ring || rapid.Bool().Draw(w.t, "apart") {
			sent.at = 0
		}
		w.credits[authority] = append(w.credits[authority], sent)
	}
}

func entries(c codec.Certificate) (votes []codec.VoteEntry) {
	for i := range c.NumVotes() {
		name, sig := c.Vote(i)
		votes = append(votes, codec.VoteEntry{Authority: *name, Signature: *sig})
	}
	return votes
}

func infoOfWorld(t *rapid.T, reply []byte) *codec.InfoResponse {
	m := new(codec.Message)
	if !m.Decode(reply) || m.Kind != codec.KindInfoResponse {
		t.Fatalf("not an info response: %x", reply)
	}
	return m.InfoResponse()
}

// noteVote checks S2 and S9 for a vote that an authority showed, adds the Byzantine one's, and makes a certificate when
// there is a quorum.
func (w *world) noteVote(authority int, v codec.Vote) {
	o, seed := v.Order(), w.honest[authority].seed
	message, transfer := o.AppendSignedBytes(nil), string(o.TransferBytes())
	if !(cheap{}).verify(v.Authority(), message, v.Signature()) || *v.Authority() != testKey(seed) {
		w.t.Fatalf("authority %d shows a vote that is not its own", authority)
	}
	if !(cheap{}).verify(o.Sender(), message, o.Signature()) {
		w.t.Fatalf("S9: authority %d signed what the owner did not", authority)
	}
	if before, ok := w.voted[authority][place(o)]; ok && before != transfer {
		w.t.Fatalf("S2: authority %d signed two orders for %s", authority, place(o))
	}
	w.voted[authority][place(o)] = transfer
	votes := w.votes[transfer]
	if votes == nil {
		votes = map[byte]crypto.Signature{byzantine: cheap{}.sign(byzantine, message)}
		w.votes[transfer] = votes
	}
	if _, ok := votes[seed]; ok {
		return
	}
	votes[seed] = *v.Signature()
	if len(votes) < 3 {
		return
	}
	if before, ok := w.certified[place(o)]; ok && before != transfer {
		w.t.Fatalf("S1: two certificates for %s", place(o))
	}
	w.certified[place(o)] = transfer
	w.tally.certificates++
	w.certs = append(w.certs, w.assemble(o, votes))
}

// assemble lists the votes in the order of their voters.
func (w *world) assemble(o codec.Order, votes map[byte]crypto.Signature) codec.Certificate {
	var entries []codec.VoteEntry
	for seed := range byte(4) {
		if sig, ok := votes[seed]; ok {
			entries = append(entries, codec.VoteEntry{Authority: testKey(seed), Signature: sig})
		}
	}
	return codec.NewCertificate(o, entries)
}

// checkQuorum is S3 by counting: three members, all different, signed exactly these bytes.
func (w *world) checkQuorum(c codec.Certificate) {
	voters := make(map[codec.Address]bool)
	message := c.Order().AppendSignedBytes(nil)
	for i := range c.NumVotes() {
		name, sig := c.Vote(i)
		if slices.Contains(testMembers, *name) && (cheap{}).verify(name, message, sig) {
			voters[*name] = true
		}
	}
	if len(voters) < 3 {
		w.t.Fatalf("S3: a certificate of %d voters was accepted", len(voters))
	}
	if !(cheap{}).verify(c.Order().Sender(), message, c.Order().Signature()) {
		w.t.Fatalf("S9: a certificate was accepted without the owner's signature")
	}
}
