package node

import (
	"testing"

	"fastpay/codec"
	"fastpay/node/journal"
)

// work drains what a loopless worker has read, as the end of a poll round does.
func (w *worker) work() {
	w.posted = false
	w.drain()
}

// TestNothingLeavesBeforeItIsDurable asks everything that could tell of a vote while its sync is held back: the order
// again, a conflicting one, an info request, over TCP, and on another connection.
func TestNothingLeavesBeforeItIsDurable(t *testing.T) {
	w := newWorld(t, 4, 1, 3)
	n := w.loopless(w.durable(new(journal.MemFS)))
	defer n.store.close()
	worker := n.workers[0]
	s, other := worker.open(t), worker.open(t)
	order, rival := w.order(0, 1, 7, 0), w.order(0, 2, 7, 0)

	s.feed(frame(codec.AppendOrder(nil, order)))
	worker.work()
	questions := [][]byte{codec.AppendOrder(nil, order), codec.AppendOrder(nil, rival), infoRequest(w, 0), infoRequest(w, 1), []byte("no message")}
	for _, q := range questions { // each in a batch of its own
		other.feed(frame(q))
		worker.work()
	}
	worker.release()
	if len(s.written) != 0 || len(other.written) != 0 || len(worker.parked) != 6 {
		t.Fatalf("%d and %d bytes left before anything was durable, %d batches are parked", len(s.written), len(other.written),
			len(worker.parked))
	}
	if err := n.store.journal.Commit(); err != nil {
		t.Fatal(err)
	}
	worker.release()
	got := s.replies()
	if len(got) != 1 || !votes(got[0], order) {
		t.Fatalf("the order was answered by %d replies, the first %v", len(got), got)
	}
	got = other.replies()
	if len(got) != len(questions) {
		t.Fatalf("%d replies to %d questions", len(got), len(questions))
	}
	if !votes(got[0], order) || !votes(got[2], order) {
		t.Error("the repeat or the info request does not show the vote")
	}
	wantError(t, got[1], codec.PreviousTransferMustBeConfirmedFirst)
	wantError(t, got[4], codec.InvalidDecoding)
}

// votes reports whether an answer shows a vote for an order.
func votes(m *codec.Message, o codec.Order) bool {
	if m.Kind != codec.KindInfoResponse {
		return false
	}
	return string(m.InfoResponse().Pending.Order().Bytes()) == string(o.Bytes())
}

// TestBatchesLeaveInOrder commits between batches.
func TestBatchesLeaveInOrder(t *testing.T) {
	w := newWorld(t, 4, 1, 3)
	n := w.loopless(w.durable(new(journal.MemFS)))
	defer n.store.close()
	worker := n.workers[0]
	s := worker.open(t)
	commit := func() {
		if err := n.store.journal.Commit(); err != nil {
			t.Fatal(err)
		}
		worker.release()
	}
	feed := func(m []byte) {
		s.feed(frame(m))
		worker.work()
	}
	feed(codec.AppendOrder(nil, w.order(0, 1, 7, 0)))
	feed(infoRequest(w, 0)) // rests on the first batch
	commit()
	if got := s.replies(); len(got) != 2 || len(worker.parked) != 0 {
		t.Fatalf("%d replies", len(got))
	}
	feed(codec.AppendOrder(nil, w.order(1, 1, 7, 0)))
	feed(codec.AppendOrder(nil, w.order(2, 1, 7, 0)))
	if len(s.written) != 0 {
		t.Fatal("left before it was durable")
	}
	commit()
	if got := s.replies(); len(got) != 2 {
		t.Fatalf("%d replies", len(got))
	}
	feed(infoRequest(w, 0)) // with everything durable it leaves at once
	if got := s.replies(); len(got) != 1 {
		t.Fatalf("%d replies", len(got))
	}
}
