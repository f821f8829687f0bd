package node

import (
	"io"
	"runtime"
	"testing"

	"fastpay/codec"
)

// TestHotPathDoesNotAllocate sends payments over TCP to a warm node. What is left over is a closure for each batch.
func TestHotPathDoesNotAllocate(t *testing.T) {
	const accounts, rounds, warm = 400, 24, 8
	w := newWorld(t, 4, 2, 2*accounts)
	n := w.start(w.options())
	c := w.dial(0)
	var streams [rounds][]byte
	for r := range rounds {
		for i := range accounts / 2 {
			o := w.order(w.accountIn(0, i), w.accountIn(i%2, i+1), 1, uint64(r))
			streams[r] = append(streams[r], frame(codec.AppendOrder(nil, o))...)
			streams[r] = append(streams[r], frame(codec.AppendCertificate(nil, w.certificate(o)))...)
		}
	}
	const replyBytes = accounts / 2 * (4 + orderReplyBytes + 4 + confirmReplyBytes)
	replies := make([]byte, replyBytes)
	run := func(r int) {
		if _, err := c.Write(streams[r]); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c.in, replies); err != nil {
			t.Fatal(err)
		}
	}
	for r := range warm {
		run(r)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	batches := n.Stats().Batches
	for r := warm; r < rounds; r++ {
		run(r)
	}
	runtime.ReadMemStats(&after)
	payments := uint64((rounds - warm) * accounts / 2)
	if got := n.Stats().Certificates; got != rounds*accounts/2 {
		t.Fatalf("%d payments settled, want %d", got, rounds*accounts/2)
	}
	mallocs, inBatches := after.Mallocs-before.Mallocs, n.Stats().Batches-batches
	t.Logf("%d allocations, %d batches, %d payments", mallocs, inBatches, payments)
	if mallocs > payments/10 {
		t.Errorf("%d allocations for %d payments in %d batches", mallocs, payments, inBatches)
	}
}
