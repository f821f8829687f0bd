package node

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/panjf2000/gnet/v2"

	"fastpay/codec"
)

// A loopless node has workers without event loops: a test feeds them and works off their batches itself, so that it
// decides what meets what in a batch.
func (w *world) loopless(o Options) *Node {
	w.t.Helper()
	c, err := o.check()
	if err != nil {
		w.t.Fatal(err)
	}
	c.cpus = nil // the test's thread is not pinned
	n := newNode(c)
	if err := n.makeWorkers(); err != nil {
		w.t.Fatal(err)
	}
	if err := n.loadAccounts(); err != nil {
		w.t.Fatal(err)
	}
	n.connLimit = 1000
	return n
}

// socket stands in for a connection of the event loop library.
type socket struct {
	gnet.Conn
	w       *worker
	t       *testing.T
	context any
	input   []byte
	written []byte
	queued  int  // what the peer has not taken
	deaf    bool // the peer takes nothing: all that is written is queued
	broken  bool // writing fails
	closed  bool
}

type socketLoop struct{ gnet.EventLoop }

// Execute drops tasks: the test runs them.
func (socketLoop) Execute(context.Context, gnet.Runnable) error { return nil }

func (socketLoop) Close(c gnet.Conn) error {
	s := c.(*socket)
	if !s.closed {
		s.closed = true
		s.w.OnClose(s, nil)
	}
	return nil
}

func (s *socket) Context() any     { return s.context }
func (s *socket) SetContext(c any) { s.context = c }
func (s *socket) LocalAddr() net.Addr {
	return &net.TCPAddr{Port: s.w.node.Member.BasePort + s.w.shards[0].number}
}
func (s *socket) EventLoop() gnet.EventLoop { return socketLoop{} }
func (s *socket) OutboundBuffered() int     { return s.queued }
func (s *socket) Next(int) ([]byte, error)  { return s.input, nil }
func (s *socket) Write(p []byte) (int, error) {
	if s.closed {
		s.t.Error("written to after it was closed: the descriptor may be somebody else's")
	}
	if s.broken {
		_ = socketLoop{}.Close(s)
		return 0, errors.New("broken pipe")
	}
	if s.deaf {
		s.queued += len(p)
	}
	s.written = append(s.written, p...)
	return len(p), nil
}

// open makes a connection to the first shard of a loopless worker.
func (w *worker) open(t *testing.T) *socket {
	s := &socket{w: w, t: t}
	if _, action := w.OnOpen(s); action != gnet.None {
		t.Fatal("connection refused")
	}
	return s
}

func (s *socket) conn() *conn { return s.context.(*conn) }

// feed lets the worker read data.
func (s *socket) feed(data ...[]byte) {
	s.input = nil
	for _, d := range data {
		s.input = append(s.input, d...)
	}
	if s.w.OnTraffic(s) == gnet.Close {
		_ = socketLoop{}.Close(s)
	}
}

// replies takes what was written apart.
func (s *socket) replies() (all []*codec.Message) {
	s.t.Helper()
	for len(s.written) > 0 {
		m, rest, ok, err := codec.TakeFrame(s.written, codec.DefaultMaxMessage)
		if !ok || err != nil {
			s.t.Fatalf("replies are not frames: %x", s.written)
		}
		s.written = rest
		all = append(all, decode(s.t, m))
	}
	return all
}

// fillOutbox takes all room in the outbox to a shard until the returned function gives it back.
func (w *worker) fillOutbox(shard int) (free func()) {
	r := w.links[shard].ring
	before := r.reserved
	r.reserved = uint64(len(r.buf))
	return func() { r.reserved = before }
}

// TestHeldStreamIsNotTornApart completes a frame just when the batch is full, whose first request finds the outbox full:
// what was read behind that frame belongs behind what is held. It used to be kept as the beginning of the next read.
func TestHeldStreamIsNotTornApart(t *testing.T) {
	w := newWorld(t, 4, 2, 24)
	worker := w.loopless(w.options(0)).workers[0]
	from, to := w.accountIn(0, 0), w.accountIn(1, 0)
	free := worker.fillOutbox(1)
	question := frame(infoRequest(w, from))
	cut := len(question) / 2
	s, filler := worker.open(t), worker.open(t)
	s.feed(frame(codec.AppendCertificate(nil, w.certificate(w.order(from, to, 1, 0)))), question[:cut])
	for !worker.batch.full() {
		filler.feed(question)
	}
	s.feed(question[cut:], question[:cut])
	s.feed(question[cut:], question)
	worker.drain()
	if len(s.replies()) != 0 || !s.conn().holding {
		t.Fatal("answered, though the outbox is full")
	}
	free()
	worker.retryHeld()
	worker.drain()
	replies := s.replies()
	if len(replies) != 4 {
		t.Fatalf("%d replies, want 4", len(replies))
	}
	for i, m := range replies {
		if m.Kind != codec.KindInfoResponse || m.InfoResponse().NextSequenceNumber != 1 {
			t.Errorf("reply %d: kind %d, %v", i, m.Kind, m.Error())
		}
	}
	if worker.kept != cap(s.conn().tail)+cap(filler.conn().tail) {
		t.Errorf("%d bytes counted as kept", worker.kept)
	}
}

// TestClosedConnectionIsNotHeld loses a connection whose certificate then finds the outbox full. It used to be counted as
// waiting for good.
func TestClosedConnectionIsNotHeld(t *testing.T) {
	w := newWorld(t, 4, 2, 24)
	worker := w.loopless(w.options(0)).workers[0]
	worker.fillOutbox(1)
	s := worker.open(t)
	s.feed(frame(codec.AppendCertificate(nil, w.certificate(w.order(w.accountIn(0, 0), w.accountIn(1, 0), 1, 0)))))
	_ = socketLoop{}.Close(s)
	worker.drain()
	if n := worker.holders.Load(); n != 0 {
		t.Errorf("%d connections wait, all are closed", n)
	}
	held := worker.open(t)
	held.feed(frame(codec.AppendCertificate(nil, w.certificate(w.order(w.accountIn(0, 0), w.accountIn(1, 0), 1, 0)))))
	worker.drain()
	if n := worker.holders.Load(); n != 1 || worker.kept == 0 {
		t.Errorf("%d connections wait, want 1; %d bytes kept", n, worker.kept)
	}
	_ = socketLoop{}.Close(held)
	if n := worker.holders.Load(); n != 0 || worker.kept != 0 {
		t.Errorf("%d connections wait, and %d bytes are kept, after the last has closed", n, worker.kept)
	}
}

// TestHeldIsTriedOnlyWhenThereIsRoom sweeps while the outbox is full: no signature is checked again for nothing.
func TestHeldIsTriedOnlyWhenThereIsRoom(t *testing.T) {
	w := newWorld(t, 4, 2, 24)
	n := w.loopless(w.options(0))
	worker := n.workers[0]
	free := worker.fillOutbox(1)
	s := worker.open(t)
	s.feed(frame(codec.AppendCertificate(nil, w.certificate(w.order(w.accountIn(0, 0), w.accountIn(1, 0), 1, 0)))))
	worker.drain()
	checked := n.Stats().Signatures
	for range 3 {
		worker.sweep()
		worker.drain()
	}
	if got := n.Stats(); got.Signatures != checked || got.OutboxFull != 1 {
		t.Errorf("%d signatures checked again while there was no room", got.Signatures-checked)
	}
	free()
	worker.sweep()
	worker.drain()
	if len(s.replies()) != 1 {
		t.Error("not answered once there was room")
	}
}

// TestHeldIsBounded sends on while a certificate waits, in frames and in raw reads; either way the connection ends at
// the bound.
func TestHeldIsBounded(t *testing.T) {
	w := newWorld(t, 4, 2, 24)
	n := w.loopless(w.options(0))
	worker := n.workers[0]
	worker.fillOutbox(1)
	cert := frame(codec.AppendCertificate(nil, w.certificate(w.order(w.accountIn(0, 0), w.accountIn(1, 0), 1, 0))))
	raw, framed := worker.open(t), worker.open(t)
	raw.feed(cert)
	worker.drain()
	for i := 0; !raw.closed && i < 100; i++ {
		raw.feed(make([]byte, 60_000))
	}
	framed.feed(cert)
	worker.drain()
	for i := 0; !framed.closed && i < 100; i++ {
		framed.conn().holdFrame(worker, make([]byte, 60_000))
	}
	framed.conn().holdFrame(worker, nil) // a closed one keeps nothing
	if !raw.closed || !framed.closed || worker.kept != 0 || n.Stats().SlowReaders != 2 {
		t.Errorf("closed %v and %v, %d bytes kept", raw.closed, framed.closed, worker.kept)
	}
}

// TestQueuedRepliesAreBoundedAtOnce has many peers that don't read, each below its own bound. Their sum used to be looked
// at once a second, and one connection closed then.
func TestQueuedRepliesAreBoundedAtOnce(t *testing.T) {
	w := newWorld(t, 4, 1, 3)
	o := w.options()
	l := defaultLimits
	l.queued, l.queuedConn = 64<<10, 16<<10
	o.limits = &l
	n := w.loopless(o)
	worker := n.workers[0]
	question := frame(infoRequest(w, 0))
	honest := worker.open(t)
	var sockets []*socket
	for range 30 {
		s := worker.open(t)
		s.deaf = true
		sockets = append(sockets, s)
	}
	for round := range 60 {
		total := 0
		for i, s := range sockets {
			if s.closed {
				continue
			}
			for range i + 1 { // the last are the greediest
				s.feed(question)
			}
		}
		honest.feed(question)
		worker.drain()
		for _, s := range sockets {
			if !s.closed {
				total += s.queued
			}
		}
		if total > l.queued {
			t.Fatalf("round %d: %d bytes queued, bound %d", round, total, l.queued)
		}
		if len(honest.replies()) != 1 {
			t.Fatal("honest peer not answered")
		}
	}
	if n.Stats().SlowReaders == 0 || sockets[0].closed || !sockets[29].closed {
		t.Errorf("%d closed; the smallest closed: %v, the largest: %v", n.Stats().SlowReaders, sockets[0].closed, sockets[29].closed)
	}
}

// TestOneSlowReaderIsBounded is the bound of a single connection.
func TestOneSlowReaderIsBounded(t *testing.T) {
	w := newWorld(t, 4, 1, 3)
	o := w.options()
	l := defaultLimits
	l.queuedConn = 10_000
	o.limits = &l
	worker := w.loopless(o).workers[0]
	s := worker.open(t)
	s.deaf = true
	for i := 0; i < 1000 && !s.closed; i++ {
		s.feed(frame(infoRequest(w, 0)))
		worker.drain()
	}
	if !s.closed || s.queued > l.queuedConn+1000 {
		t.Errorf("closed %v with %d bytes queued, bound %d", s.closed, s.queued, l.queuedConn)
	}
}

// TestUnfinishedFramesAreBounded has many connections that each send most of a large frame. Only their number used to
// bound what that takes.
func TestUnfinishedFramesAreBounded(t *testing.T) {
	w := newWorld(t, 4, 1, 3)
	o := w.options()
	l := defaultLimits
	l.kept = 2 << 20
	o.limits = &l
	n := w.loopless(o)
	worker := n.workers[0]
	honest := worker.open(t)
	question := frame(infoRequest(w, 0))
	honest.feed(question[:20])
	large := frame(make([]byte, 60_000))
	for range 200 {
		worker.open(t).feed(large[:50_000])
		kept := 0
		for c := worker.conns.first; c != nil; c = c.next {
			kept += cap(c.tail) + cap(c.held)
		}
		if kept > l.kept || kept != worker.kept {
			t.Fatalf("%d bytes kept, %d counted, bound %d", kept, worker.kept, l.kept)
		}
	}
	honest.feed(question[20:])
	worker.drain()
	if len(honest.replies()) != 1 {
		t.Error("the small one was closed before the large ones")
	}
}

// TestPeerThatNeverReadsEndsWithTime leaves replies unread and says nothing more. The idle time-out used to spare
// connections with something queued, for ever. One that reads slowly stays.
func TestPeerThatNeverReadsEndsWithTime(t *testing.T) {
	w := newWorld(t, 4, 1, 3)
	worker := w.loopless(w.options()).workers[0]
	never, slowly := worker.open(t), worker.open(t)
	for _, s := range []*socket{never, slowly} {
		s.queued = 1000
		s.conn().lastRead = time.Now().Add(-2 * idleTimeout)
		s.conn().lastTaken = time.Now()
		s.conn().unread = 1000
	}
	for range 3 {
		slowly.queued -= 100
		worker.sweep()
		slowly.conn().lastTaken = slowly.conn().lastTaken.Add(-idleTimeout / 2) // time passes
		if !never.closed {
			never.conn().lastTaken = never.conn().lastTaken.Add(-idleTimeout / 2)
		}
	}
	worker.sweep()
	if !never.closed || slowly.closed {
		t.Errorf("never reading: closed %v; reading slowly: closed %v", never.closed, slowly.closed)
	}
}

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
	if b := worker.batch; b.suspect.Len() != 0 || b.good.Len() != 2 { // the forged one is there once
		t.Fatalf("%d and %d signatures", b.good.Len(), b.suspect.Len())
	}
	worker.batch.verify()
	for i, r := range worker.batch.requests {
		if (r.refusal == refuseSignature) != (i < 2) {
			t.Errorf("request %d: %v", i, r.refusal)
		}
	}
	worker.batch.reset()
	for round, wantSuspects := range []int{2, 0} {
		bad.feed(frame(codec.AppendOrder(nil, w.order(3, 1, 1, 0))))
		worker.batch.add(worker.shards[0], codec.AppendOrder(nil, w.order(4, 1, 1, 0)), nil, &source)
		good.feed(frame(codec.AppendOrder(nil, w.order(5, 1, 1, 0))))
		if b := worker.batch; b.suspect.Len() != wantSuspects || b.good.Len() != 3-wantSuspects {
			t.Errorf("round %d: %d in good standing, %d not", round, b.good.Len(), b.suspect.Len())
		}
		worker.batch.reset()
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
	n := w.loopless(w.options(0))
	worker := n.workers[0]
	free := worker.fillOutbox(1)
	s := worker.open(t)
	var in, out int
	feed := func(message []byte) {
		in += len(message) + codec.FrameHeaderSize
		s.feed(frame(message))
	}
	feed(infoRequest(w, w.accountIn(0, 0)))
	feed(infoRequest(w, w.accountIn(1, 0)))
	worker.drain()
	feed(codec.AppendCertificate(nil, w.certificate(w.order(w.accountIn(0, 0), w.accountIn(1, 0), 1, 0))))
	worker.drain()
	free()
	worker.retryHeld()
	worker.drain()
	out = len(s.written)
	got := n.Stats()
	if got.Infos != 1 || got.Rejected != 1 || got.Certificates != 1 || got.OutboxFull != 1 {
		t.Errorf("counts %+v", got)
	}
	if got.BytesIn != uint64(in) || got.BytesOut != uint64(out) {
		t.Errorf("bytes in %d, out %d, want %d and %d", got.BytesIn, got.BytesOut, in, out)
	}
	if got.BusyNs == 0 || got.BatchP999Ns == 0 {
		t.Error("no time counted")
	}
}
