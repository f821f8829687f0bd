package node

import (
	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/authority"
	"fastpay/node/journal"
)

// intake is what a batch needs until its requests have been applied: messages, signatures to check and to make, records.
// The next batch is filled in the same memory then, while replies wait for the disk. It is most of what a payment touches,
// so that one piece of it in turn with another would be too much for a core's cache.
type intake struct {
	frames   []byte // arena: messages as received
	signed   []byte // arena: bytes that signatures are over
	requests []request
	checks   []check // of all requests
	message  codec.Message

	votes      []*shard // of each new vote to sign
	messages   [][]byte // their signed bytes
	signatures []signature
	patches    []patch // where votes' signatures go

	held    []*conn // connections that began to hold back in this batch
	work    int     // in units of a vote's check
	workMax int     // crypto.BatchSize

	records journal.Batch // of what was applied; nobody uses it without a journal
}

// request is a message that waits for its turn.
type request struct {
	shard   *shard
	conn    *conn  // nil for a datagram
	source  source // of a datagram
	message []byte // in the arena
	kind    codec.Kind
	order   codec.Order       // KindOrder
	cert    codec.Certificate // KindCertificate
	payer   authority.Payer   // of order or certificate
	refusal *codec.Error      // known without state
	signed  []byte            // signed bytes of order or certificate
	checks  [2]int32          // range in batch.checks
}

// patch is a place in a reply that a vote's signature must be copied to.
type patch struct {
	reply  *replyBuffer // nil for datagrams
	at     int
	shard  *shard
	ticket int
}

func newIntake(w *worker) *intake {
	return &intake{
		frames:  make([]byte, 0, batchFrameBytes+w.node.MaxMessage),
		signed:  make([]byte, 0, batchRequests*codec.MaxSignedSize),
		workMax: crypto.BatchSize(),
	}
}

func (in *intake) empty() bool { return len(in.requests) == 0 }

func (in *intake) full() bool {
	return len(in.frames) >= batchFrameBytes || len(in.requests) >= batchRequests || in.work >= in.workMax
}

// take copies a message, and makes a request of it.
func (in *intake) take(message []byte) *request {
	at := len(in.frames)
	in.frames = append(in.frames, message...)
	in.requests = append(in.requests, request{message: in.frames[at:len(in.frames):len(in.frames)]})
	return &in.requests[len(in.requests)-1]
}

// drop takes back the last request, which is r.
func (in *intake) drop(r *request) {
	in.frames = in.frames[:len(in.frames)-len(r.message)]
	in.requests = in.requests[:len(in.requests)-1]
}

// reset forgets everything and keeps the memory.
func (in *intake) reset() {
	clear(in.requests)
	clear(in.messages)
	clear(in.held)
	in.frames, in.signed = in.frames[:0], in.signed[:0]
	in.requests, in.checks = in.requests[:0], in.checks[:0]
	in.votes, in.messages, in.patches = in.votes[:0], in.messages[:0], in.patches[:0]
	in.held = in.held[:0]
	in.work = 0
	in.records.Reset()
}

// giveIntake lets another batch have the intake; b has none from here on, until it is filled again.
func (b *batch) giveIntake() {
	b.intake.reset()
	b.w.freeIntakes = append(b.w.freeIntakes, b.intake)
	b.intake = nil
}
