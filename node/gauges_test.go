package node

import (
	"testing"
	"time"

	"fastpay/codec"
)

func TestGauges(t *testing.T) {
	w := newWorld(t, 1, 3, 12)
	o := w.options()
	few := defaultLimits
	few.sweep = 10 * time.Millisecond
	o.limits = &few
	n := w.start(o)
	want := make([]int64, 3)
	for a := range w.accounts {
		want[w.shardOf(a)]++
	}
	g := n.Gauges()
	if len(g.Shards) != 3 {
		t.Fatalf("%d shards", len(g.Shards))
	}
	for i, s := range g.Shards {
		if s.Number != i || s.Accounts != want[i] || s.Pending != 0 {
			t.Errorf("shard %d: %+v, want %d accounts", i, s, want[i])
		}
	}
	if g.QueuedBytes != 0 || g.KeptBytes != 0 || g.Holders != 0 || g.CreditQueueBytes != 0 || g.OutboxBytes != 0 {
		t.Errorf("an idle node holds something: %+v", g)
	}
	// An order is pending until it is confirmed, and half a frame is kept.
	order := w.order(0, 1, 1, 0)
	c := w.dial(w.shardOf(0))
	c.ask(codec.AppendOrder(nil, order))
	if _, err := c.Write([]byte{100, 0, 0, 0, 1}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a pending order and half a frame", func() bool {
		g := n.Gauges()
		return g.Shards[w.shardOf(0)].Pending == 1 && g.KeptBytes > 0
	})
	batches := uint64(0)
	for _, count := range n.Gauges().BatchDurations {
		batches += count
	}
	if batches == 0 || n.Stopping() {
		t.Errorf("%d batches, stopping %v", batches, n.Stopping())
	}
}

func TestRingUsed(t *testing.T) {
	r := newRing(1<<10, 100)
	if r.used() != 0 {
		t.Errorf("an empty ring uses %d", r.used())
	}
	r.reserve(10)
	r.push(1, 1, make([]byte, 10))
	if got := r.used(); got != int64(ringRecordSize(10)) {
		t.Errorf("one record of 10 bytes uses %d", got)
	}
	_, _, _, after, _ := r.next(0)
	r.release(after)
	if r.used() != 0 {
		t.Errorf("after its release %d are used", r.used())
	}
}
