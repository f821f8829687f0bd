package node

import (
	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/authority"
)

type signature = crypto.Signature

// batch is a group of requests that are checked together, applied in order of arrival, and answered when they are
// durable. Its memory is fixed and reused. Once it was applied its intake goes to the next batch, and what is left waits.
type batch struct {
	w *worker
	*intake

	replies    []*replyBuffer // by connection
	datagrams  []datagramReply
	datagramTo []byte // their bytes
	replyBytes int
	credits    []credit
	fetching   []*replyBuffer // replies that show certificates, to be read back
	tally      tally

	group   uint64    // of the journal: durable once this is
	outside bool      // it has credits for other processes, or from them
	arrived []arrival // credits of other processes
}

// replyBuffer holds a connection's replies of one batch, framed. One that shows certificates from the journal has a
// buffer of its own, and so has what follows it.
type replyBuffer struct {
	conn  *conn // nil for a datagram
	bytes []byte

	fetch   authority.Fetch // what is read back, if it is wanted
	group   uint64          // of the journal, after which it may be
	ready   bool            // it has been
	counted int             // of its bytes, while it waits for another one
	from    source          // of a datagram
	shard   *shard
}

func newBatch(w *worker) *batch { return &batch{w: w} }

// add takes a message in; the bytes are copied. A full batch is worked off first.
func (b *batch) add(s *shard, message []byte, c *conn, from *source) {
	w := b.w
	if b.full() {
		w.drain()
		b = w.batch
	}
	if c != nil && c.holding {
		c.holdFrame(w, message)
		return
	}
	w.postDrain()
	if len(message) > w.node.MaxMessage { // a datagram
		message = nil
	}
	r := b.take(message)
	r.shard, r.conn = s, c
	if from != nil {
		r.source = *from
	}
	if !b.admit(r) {
		b.drop(r)
	}
}

// admit decodes a request, refuses what no other request of the batch can change, and collects its signatures. It
// reports whether the request is to be answered.
func (b *batch) admit(r *request) bool {
	m := &b.message
	if !m.Decode(r.message) {
		r.kind, r.refusal = codec.KindError, refuseDecoding
		return true
	}
	r.kind = m.Kind
	switch m.Kind {
	case codec.KindOrder:
		r.order = m.Order()
		if r.refusal = r.shard.core.Precheck(m); r.refusal == nil {
			b.checkOrder(r, r.order)
			b.work += workSign
		}
	case codec.KindCertificate:
		r.cert = m.Certificate()
		if r.refusal = r.shard.core.Precheck(m); r.refusal == nil {
			b.checkCertificate(r, r.cert)
		}
	case codec.KindCrossShard:
		b.w.stats.crossShardRefused.Add(1) // siblings have links
		return false
	case codec.KindInfoRequest: // decoded again when its turn comes
	case codec.KindVote:
		r.refusal = refuseUnexpected
	default: // answers: over UDP two authorities could be made to answer each other for ever
		if r.conn == nil {
			b.tally.rejected++
			return false
		}
		r.refusal = refuseUnexpected
	}
	return true
}

var (
	refuseDecoding   = &codec.Error{Code: codec.InvalidDecoding}
	refuseUnexpected = &codec.Error{Code: codec.UnexpectedMessage}
	refuseSignature  = &codec.Error{Code: codec.InvalidSignature, Text: "verification equation was not satisfied"}
)

// apply answers every request in order of arrival.
func (b *batch) apply() {
	for i := range b.requests { // nothing else, so that the core waits for several accounts at once
		if r := &b.requests[i]; r.kind == codec.KindCertificate && r.refusal == nil {
			r.payer.LookUp(r.cert.Order())
		}
	}
	for i := range b.requests {
		r := &b.requests[i]
		switch c := r.conn; {
		case c == nil:
			b.applyRequest(r)
		case c.holding:
			c.holdFrame(b.w, r.message)
		default:
			b.applyRequest(r)
		}
	}
	for _, c := range b.held { // what is partial comes after what is held
		c.held = append(c.held, c.tail...)
		c.tail = c.tail[:0]
		b.w.countKept(c)
	}
	for _, buf := range b.replies {
		buf.conn.replies = nil
	}
}

func (b *batch) applyRequest(r *request) {
	if r.kind == codec.KindCertificate && r.refusal == nil && !b.reserveCredit(r) {
		return
	}
	if r.kind == codec.KindInfoRequest && b.message.Decode(r.message) && !b.mayFetch(r, b.message.InfoRequest()) {
		return
	}
	dst, buf := b.replyTo(r)
	start := len(dst)
	if r.conn != nil {
		dst = codec.BeginFrame(dst)
	}
	var out authority.Outcome
	switch {
	case r.refusal != nil:
		out = authority.Outcome{Reply: codec.AppendError(dst, r.refusal), VoteAt: -1, CreditTo: -1}
	case r.kind == codec.KindOrder:
		out = r.payer.Order(dst, r.order)
		b.tally.order(out.Accepted)
	case r.kind == codec.KindCertificate:
		out = r.payer.Certificate(dst, r.cert)
		b.settleCredit(r, &out)
		b.tally.certificate(out.Accepted)
	default:
		var fetch authority.Fetch
		out, fetch = r.shard.core.Info(dst, b.message.InfoRequest(), b.infoLimit(r))
		if fetch.Wanted() {
			buf, start = b.read(r, &out, &fetch, buf, start)
		}
		b.tally.info(out.Accepted)
	}
	if r.refusal != nil {
		b.tally.rejected++
	}
	if out.NewVote {
		b.votes = append(b.votes, r.shard)
		b.messages = append(b.messages, b.voteMessage(r, out.Ticket))
	}
	if out.VoteAt >= 0 {
		b.patches = append(b.patches, patch{buf, out.VoteAt, r.shard, out.Ticket})
	}
	b.replyBytes += len(out.Reply) - start
	b.replied(r, buf, out.Reply, start)
	if b.records.Size() >= b.w.node.limits.flush {
		b.w.flush(b)
	}
}

// voteMessage is what is signed for a vote that a request drew.
func (b *batch) voteMessage(r *request, ticket int) []byte {
	if r.kind == codec.KindOrder {
		return r.signed
	}
	at := len(b.signed)
	b.signed = r.shard.core.AppendSignedBytes(b.signed, ticket)
	return b.signed[at:len(b.signed):len(b.signed)]
}

// infoLimit is the largest reply to an info request.
func (b *batch) infoLimit(r *request) int {
	limit := b.w.node.MaxMessage
	if r.conn == nil {
		limit = min(limit, udpInfoReply)
	}
	if b.replyBytes > batchReplyBytes {
		limit = min(limit, minInfoReply)
	}
	return limit
}

// replyTo gives the buffer that the reply is appended to.
func (b *batch) replyTo(r *request) ([]byte, *replyBuffer) {
	if r.conn == nil {
		return b.datagramTo, nil
	}
	buf := r.conn.replies
	if buf == nil {
		buf = b.w.takeReplyBuffer(r.conn)
		r.conn.replies = buf
		b.replies = append(b.replies, buf)
	}
	return buf.bytes, buf
}

func (b *batch) replied(r *request, buf *replyBuffer, reply []byte, start int) {
	if buf != nil {
		codec.EndFrame(reply, start)
		buf.bytes = reply
		return
	}
	b.datagramTo = reply
	b.datagrams = append(b.datagrams, datagramReply{r.source, r.shard, start, len(reply)})
}

// sign signs all new votes of the batch together and fills them in.
func (b *batch) sign() {
	if len(b.votes) > 0 {
		if cap(b.signatures) < len(b.votes) {
			b.signatures = make([]signature, batchRequests)
		}
		b.signatures = b.signatures[:len(b.votes)]
		b.w.node.Key.SignBatch(b.signatures, b.messages)
		for i, s := range b.votes {
			s.signed = append(s.signed, b.signatures[i])
		}
	}
	for _, p := range b.patches {
		bytes := b.datagramTo
		if p.reply != nil {
			bytes = p.reply.bytes
		}
		copy(bytes[p.at:], p.shard.signed[p.ticket][:])
	}
	for _, s := range b.votes {
		if len(s.signed) > 0 {
			s.core.Signed(s.signed)
			s.signed = s.signed[:0]
		}
	}
	b.tally.votes += len(b.votes)
}

// reset forgets everything and keeps the memory.
func (b *batch) reset() {
	clear(b.credits)
	clear(b.fetching)
	clear(b.arrived)
	b.replies, b.datagrams, b.datagramTo = b.replies[:0], b.datagrams[:0], b.datagramTo[:0]
	b.credits, b.fetching, b.arrived = b.credits[:0], b.fetching[:0], b.arrived[:0]
	b.group, b.outside, b.replyBytes = 0, false, 0
	b.tally = tally{}
	if cap(b.datagramTo) > maxIdleReplies {
		b.datagramTo = nil
	}
}

// maxIdleReplies is what is kept of a buffer for replies between batches.
const maxIdleReplies = 1 << 20
