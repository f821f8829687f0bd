package node

import (
	"testing"
	"time"
)

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
