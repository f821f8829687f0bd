package node

import (
	"testing"

	"fastpay/codec"
	"fastpay/node/journal"
)

// fillLibrary makes it look as if no more replies could be read, until the returned function is called.
func (w *worker) fillLibrary() (free func()) {
	before := w.library.pending
	w.library.pending = w.node.limits.fetches
	return func() { w.library.pending = before }
}

// heldWorker is a loopless worker with a journal, and a request that has to wait when its library is full. The answer is
// an error, since there is no such certificate.
func heldWorker(t *testing.T) (*world, *worker, []byte) {
	w := newWorld(t, 4, 1, 24)
	n := w.loopless(w.durable(new(journal.MemFS)))
	t.Cleanup(func() {
		if err := n.store.close(); err != nil {
			t.Error(err)
		}
	})
	return w, n.workers[0], frame(certificateRequest(w, 0, 0))
}

// TestHeldStreamIsNotTornApart completes a frame just when the batch is full, whose first request has to wait: what was
// read behind that frame belongs behind what is held. It used to be kept as the beginning of the next read.
func TestHeldStreamIsNotTornApart(t *testing.T) {
	w, worker, held := heldWorker(t)
	free := worker.fillLibrary()
	question := frame(infoRequest(w, 0))
	cut := len(question) / 2
	s, filler := worker.open(t), worker.open(t)
	s.feed(held, question[:cut])
	for !worker.batch.full() {
		filler.feed(question)
	}
	s.feed(question[cut:], question[:cut])
	s.feed(question[cut:], question)
	worker.turn(t)
	if len(s.replies()) != 0 || !s.conn().holding {
		t.Fatal("answered, though the library is full")
	}
	free()
	worker.retryHeld()
	worker.turn(t)
	replies := s.replies()
	if len(replies) != 4 {
		t.Fatalf("%d replies, want 4", len(replies))
	}
	wantError(t, replies[0], codec.CertificateNotfound)
	for i, m := range replies[1:] {
		if m.Kind != codec.KindInfoResponse {
			t.Errorf("reply %d: kind %d, %v", i+1, m.Kind, m.Error())
		}
	}
	if worker.kept != cap(s.conn().tail)+cap(filler.conn().tail) {
		t.Errorf("%d bytes counted as kept", worker.kept)
	}
}

// TestClosedConnectionIsNotHeld loses a connection whose request then has to wait. It used to be counted as waiting for
// good.
func TestClosedConnectionIsNotHeld(t *testing.T) {
	_, worker, question := heldWorker(t)
	defer worker.fillLibrary()()
	s := worker.open(t)
	s.feed(question)
	_ = socketLoop{}.Close(s)
	worker.turn(t)
	if n := worker.holders.Load(); n != 0 {
		t.Errorf("%d connections wait, all are closed", n)
	}
	held := worker.open(t)
	held.feed(question)
	worker.turn(t)
	if n := worker.holders.Load(); n != 1 || worker.kept == 0 {
		t.Errorf("%d connections wait, want 1; %d bytes kept", n, worker.kept)
	}
	_ = socketLoop{}.Close(held)
	if n := worker.holders.Load(); n != 0 || worker.kept != 0 {
		t.Errorf("%d connections wait, and %d bytes are kept, after the last has closed", n, worker.kept)
	}
}

// TestHeldIsTriedOnlyWhenThereIsRoom sweeps while the library is full: nothing is tried again for nothing.
func TestHeldIsTriedOnlyWhenThereIsRoom(t *testing.T) {
	_, worker, question := heldWorker(t)
	free := worker.fillLibrary()
	s := worker.open(t)
	s.feed(question)
	worker.turn(t)
	requests := worker.node.Stats().Requests
	for range 3 {
		worker.sweep()
		worker.turn(t)
	}
	if got := worker.node.Stats().Requests; got != requests {
		t.Errorf("%d requests were tried again while there was no room", got-requests)
	}
	free()
	worker.sweep()
	worker.turn(t)
	if len(s.replies()) != 1 {
		t.Error("not answered once there was room")
	}
}

// TestHeldIsBounded sends on while a request waits, in frames and in raw reads; either way the connection ends at the
// bound.
func TestHeldIsBounded(t *testing.T) {
	_, worker, question := heldWorker(t)
	defer worker.fillLibrary()()
	raw, framed := worker.open(t), worker.open(t)
	raw.feed(question)
	worker.turn(t)
	for i := 0; !raw.closed && i < 100; i++ {
		raw.feed(make([]byte, 60_000))
	}
	framed.feed(question)
	worker.turn(t)
	for i := 0; !framed.closed && i < 100; i++ {
		framed.conn().holdFrame(worker, make([]byte, 60_000))
	}
	framed.conn().holdFrame(worker, nil) // a closed one keeps nothing
	if !raw.closed || !framed.closed || worker.kept != 0 || worker.node.Stats().SlowReaders != 2 {
		t.Errorf("closed %v and %v, %d bytes kept", raw.closed, framed.closed, worker.kept)
	}
}

// TestHeldGarbageEndsItsConnection finds a frame beyond the limit among what was held, and goes on with others.
func TestHeldGarbageEndsItsConnection(t *testing.T) {
	_, worker, question := heldWorker(t)
	free := worker.fillLibrary()
	var sockets []*socket
	for i := range 3 {
		s := worker.open(t)
		s.feed(question)
		worker.turn(t)
		if i != 1 {
			s.feed([]byte{0xff, 0xff, 0xff, 0xff})
		}
		sockets = append(sockets, s)
	}
	free()
	worker.retryHeld()
	worker.retryHeld()
	worker.turn(t)
	if sockets[0].closed != true || sockets[1].closed || sockets[2].closed != true || len(sockets[1].replies()) != 1 {
		t.Errorf("closed: %v, %v, %v", sockets[0].closed, sockets[1].closed, sockets[2].closed)
	}
	if worker.holders.Load() != 0 || worker.kept != 0 {
		t.Errorf("%d wait, %d bytes kept", worker.holders.Load(), worker.kept)
	}
}

// TestReservationsAreGivenBack repeats certificates and sends such as are refused: they cause no credit, so the room kept
// for one must be free again.
func TestReservationsAreGivenBack(t *testing.T) {
	w := newWorld(t, 4, 2, 40)
	o := w.options()
	o.Workers, o.Pin = 2, "off"
	n := w.loopless(o)
	worker := n.workers[0]
	s := worker.open(t)
	from, to := w.accountIn(0, 0), w.accountIn(1, 0)
	early := w.certificate(w.order(from, to, 1, 5))
	cert := w.certificate(w.order(from, to, 1, 0))
	for range 3 {
		s.feed(frame(codec.AppendCertificate(nil, early)), frame(codec.AppendCertificate(nil, cert)))
		worker.drain()
	}
	if len(s.replies()) != 6 {
		t.Error("not all answered")
	}
	if got := n.Stats(); got.Certificates != 3 || got.Rejected != 3 {
		t.Errorf("counted %+v", got)
	}
	r := n.workers[1].inbox[0].ring
	_, _, _, end, ok := r.next(0)
	if r.reserved != 0 || !ok || end != r.head.Load() {
		t.Errorf("%d bytes still reserved, or not one credit", r.reserved)
	}
}

// TestFullInboxIsWaitedFor fills another worker's inbox: the certificate waits until that worker has taken its credits,
// and meanwhile its own credits are taken.
func TestFullInboxIsWaitedFor(t *testing.T) {
	w := newWorld(t, 4, 2, 40)
	o := w.options()
	o.Workers, o.Pin = 2, "off"
	n := w.loopless(o)
	r, back := n.workers[1].inbox[0].ring, n.workers[0].inbox[1].ring
	c := credit{from: 0, to: 1, number: 1, cert: w.certificate(w.order(w.accountIn(0, 1), w.accountIn(1, 1), 1, 0))}
	for c.pushTo(r) {
		c.number++
	}
	c = credit{from: 1, to: 0, number: 1, cert: w.certificate(w.order(w.accountIn(1, 0), w.accountIn(0, 2), 1, 0))}
	if !c.pushTo(back) {
		t.Fatal("no room")
	}
	s := n.workers[0].open(t)
	s.feed(frame(codec.AppendCertificate(nil, w.certificate(w.order(w.accountIn(0, 0), w.accountIn(1, 0), 1, 0)))))
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.workers[0].drain()
	}()
	eventually(t, "the waiting worker to take its own credits", back.empty)
	select {
	case <-done:
		t.Fatal("did not wait")
	default:
	}
	n.workers[1].takeCredits()
	within(t, "the waiting worker", func() { <-done })
	if len(s.replies()) != 1 {
		t.Error("not answered")
	}
}

// pushTo puts a credit into a worker's inbox, if there is room.
func (c *credit) pushTo(r *ring) bool {
	record := c.append(nil)
	if !r.reserve(len(record)) {
		return false
	}
	r.push(c.tag(), c.number, record)
	return true
}
