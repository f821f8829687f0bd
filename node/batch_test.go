package node

import (
	"testing"
	"time"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/journal"
)

// TestRepliesToClosedConnectionsGoNowhere closes a connection between request and reply, and one inside its own write.
// The requests count all the same, and others are answered.
func TestRepliesToClosedConnectionsGoNowhere(t *testing.T) {
	w := newWorld(t, 4, 1, 24)
	n := w.loopless(w.options())
	worker := n.workers[0]
	before, inside, after := worker.open(t), worker.open(t), worker.open(t)
	inside.broken = true
	for i, s := range []*socket{before, inside, after} {
		s.feed(frame(codec.AppendOrder(nil, w.order(i, 3, 1, 0))), frame(infoRequest(w, i)))
	}
	_ = socketLoop{}.Close(before)
	worker.drain()
	if len(before.written) != 0 || !inside.closed || len(after.replies()) != 2 {
		t.Error("wrong replies")
	}
	if got := n.Stats(); got.Votes != 3 || got.Connections != 1 || n.connections.Load() != 1 {
		t.Errorf("%d votes, %d connections", got.Votes, got.Connections)
	}
	worker.drain() // what was marked closed is gone from the reused batch
	after.feed(frame(infoRequest(w, 2)))
	worker.drain()
	if len(after.replies()) != 1 {
		t.Error("not answered in the next batch")
	}
}

// TestBrokenWriteInsideTraffic fills a batch within one read of a connection whose write fails: what is left of the read
// is dropped.
func TestBrokenWriteInsideTraffic(t *testing.T) {
	w := newWorld(t, 4, 1, 3)
	worker := w.loopless(w.options()).workers[0]
	s := worker.open(t)
	s.broken = true
	var data []byte
	for range 2*batchRequests + 10 {
		data = append(data, frame(infoRequest(w, 0))...)
	}
	s.feed(data)
	if !s.closed {
		t.Fatal("still open")
	}
	if left := len(worker.batch.requests); left > 1 {
		t.Errorf("%d requests of a closed connection in the batch", left)
	}
	worker.drain()
}

// TestBadSignaturesEndApart sends a bad signature from one connection and one datagram source; the next requests of each
// are checked apart, those of others are not, and after a while they are forgiven.
func TestBadSignaturesEndApart(t *testing.T) {
	w := newWorld(t, 4, 1, 24)
	n := w.loopless(w.options())
	worker := n.workers[0]
	bad, good := worker.open(t), worker.open(t)
	source := source{addr: [28]byte{2, 0, 9, 9, 127, 0, 0, 1}, len: 16}
	forged := codec.AppendOrder(nil, w.order(0, 1, 1, 0))
	forged[len(forged)-40] ^= 1
	bad.feed(frame(forged))
	worker.batch.add(worker.shards[0], forged, nil, &source)
	good.feed(frame(codec.AppendOrder(nil, w.order(2, 1, 1, 0))))
	if b := worker; b.suspect.Len() != 0 || b.good.Len() != 2 { // the forged one is there once
		t.Fatalf("%d and %d signatures", b.good.Len(), b.suspect.Len())
	}
	worker.batch.verify()
	for i, r := range worker.batch.requests {
		if (r.refusal == refuseSignature) != (i < 2) {
			t.Errorf("request %d: %v", i, r.refusal)
		}
	}
	worker.batch.intake.reset()
	for round, wantSuspects := range []int{2, 0} {
		bad.feed(frame(codec.AppendOrder(nil, w.order(3, 1, 1, 0))))
		worker.batch.add(worker.shards[0], codec.AppendOrder(nil, w.order(4, 1, 1, 0)), nil, &source)
		good.feed(frame(codec.AppendOrder(nil, w.order(5, 1, 1, 0))))
		if b := worker; b.suspect.Len() != wantSuspects || b.good.Len() != 3-wantSuspects {
			t.Errorf("round %d: %d in good standing, %d not", round, b.good.Len(), b.suspect.Len())
		}
		worker.batch.verify()
		worker.batch.intake.reset()
		worker.now = worker.now.Add(suspicionTime + time.Second)
	}
	if n.Stats().BadSignatures != 0 { // no batch was published
		t.Error("counted before its batch ended")
	}
}

// TestAnnounceBeforeTheLoopBegins gives a worker credits before its first event: they used to crash the process, and are
// there once the loop begins.
func TestAnnounceBeforeTheLoopBegins(t *testing.T) {
	w := newWorld(t, 4, 2, 24)
	o := w.options()
	o.Workers, o.Pin = 2, "off"
	n := w.loopless(o)
	s := n.workers[0].open(t)
	to := w.accountIn(1, 0)
	s.feed(frame(codec.AppendCertificate(nil, w.certificate(w.order(w.accountIn(0, 0), to, 5, 0)))))
	n.workers[0].drain()
	if len(s.replies()) != 1 || n.workers[1].creditsDelivered() {
		t.Fatal("no credit under way")
	}
	n.workers[1].open(t)
	if !n.workers[1].creditsDelivered() || n.Stats().Credits != 1 {
		t.Error("the credit was not looked for when the loop began")
	}
}

// TestCountersTellTheTruth compares with what was sent: refused questions are no answers, bytes out are those of all
// batches, bytes that were held are counted once.
func TestCountersTellTheTruth(t *testing.T) {
	w := newWorld(t, 4, 2, 24)
	n := w.loopless(w.durable(new(journal.MemFS), 0))
	defer n.store.close()
	worker := n.workers[0]
	free := worker.fillLibrary()
	s := worker.open(t)
	var in, out int
	feed := func(message []byte) {
		in += len(message) + codec.FrameHeaderSize
		s.feed(frame(message))
	}
	feed(infoRequest(w, w.accountIn(0, 0)))
	feed(infoRequest(w, w.accountIn(1, 0)))
	worker.turn(t)
	feed(codec.AppendCertificate(nil, w.certificate(w.order(w.accountIn(0, 0), w.accountIn(1, 0), 1, 0))))
	feed(certificateRequest(w, w.accountIn(0, 0), 7)) // held, and then answered with an error
	worker.turn(t)
	free()
	worker.retryHeld()
	worker.turn(t)
	out = len(s.written)
	got := n.Stats()
	if got.Infos != 1 || got.Rejected != 2 || got.Certificates != 1 {
		t.Errorf("counts %+v", got)
	}
	if got.BytesIn != uint64(in) || got.BytesOut != uint64(out) {
		t.Errorf("bytes in %d, out %d, want %d and %d", got.BytesIn, got.BytesOut, in, out)
	}
	if got.BusyNs == 0 || got.BatchP999Ns == 0 {
		t.Error("no time counted")
	}
}

// TestShardsOfOneWorker credits an account of another shard that the same worker runs, and a Primary address, which needs
// no credit.
func TestShardsOfOneWorker(t *testing.T) {
	w := newWorld(t, 4, 2, 24)
	o := w.options()
	o.Workers, o.Pin = 1, "off"
	n := w.loopless(o)
	worker := n.workers[0]
	s := worker.open(t)
	from, to := w.accountIn(0, 0), w.accountIn(1, 0)
	s.feed(frame(codec.AppendCertificate(nil, w.certificate(w.order(from, to, 3, 0)))))
	tr := codec.Transfer{Sender: w.accounts[from].Public(), Amount: 4, SequenceNumber: 1}
	var sig crypto.Signature
	w.accounts[from].Sign(&sig, tr.AppendSignedBytes(nil))
	s.feed(frame(codec.AppendCertificate(nil, w.certificate(codec.NewOrder(&tr, &sig)))))
	worker.drain()
	replies := s.replies()
	if len(replies) != 2 || replies[1].InfoResponse().Balance != codec.NewBalance(initialBalance-7) {
		t.Fatal("not settled")
	}
	a := w.accounts[to].Public()
	if b, _ := worker.shard(1).core.Balance(&a); b != codec.NewBalance(initialBalance+3) {
		t.Errorf("balance %v", b)
	}
}

// TestOversizedFrameInPieces sends the header of an impossible frame byte by byte: what came before is answered, then the
// connection ends.
func TestOversizedFrameInPieces(t *testing.T) {
	w := newWorld(t, 4, 1, 3)
	n := w.loopless(w.options())
	s := n.workers[0].open(t)
	s.feed(frame(infoRequest(w, 0)))
	for _, b := range []byte{0, 0, 0, 0xff, 1} {
		if !s.closed {
			s.feed([]byte{b})
		}
	}
	if !s.closed || len(s.replies()) != 1 || n.Stats().Oversized != 1 {
		t.Errorf("closed %v, counted %d", s.closed, n.Stats().Oversized)
	}
}

// TestLongAnswersShrink bounds the answers of a batch to short questions, and what is kept of large buffers.
func TestLongAnswersShrink(t *testing.T) {
	w := newWorld(t, 4, 1, 3)
	worker := w.loopless(w.options()).workers[0]
	b := worker.batch
	tcp, udp := &request{conn: &conn{}}, &request{}
	if b.infoLimit(tcp) != codec.DefaultMaxMessage || b.infoLimit(udp) != udpInfoReply {
		t.Error("wrong limits in an empty batch")
	}
	b.replyBytes = batchReplyBytes + 1
	if b.infoLimit(tcp) != minInfoReply || b.infoLimit(udp) != minInfoReply {
		t.Error("long answers in a batch that is large already")
	}
	b.datagramTo = make([]byte, 0, maxIdleReplies+1)
	b.reset()
	worker.giveReplyBuffer(&replyBuffer{bytes: make([]byte, 0, maxIdleReplies+1)})
	if b.datagramTo != nil || worker.freeReplies[0].bytes != nil {
		t.Error("large buffers are kept")
	}
}
