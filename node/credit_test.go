package node

import (
	"testing"
	"time"

	"fastpay/codec"
	"fastpay/node/journal"
)

// pay settles a payment of amount with a certificate alone, over c, and waits for the answer.
func (w *world) pay(c *client, from, to int, amount, sequence uint64) {
	w.t.Helper()
	m := c.ask(codec.AppendCertificate(nil, w.certificate(w.order(from, to, amount, sequence))))
	if m.Kind != codec.KindInfoResponse {
		w.t.Fatalf("payment refused: %v", m.Error())
	}
}

// TestFloodingShardsMakeProgress has two workers send each other credits through queues that hold few of them.
func TestFloodingShardsMakeProgress(t *testing.T) {
	const payments = 3000 // 1.3 MB each way
	w := newWorld(t, 4, 2, 24)
	o := w.options()
	l := defaultLimits
	l.creditRing = 512 << 10
	o.limits, o.Workers = &l, 2
	w.start(o)
	done := make(chan struct{}, 2)
	streams := [2][][]byte{}
	for s := range 2 {
		for i := range payments {
			streams[s] = append(streams[s], codec.AppendCertificate(nil,
				w.certificate(w.order(w.accountIn(s, 0), w.accountIn(1-s, 0), 1, uint64(i)))))
		}
	}
	for s := range 2 {
		c := w.dial(s)
		go func() {
			defer func() { done <- struct{}{} }()
			c.send(streams[s]...)
			for range payments {
				if m := c.receive(); m.Kind != codec.KindInfoResponse {
					t.Errorf("shard %d: %v", s, m.Error())
					return
				}
			}
		}()
	}
	for range 2 {
		select {
		case <-done:
		case <-time.After(patience):
			t.Fatal("deadlock")
		}
	}
	for s := range 2 {
		eventually(t, "all credits", func() bool { return w.balance(w.accountIn(s, 0)) == initialBalance })
	}
}

// receiveInfo asks and demands a balance.
func (c *client) receiveInfo(question []byte, balance uint64) {
	c.t.Helper()
	m := c.ask(question)
	if m.Kind != codec.KindInfoResponse || m.InfoResponse().Balance != codec.NewBalance(balance) {
		c.t.Fatalf("balance %v, want %d", m.InfoResponse().Balance, balance)
	}
}

// TestDamagedQueuesEndTheNode: what is in a queue was checked before; if it can't be read, memory is not to be trusted.
func TestDamagedQueuesEndTheNode(t *testing.T) {
	for _, durability := range []Durability{DurabilityNone, DurabilitySync} {
		w := newWorld(t, 4, 2, 24)
		garbage := []byte("no credit")
		o := w.options()
		if durability == DurabilitySync {
			o = w.durable(new(journal.MemFS))
		}
		o.Workers, o.Pin = 2, "off"
		n := w.loopless(o)
		r := n.workers[1].inbox[0].ring
		if !r.reserve(len(garbage)) {
			t.Fatal("no room")
		}
		r.push(1, 1, garbage)
		n.workers[1].takeCredits()
		if !n.hasFailed() {
			t.Errorf("durability %s: damaged inbox", durability)
		}
		if n.workers[0].reserveRing(n.workers[1], len(r.buf)) {
			t.Errorf("durability %s: room where there is none", durability)
		}
		if n.store != nil {
			n.store.halted.Store(true)
			_ = n.store.close()
		}
	}
}
