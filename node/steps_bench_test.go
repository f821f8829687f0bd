package node

import (
	"testing"
	"time"

	"fastpay/codec"
)

// BenchmarkSteps is what the steps of a batch cost but for its signatures, which are checked and made between them, so
// that memory is as cold as under load: ns a payment to take it in, to apply it, and to park and release it. Each batch
// has the orders of some accounts and the certificates of the orders before it; no loop and no network are under it.
func BenchmarkSteps(b *testing.B) {
	const size, accounts, batches = 250, 10_000, 160
	w := newWorld(b, 4, 1, accounts)
	streams := make([][]byte, batches+1)
	for i := range batches * size {
		payer, number := i%accounts, uint64(i/accounts)
		o := w.order(payer, (payer*7919+int(number))%accounts, 1, number)
		g := i / size
		streams[g] = append(streams[g], frame(codec.AppendOrder(nil, o))...)
		streams[g+1] = append(streams[g+1], frame(codec.AppendCertificate(nil, w.certificate(o)))...)
	}
	for _, mode := range []Durability{DurabilityNone, DurabilitySync} {
		b.Run("durability="+string(mode), func(b *testing.B) {
			for b.Loop() {
				steps := w.runSteps(b, mode, streams)
				for i, name := range []string{"take", "apply", "commit", "release"} {
					b.ReportMetric(float64(steps[i].Nanoseconds())/(batches*size), name+"-ns/payment")
				}
			}
		})
	}
}

// runSteps gives the streams to an authority, one after the other, and adds up what each step took.
func (w *world) runSteps(b *testing.B, mode Durability, streams [][]byte) (steps [4]time.Duration) {
	n := w.loopless(w.onDisk(b.TempDir(), mode))
	worker := n.workers[0]
	s := worker.open(b)
	began := time.Now()
	step := func(i int) {
		now := time.Now()
		steps[i] += now.Sub(began)
		began = now
	}
	for _, stream := range streams {
		s.input = stream
		began = time.Now()
		worker.OnTraffic(s)
		step(0)
		batch := worker.batch
		batch.verify()
		began = time.Now()
		batch.apply()
		step(1)
		batch.sign()
		worker.stats.publish(&batch.tally, len(batch.requests))
		began = time.Now()
		worker.commit(batch)
		step(2)
		if j := n.journal(); j != nil {
			if err := j.Commit(); err != nil {
				b.Fatal(err)
			}
		}
		began = time.Now()
		worker.release()
		step(3)
		s.written, worker.posted = s.written[:0], false
	}
	if got := n.Stats(); got.Certificates == 0 || got.Certificates != got.Orders || got.Rejected != 0 {
		b.Fatalf("%d orders, %d certificates, %d requests refused", got.Orders, got.Certificates, got.Rejected)
	}
	_ = socketLoop{}.Close(s)
	if n.store != nil {
		if err := n.store.close(); err != nil {
			b.Error(err)
		}
	}
	return steps
}
