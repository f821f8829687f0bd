package node

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"testing"

	"fastpay/codec"
)

// A history is what an authority has told its clients, by account: none of it may ever become untrue.
type history struct {
	w      *world
	voted  []map[uint64]codec.Order // by account, and sequence number
	next   []uint64                 // the settled payments
	supply *big.Int
}

func newHistory(w *world) *history {
	h := &history{w: w, next: make([]uint64, len(w.accounts)), supply: big.NewInt(int64(initialBalance * len(w.accounts)))}
	for range w.accounts {
		h.voted = append(h.voted, make(map[uint64]codec.Order))
	}
	return h
}

// clone is a history that goes on apart.
func (h *history) clone() *history {
	c := &history{w: h.w, next: slices.Clone(h.next), supply: h.supply}
	for _, voted := range h.voted {
		c.voted = append(c.voted, maps.Clone(voted))
	}
	return c
}

// heard takes a reply in that shows the state of an account.
func (h *history) heard(account int, m *codec.Message) error {
	if m.Kind != codec.KindInfoResponse {
		return nil
	}
	r := m.InfoResponse()
	h.next[account] = max(h.next[account], r.NextSequenceNumber)
	if r.Pending.IsZero() {
		return nil
	}
	o, number := r.Pending.Order(), r.Pending.Order().SequenceNumber()
	if before, ok := h.voted[account][number]; ok && string(before.TransferBytes()) != string(o.TransferBytes()) {
		return fmt.Errorf("account %d: two votes for sequence number %d", account, number)
	}
	parsed, _, ok := codec.TakeOrder([]byte(string(o.Bytes())))
	if !ok {
		return fmt.Errorf("account %d: the vote's order does not decode", account)
	}
	h.voted[account][number] = parsed
	return nil
}

// check compares what was told with the state of a node's shards: nothing acknowledged is gone, no vote is forgotten, and
// money is conserved. The node's loops don't run, and no credit is under way.
func (h *history) check(t *testing.T, n *Node) error {
	sum := new(big.Int)
	for i := range h.w.accounts {
		m := n.question(t, h.w, i)
		if m.Kind != codec.KindInfoResponse {
			return fmt.Errorf("account %d is gone", i)
		}
		if err := h.heard(i, m); err != nil {
			return err
		}
		r := m.InfoResponse()
		sum.Add(sum, r.Balance.Big())
		if r.NextSequenceNumber < h.next[i] {
			return fmt.Errorf("account %d: %d payments are settled, %d were told", i, r.NextSequenceNumber, h.next[i])
		}
		told, voted := h.voted[i][r.NextSequenceNumber]
		if !voted {
			continue
		}
		if r.Pending.IsZero() || string(r.Pending.Order().TransferBytes()) != string(told.TransferBytes()) {
			return fmt.Errorf("account %d: the vote for sequence number %d is forgotten", i, r.NextSequenceNumber)
		}
	}
	if sum.Cmp(h.supply) != 0 {
		return fmt.Errorf("balances add up to %v, expected %v", sum, h.supply)
	}
	return nil
}

// question asks a loopless node about an account.
func (n *Node) question(t *testing.T, w *world, account int) *codec.Message {
	t.Helper()
	worker := n.byShard[w.shardOf(account)]
	s := worker.open(t)
	defer func() { _ = socketLoop{}.Close(s) }()
	s.feed(frame(infoRequest(w, account)))
	worker.work()
	if err := n.store.journal.Commit(); err != nil {
		t.Fatal(err)
	}
	worker.release()
	got := s.replies()
	if len(got) != 1 {
		t.Fatalf("%d replies to a question", len(got))
	}
	return got[0]
}

// settle lets all credits of a loopless node arrive.
func (n *Node) settle(t testing.TB) {
	t.Helper()
	for busy := true; busy; {
		busy = false
		for _, w := range n.workers {
			w.work()
			w.flush(w.batch)
		}
		if err := n.store.journal.Commit(); err != nil {
			t.Fatal(err)
		}
		for _, w := range n.workers {
			w.release()
			busy = busy || len(w.parked) > 0 || w.batch.records.Len() > 0
			for _, in := range w.inbox {
				busy = busy || !in.ring.empty()
			}
		}
	}
}
