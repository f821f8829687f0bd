package node

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"fastpay/codec"
	"fastpay/node/journal"
)

// within runs f, which must not hang.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("%s hangs", what)
	}
}

// TestFailureOfOneLoopEndsTheNode ends one of two event loops while the other has more credits for it than its queue
// holds. The stop used to wait for the dead loop's answer, and the other to wait for room, for ever.
func TestFailureOfOneLoopEndsTheNode(t *testing.T) {
	const payments = 1500 // 0.7 MB of credits
	w := newWorld(t, 4, 2, 24)
	o := w.options()
	l := defaultLimits
	l.creditRing = 512 << 10
	o.limits, o.Workers = &l, 2
	n, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	var stream []byte
	for i := range payments {
		stream = append(stream, frame(codec.AppendCertificate(nil, w.certificate(w.order(w.accountIn(0, 0), w.accountIn(1, 0), 1, uint64(i)))))...)
	}
	c := w.dial(0)
	if err := n.workers[1].engine.Load().Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	_, _ = c.Write(stream)
	within(t, "wait", func() {
		if err := n.Wait(); err == nil || !strings.Contains(err.Error(), "worker 1: event loop ended") {
			t.Errorf("failed with %v", err)
		}
	})
	within(t, "stop", func() {
		if err := n.Stop(context.Background()); err == nil {
			t.Error("stop does not tell of the failure")
		}
	})
	w.stop(w.start(w.options())) // ports and claims are free again
}

// TestStartFailsWhenOneLoopCannotBind takes a port of the second loop between the look at it and the start. The first
// loop used to be left running, and the start to hang.
func TestStartFailsWhenOneLoopCannotBind(t *testing.T) {
	w := newWorld(t, 4, 2, 24)
	o := w.options()
	o.Workers = 2
	n := w.loopless(o)
	l, err := net.Listen("tcp", w.address(1))
	if err != nil {
		t.Fatal(err)
	}
	within(t, "start", func() {
		if err := n.listen(); err == nil || !strings.Contains(err.Error(), "worker 1") {
			t.Errorf("start failed with %v", err)
		}
		if err := n.Stop(context.Background()); err == nil {
			t.Error("stop does not tell of the failure")
		}
	})
	l.Close()
	w.stop(w.start(o))
}

// TestStopBeforeBoot stops a node before its loops have booted.
func TestStopBeforeBoot(t *testing.T) {
	w := newWorld(t, 4, 2, 24)
	o := w.options()
	o.Workers = 2
	n := w.loopless(o)
	n.stopping.Store(true)
	for _, w := range n.workers {
		n.engines.Add(1)
		go n.runEngine(w)
	}
	within(t, "boot", n.engines.Wait)
	if n.hasFailed() {
		t.Errorf("failed: %v", n.failure)
	}
}

// TestStopKeepsItsDeadline stops while a loop is busy with something long.
func TestStopKeepsItsDeadline(t *testing.T) {
	w := newWorld(t, 4, 2, 24)
	n, err := Start(w.options())
	if err != nil {
		t.Fatal(err)
	}
	busy, began := make(chan struct{}), make(chan struct{})
	n.workers[0].run(&task{func() { close(began); <-busy }})
	<-began
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	within(t, "drain", func() { n.drain(ctx) })
	close(busy)
	w.stop(n)
}

// TestStopWithCreditsUndelivered owes a sibling that is not there: the stop does not wait for it, and after the next start
// it gets what it is owed.
func TestStopWithCreditsUndelivered(t *testing.T) {
	w := newWorld(t, 4, 2, 24)
	o := w.durable(new(journal.MemFS), 0)
	n := w.start(o)
	to := w.accountIn(1, 0)
	w.pay(w.dial(0), w.accountIn(0, 0), to, 1, 0)
	within(t, "stop", func() { w.stop(n) })
	w.start(o)
	w.start(w.durable(new(journal.MemFS), 1))
	eventually(t, "the credit", func() bool { return w.balance(to) == initialBalance+1 })
}

// TestStopWhileClientsSend stops under traffic. Each connection gets answers in order to a beginning of its requests, then
// its end.
func TestStopWhileClientsSend(t *testing.T) {
	w := newWorld(t, 4, 2, 24)
	n, err := Start(w.options())
	if err != nil {
		t.Fatal(err)
	}
	type result struct {
		answered uint64
		err      error
	}
	results := make(chan result, 4)
	for i := range 4 {
		c := w.dial(i % 2)
		from := w.accountIn(i%2, i/2)
		var stream []byte
		for k := range 500 {
			stream = append(stream, frame(codec.AppendCertificate(nil, w.certificate(w.order(from, w.accountIn(0, 5), 1, uint64(k)))))...)
		}
		go func() { _, _ = c.Write(stream) }()
		go func() {
			for r := (result{}); ; r.answered++ {
				var m *codec.Message
				if m, r.err = c.tryReceive(patience); r.err != nil {
					results <- r
					return
				}
				if m.Kind != codec.KindInfoResponse || m.InfoResponse().NextSequenceNumber != r.answered+1 {
					t.Errorf("answer %d: %v", r.answered, m.Error())
				}
			}
		}()
	}
	eventually(t, "some answers", func() bool { return n.Stats().Certificates > 100 })
	within(t, "stop", func() { w.stop(n) })
	var answered uint64
	for range 4 {
		r := <-results
		if isTimeout(r.err) {
			t.Error("connection still open")
		}
		answered += r.answered
	}
	if settled := n.Stats().Certificates; answered != settled {
		t.Errorf("%d payments settled, %d answered", settled, answered)
	}
}

// TestDeadLoopIsNotWaitedFor fills the queue of a loop that has ended: a certificate with a credit for it stays unapplied
// and unanswered, its room is not taken, and the stop counts the loop as idle.
func TestDeadLoopIsNotWaitedFor(t *testing.T) {
	w := newWorld(t, 4, 2, 40)
	o := w.options()
	o.Workers, o.Pin = 2, "off"
	n := w.loopless(o)
	r := n.workers[1].inbox[0].ring
	for r.reserve(500) {
		r.push(1, 1, make([]byte, 500))
	}
	n.workers[1].open(t)
	n.workers[1].end()
	s := n.workers[0].open(t)
	s.feed(frame(codec.AppendCertificate(nil, w.certificate(w.order(w.accountIn(0, 0), w.accountIn(1, 0), 1, 0)))),
		frame(infoRequest(w, w.accountIn(0, 0))))
	within(t, "drain", n.workers[0].drain)
	if m := s.replies(); len(m) != 1 || m[0].InfoResponse().NextSequenceNumber != 0 || r.reserved != 0 {
		t.Errorf("%d replies, %d bytes reserved", len(m), r.reserved)
	}
	within(t, "idle", func() {
		if !n.workers[1].idle(context.Background()) {
			t.Error("a loop that has ended is not idle")
		}
	})
}
