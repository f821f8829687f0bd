package sim

import (
	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/authority"
	"fastpay/node/journal"
)

// A process runs some or all shards of one authority, as a node does: it takes what has arrived as a batch, refuses
// what needs no state, checks signatures, applies in order of arrival, signs, writes records, and parks what must wait
// until they are durable. The cores are the real ones; the shell is this one.
type process struct {
	w       *World
	index   int32
	member  int  // whose process it is
	copy    int  // 1 for the second copy of a twin
	correct bool // the member is not Byzantine: the checker believes in it
	key     *crypto.PrivateKey
	shards  []*authority.Shard // by number; nil for those of siblings
	lie     behavior           // nil for those that answer as they should
	books   *books             // nil unless correct

	inbox                []request
	batching             bool // an eventBatch is under way
	resending            bool // an eventResend is
	down                 bool
	epoch                uint64   // number of this start
	outboxes             []outbox // by shards, see box
	wiresOut, wiresIn    []*wire  // of a process that runs one shard
	lives                byte     // an amnesiac has several logs
	funded               uint64   // transactions of the Primary heard of
	disk                 *disk    // nil: nothing is kept
	reader               *authority.Reader
	parked               []parkedEvent
	leaving              []parkedEvent  // scratch
	applied              int            // records made since the very beginning
	first                int            // the lowest shard that it runs
	remembered           []byte         // a replayer's
	flipped              bool           // a bit of its disk was inverted, and no recovery has seen the end of it yet
	old                  *journal.MemFS // a copy of its disk, from an earlier crash
	oldEpoch             uint64         // the start that it was made before
	restored             bool           // that copy is its disk now
	retired              bool           // its disk is damaged: it does not come back
	sealed, sealedBefore int            // records that the last commit made durable, and the one before
	recoveredBefore      int            // records before the last group that recovery found
	groupRecords         map[uint64]int // records up to a group of the journal
	loaded               bool           // this recovery began with a snapshot
	loadedRecords        int            // of so many
	amnesia              bool           // an amnesiac forgets everything after this batch

	signatures [][]crypto.Signature // of the batch, by shard
	messages   [][]message          // to be signed, by shard
	patches    []patch
}

// message is bytes to be signed.
type message = []byte

// A request is one message that a process has received.
type request struct {
	from    int32 // client
	shard   int
	ref     uint64
	data    []byte
	signed  []byte // what order and votes sign
	kind    codec.Kind
	order   codec.Order
	cert    codec.Certificate
	info    codec.InfoRequest
	refusal *codec.Error
	silent  bool // no answer
	out     authority.Outcome
	fetch   authority.Fetch
}

// A patch is where a vote's signature belongs in a reply.
type patch struct {
	request, at, shard, ticket int
}

const (
	maxReply = 8 << 10
	ringKB   = 128 // memory for certificates of a process without a disk, KiB, of the smallest that forgets none

	// smallRingKB is memory for the last certificates alone, two dozen at four members.
	smallRingKB = 16
)

// receive takes a message. What is received while the process is down is lost.
func (p *process) receive(e *event) {
	if p.down {
		p.w.count.Undelivered++
		return
	}
	shard := int(e.shard)
	if shard >= len(p.shards) || p.shards[shard] == nil {
		return // nobody listens on that port here
	}
	p.inbox = append(p.inbox, request{from: e.from, shard: shard, ref: e.ref, data: e.data})
	p.wake()
}

func (p *process) wake() {
	if p.batching {
		return
	}
	p.batching = true
	p.w.push(event{kind: eventBatch, to: p.index, ref: p.epoch}, p.w.draw(p.w.plan.BatchMax))
}

// batch works on everything that has arrived.
func (p *process) batch() {
	p.batching = false
	requests := p.inbox[:min(len(p.inbox), maxBatch)]
	for i := range requests {
		p.admit(&requests[i], i == len(requests)-1)
	}
	for i := range requests {
		p.apply(&requests[i], i)
	}
	p.sign(requests)
	base, group := p.flush()
	for i := range requests {
		r := &requests[i]
		r.fetch.Rebase(base)
		p.answer(r, r.out.At.Rebase(base), group)
	}
	clear(requests)
	p.inbox = p.inbox[:copy(p.inbox, p.inbox[len(requests):])]
	if p.amnesia {
		p.forgetAll()
	}
	if len(p.inbox) > 0 {
		p.wake()
	}
}

// admit decodes, refuses what no other request of the batch can change, and checks signatures.
func (p *process) admit(r *request, last bool) {
	m := &p.w.message
	if !m.Decode(r.data) {
		r.kind, r.refusal = codec.KindError, &codec.Error{Code: codec.InvalidDecoding}
		return
	}
	r.kind = m.Kind
	shard := p.shards[r.shard]
	switch m.Kind {
	case codec.KindOrder:
		r.order = m.Order()
	case codec.KindCertificate:
		r.cert = m.Certificate()
		r.order = r.cert.Order()
	case codec.KindInfoRequest:
		r.info = *m.InfoRequest()
	case codec.KindCrossShard: // of strangers; siblings have a way of their own
		p.w.count.forged[forgeCrossShard]++
		r.silent = true
		return
	default:
		r.silent = true
		return
	}
	if r.refusal = shard.Precheck(m); r.refusal != nil || m.Kind == codec.KindInfoRequest {
		return
	}
	r.signed = r.order.AppendSignedBytes(make([]byte, 0, codec.MaxSignedSize))
	if !p.verified(shard, r, last) {
		r.refusal = &codec.Error{Code: codec.InvalidSignature}
	}
}

// verified checks the signatures of an order or a certificate, but for what has verified before.
func (p *process) verified(shard *authority.Shard, r *request, last bool) bool {
	verify := p.w.scheme.Verify
	if !shard.KnownOrder(r.order) && !sabotaged("sim: the owner's signature is not checked") &&
		!verify(r.order.Sender(), r.signed, r.order.Signature()) {
		return false
	}
	if r.kind != codec.KindCertificate {
		return true
	}
	own := p.key.Public()
	for i := range r.cert.NumVotes() {
		name, sig := r.cert.Vote(i)
		if *name == own && shard.KnownVote(r.order, sig) || last && i == r.cert.NumVotes()-1 &&
			sabotaged("sim: the last signature of a batch is not checked") {
			continue
		}
		if !verify(name, r.signed, sig) {
			return false
		}
	}
	return true
}

// apply puts a request through the rules.
func (p *process) apply(r *request, i int) {
	if r.silent {
		return
	}
	shard := p.shards[r.shard]
	dst := p.w.replies.begin()
	switch {
	case r.refusal != nil:
		r.out = authority.Outcome{Reply: codec.AppendError(dst, r.refusal), VoteAt: -1, CreditTo: -1}
	case r.kind == codec.KindOrder:
		r.out = shard.Order(dst, r.order)
		p.ordered(r)
	case r.kind == codec.KindCertificate:
		r.out = shard.Certificate(dst, r.cert)
		p.confirmed(r)
	default:
		r.out, r.fetch = shard.Info(dst, &r.info, maxReply)
		p.asked(r)
	}
	r.out.Reply = p.w.replies.keep(r.out.Reply)
	if r.out.NewVote {
		p.messages[r.shard] = append(p.messages[r.shard], shard.AppendSignedBytes(make([]byte, 0, codec.MaxSignedSize), r.out.Ticket))
	}
	if r.out.VoteAt >= 0 {
		p.patches = append(p.patches, patch{i, r.out.VoteAt, r.shard, r.out.Ticket})
	}
}

// ordered, confirmed and asked tell the checker.
func (p *process) ordered(r *request) {
	if p.books == nil {
		return
	}
	if r.out.Changed {
		p.books.vote(r.order, r.shard)
	}
	p.books.unchanged(r)
}

func (p *process) confirmed(r *request) {
	if p.books == nil {
		return
	}
	if r.out.Accepted {
		p.books.accept(r.cert)
	}
	if r.out.Changed {
		p.books.settle(r)
	} else {
		p.books.unchanged(r)
	}
}

func (p *process) asked(r *request) {
	if p.books != nil {
		p.books.unchanged(r)
	}
}

// sign makes the votes of the batch and fills them in.
func (p *process) sign(requests []request) {
	for s, shard := range p.shards {
		if shard == nil {
			continue
		}
		sigs := p.signatures[s][:0]
		for _, m := range p.messages[s] {
			var sig crypto.Signature
			p.w.scheme.Sign(&sig, p.key, m, 0)
			sigs = append(sigs, sig)
		}
		shard.Signed(sigs)
		p.signatures[s] = sigs
		clear(p.messages[s])
		p.messages[s] = p.messages[s][:0]
	}
	for _, at := range p.patches {
		copy(requests[at.request].out.Reply[at.at:], p.signatures[at.shard][at.ticket][:])
	}
	p.patches = p.patches[:0]
}

// flush appends the records of what was just done to the log, and has the disk write them soon. It returns where they
// are, and the group after which all so far is durable.
func (p *process) flush() (base authority.Position, group uint64) {
	if p.disk == nil {
		return 0, 0
	}
	added := p.disk.batch.Len()
	base, group, ok := p.disk.append()
	if !ok {
		p.w.fail(propertyDisk, "a batch of records does not fit in a group")
		return 0, 0
	}
	if p.disk.fullGroup != 0 {
		p.groupRecords[p.disk.fullGroup] = p.applied - added
		p.disk.fullGroup = 0
	}
	for _, s := range p.shards {
		if s != nil {
			s.Rebase(base)
		}
	}
	if group > p.disk.journal.Durable() && !p.disk.committing {
		p.disk.committing = true
		p.w.push(event{kind: eventCommit, to: p.index, ref: p.epoch}, 1+p.w.draw(p.w.plan.SyncMax))
	}
	return base, group
}

// answer sends what came of a request, once group is durable.
func (p *process) answer(r *request, at authority.Position, group uint64) {
	if r.silent {
		return
	}
	if r.out.CreditTo >= 0 {
		p.sendCredit(r.shard, r.out.CreditTo, r.out.CreditNumber, at, r.data, group)
	}
	reply, fetch := r.out.Reply, r.fetch
	var delay uint64
	if p.lie != nil {
		if reply, delay = p.lie(p, r); len(reply) == 0 {
			return
		}
		if &reply[0] != &r.out.Reply[0] { // one of its own making
			fetch = authority.Fetch{}
		}
	}
	p.parkReply(group, event{kind: eventReply, from: p.index, to: r.from, ref: r.ref, data: reply}, delay, fetch)
}

// recordLog counts the records that shards make.
type recordLog struct {
	authority.Log
	count *int
}

// Append implements authority.Log.
func (l recordLog) Append(shard int, record []byte) authority.Position {
	*l.count++
	return l.Log.Append(shard, record)
}
