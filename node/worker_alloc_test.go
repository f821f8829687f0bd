package node

import (
	"testing"

	"fastpay/codec"
)

// TestWorkerAllocatesNothing takes payments through a worker: frames as they are read, signatures, rules, votes, records,
// the journal's file, replies. No loop or network is under it, so that not one allocation is forgiven.
func TestWorkerAllocatesNothing(t *testing.T) {
	const accounts, warm, rounds, tries = 40, 40, 10, 4
	for _, mode := range []Durability{DurabilityNone, DurabilitySync} {
		w := newWorld(t, 4, 1, accounts)
		n := w.loopless(w.onDisk(t.TempDir(), mode))
		worker := n.workers[0]
		s := worker.open(t)
		var streams [][]byte
		for number := range uint64(warm + tries*(rounds+1)) {
			var stream []byte
			for i := range accounts {
				o := w.order(i, (i+1)%accounts, 1, number)
				stream = append(stream, frame(codec.AppendOrder(nil, o))...)
				stream = append(stream, frame(codec.AppendCertificate(nil, w.certificate(o)))...)
			}
			streams = append(streams, stream)
		}
		round, answered := 0, 0
		pay := func() {
			s.input = streams[round]
			round++
			worker.OnTraffic(s)
			worker.drain()
			if n.store != nil {
				if err := n.store.journal.Commit(); err != nil {
					t.Fatal(err)
				}
				worker.release()
			}
			answered, s.written = answered+len(s.written), s.written[:0]
		}
		for range warm {
			pay()
		}
		// Those of the whole process are counted: what is begun once in the background, such as the next segment, may fall
		// into one count, and what payments take is in all.
		least := testing.AllocsPerRun(rounds, pay)
		for try := 1; try < tries && least > 0; try++ {
			least = min(least, testing.AllocsPerRun(rounds, pay))
		}
		if least != 0 {
			t.Errorf("durability %s: %v allocations for %d payments", mode, least, accounts)
		}
		const replies = 4 + orderReplyBytes + 4 + confirmReplyBytes
		if want := round * accounts * replies; n.Stats().Certificates != uint64(round*accounts) || answered != want {
			t.Errorf("durability %s: %d payments settled and %d bytes answered, want %d and %d", mode, n.Stats().Certificates, answered,
				round*accounts, want)
		}
		_ = socketLoop{}.Close(s)
		if n.store != nil {
			if err := n.store.close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// Sizes of the replies to an order and to a certificate.
const (
	orderReplyBytes   = 315
	confirmReplyBytes = 70
)
