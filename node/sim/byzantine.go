package sim

import (
	"fastpay/codec"
	"fastpay/crypto"
)

// A behavior is how a member that is not correct answers: it is given what a correct one would say, and may say
// something else, later, or nothing (nil). What it signs, it signs with its own key alone.
type behavior func(p *process, r *request) (reply []byte, delay uint64)

type behaviorKind int

const (
	beSilent     behaviorKind = iota
	beSlow                    // answers when nobody waits any more
	beSigner                  // votes for every order that its owner signed
	beWrong                   // votes whose signatures do not verify
	beImpostor                // votes in another member's name
	beOtherOrder              // votes for another order than it was asked for
	beBoaster                 // knows of a thousand payments more
	beForgetful               // lacks all earlier payments, whenever it is asked
	beGarbled                 // sends bytes that are no message
	beReplayer                // answers what it answered before to somebody else
	beAmnesiac                // loses everything now and then, and goes on as if nothing was
	beForger                  // answers questions with certificates that it has made up
	beTwin                    // two correct copies, each with a life of its own
	numBehaviors
)

var behaviorNames = [numBehaviors]string{"silent", "slow", "signer", "wrong", "impostor", "other order", "boaster",
	"forgetful", "garbled", "replayer", "amnesiac", "forger", "twin"}

// String is the behavior's name.
func (k behaviorKind) String() string { return behaviorNames[k] }

var behaviors = [numBehaviors]behavior{
	beSilent:     counted(beSilent, func(*process, *request) ([]byte, uint64) { return nil, 0 }),
	beSlow:       counted(beSlow, func(p *process, r *request) ([]byte, uint64) { return r.out.Reply, p.w.draw(500_000) }),
	beSigner:     counted(beSigner, signAnything),
	beWrong:      counted(beWrong, wrongVote),
	beImpostor:   counted(beImpostor, impostorVote),
	beOtherOrder: counted(beOtherOrder, otherVote),
	beBoaster:    counted(beBoaster, boast),
	beForgetful:  counted(beForgetful, forget),
	beGarbled:    counted(beGarbled, func(p *process, _ *request) ([]byte, uint64) { return []byte("garbage"), 0 }),
	beReplayer:   counted(beReplayer, replay),
	beAmnesiac:   counted(beAmnesiac, loseState),
	beForger:     counted(beForger, forgeAnswer),
	beTwin:       counted(beTwin, func(_ *process, r *request) ([]byte, uint64) { return r.out.Reply, 0 }),
}

func counted(k behaviorKind, b behavior) behavior {
	return func(p *process, r *request) ([]byte, uint64) {
		p.w.count.lies[k]++
		return b(p, r)
	}
}

// pendingVote is a view of the vote that a reply shows, zero if it shows none.
func (p *process) pendingVote(reply []byte) codec.Vote {
	if m := &p.w.message; m.Decode(reply) && m.Kind == codec.KindInfoResponse {
		return m.InfoResponse().Pending
	}
	return codec.Vote{}
}

// vote is an answer with p's vote for a transfer.
func (p *process) vote(t codec.Transfer, owner *crypto.Signature) []byte {
	var sig crypto.Signature
	p.w.scheme.Sign(&sig, p.key, t.AppendSignedBytes(nil), 0)
	name := p.key.Public()
	return codec.AppendInfoResponse(nil, &codec.InfoResponse{Account: t.Sender, NextSequenceNumber: t.SequenceNumber,
		Pending: codec.NewVote(codec.NewOrder(&t, owner), &name, &sig)})
}

func signAnything(p *process, r *request) ([]byte, uint64) {
	if r.kind != codec.KindOrder || r.refusal != nil {
		return r.out.Reply, 0
	}
	return p.vote(r.order.Transfer(), r.order.Signature()), 0
}

func wrongVote(p *process, r *request) ([]byte, uint64) {
	if v := p.pendingVote(r.out.Reply); !v.IsZero() {
		v.Signature()[3] ^= 1
	}
	return r.out.Reply, 0
}

func impostorVote(p *process, r *request) ([]byte, uint64) {
	if v := p.pendingVote(r.out.Reply); !v.IsZero() {
		*v.Authority() = keyOf(firstMember + p.w.plan.Members - 1).Public()
	}
	return r.out.Reply, 0
}

func otherVote(p *process, r *request) ([]byte, uint64) {
	if r.kind != codec.KindOrder || r.refusal != nil {
		return r.out.Reply, 0
	}
	t := r.order.Transfer()
	t.Amount++
	return p.vote(t, r.order.Signature()), 0
}

func boast(p *process, r *request) ([]byte, uint64) {
	if r.kind != codec.KindInfoRequest || r.info.HasSequence || r.info.HasReceived {
		return r.out.Reply, 0
	}
	return codec.AppendInfoResponse(nil, &codec.InfoResponse{Account: r.info.Account, NextSequenceNumber: 1000,
		Balance: codec.MaxBalance}), 0
}

func forget(p *process, r *request) ([]byte, uint64) {
	if r.kind != codec.KindCertificate {
		return r.out.Reply, 0
	}
	return codec.AppendError(nil, &codec.Error{Code: codec.MissingEalierConfirmations}), 0
}

func replay(p *process, r *request) ([]byte, uint64) {
	if old := p.remembered; old != nil && p.w.rng.IntN(2) == 0 {
		return old, 0
	}
	p.remembered = r.out.Reply
	return r.out.Reply, 0
}

func loseState(p *process, r *request) ([]byte, uint64) {
	if p.w.rng.IntN(200) == 0 {
		p.amnesia = true // once the batch is over
	}
	return r.out.Reply, 0
}

// forgeAnswer shows the certificate that was asked for with an amount of its own, or one without a quorum.
func forgeAnswer(p *process, r *request) ([]byte, uint64) {
	if r.kind != codec.KindInfoRequest || !r.info.HasSequence && !r.info.HasReceived {
		return r.out.Reply, 0
	}
	c, ok := p.w.pool.certificate(p.w.rng)
	if !ok {
		return r.out.Reply, 0
	}
	t := c.Order().Transfer()
	if r.info.HasSequence {
		t.Sender, t.SequenceNumber = r.info.Account, r.info.Sequence
	} else {
		t.Recipient = codec.Recipient{Kind: codec.FastPay, Address: r.info.Account}
	}
	forged := codec.NewCertificate(codec.NewOrder(&t, c.Order().Signature()), votesOf(c))
	answer := codec.InfoResponse{Account: r.info.Account, NextSequenceNumber: r.info.Sequence + 1}
	if r.info.HasSequence {
		answer.Certificate = forged
	} else {
		answer.Received = answer.Received.Append(forged)
	}
	return codec.AppendInfoResponse(nil, &answer), 0
}

func votesOf(c codec.Certificate) (votes []codec.VoteEntry) {
	for i := range c.NumVotes() {
		name, sig := c.Vote(i)
		votes = append(votes, codec.VoteEntry{Authority: *name, Signature: *sig})
	}
	return votes
}

// forgetAll is what an amnesiac does once a batch is over.
func (p *process) forgetAll() {
	p.amnesia = false
	p.w.count.Amnesias++
	p.stop()
	p.down = false
	p.lives++
	if p.disk != nil {
		p.disk.fs = newFS()
	}
	if err := p.open(); err != nil {
		panic(err)
	}
	p.openWires()
}

type signature = crypto.Signature
