package node

import (
	"testing"

	"fastpay/codec"
)

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

// TestHeldGarbageEndsItsConnection finds a frame beyond the limit among what was held, and goes on with others.
func TestHeldGarbageEndsItsConnection(t *testing.T) {
	w := newWorld(t, 4, 2, 24)
	worker := w.loopless(w.options(0)).workers[0]
	free := worker.fillOutbox(1)
	var sockets []*socket
	for i := range 3 {
		s := worker.open(t)
		s.feed(frame(codec.AppendCertificate(nil, w.certificate(w.order(w.accountIn(0, i), w.accountIn(1, 0), 1, 0)))))
		worker.drain()
		if i != 1 {
			s.feed([]byte{0xff, 0xff, 0xff, 0xff})
		}
		sockets = append(sockets, s)
	}
	free()
	worker.retryHeld()
	worker.retryHeld()
	worker.drain()
	for i, s := range sockets {
		if s.closed != (i != 1) || len(s.replies()) != 1 {
			t.Errorf("connection %d: closed %v", i, s.closed)
		}
	}
	if worker.holders.Load() != 0 || worker.kept != 0 {
		t.Errorf("%d wait, %d bytes kept", worker.holders.Load(), worker.kept)
	}
}

// TestReservationsAreGivenBack repeats certificates and sends such as are refused: they cause no credit, so the room kept
// for one must be free again, in outboxes and between workers.
func TestReservationsAreGivenBack(t *testing.T) {
	w := newWorld(t, 4, 3, 40)
	o := w.options(0, 1)
	o.Workers, o.Pin = 2, "off"
	n := w.loopless(o)
	worker := n.workers[0]
	s := worker.open(t)
	for i, to := range []int{w.accountIn(1, 0), w.accountIn(2, 0)} {
		from := w.accountIn(0, i)
		early := w.certificate(w.order(from, to, 1, 5))
		cert := w.certificate(w.order(from, to, 1, 0))
		for range 3 {
			s.feed(frame(codec.AppendCertificate(nil, early)), frame(codec.AppendCertificate(nil, cert)))
			worker.drain()
		}
	}
	if len(s.replies()) != 12 {
		t.Error("not all answered")
	}
	if got := n.Stats(); got.Certificates != 6 || got.Rejected != 6 {
		t.Errorf("counted %+v", got)
	}
	for name, r := range map[string]*ring{"inbox": n.workers[1].inbox[0].ring, "outbox": worker.links[2].ring} {
		_, _, _, end, ok := r.next(0)
		if r.reserved != 0 || !ok || end != r.head.Load() {
			t.Errorf("%s: %d bytes still reserved, or not one credit", name, r.reserved)
		}
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
	header := c.appendHeader(nil)
	if !r.reserve(len(header) + len(c.cert.Bytes())) {
		return false
	}
	r.push(c.tag(), c.number, header, c.cert.Bytes())
	return true
}
