package node

import (
	"testing"

	"fastpay/codec"
)

// TestCappedCreditsAreCounted pays an account that can't hold more, and finds it in the counters.
func TestCappedCreditsAreCounted(t *testing.T) {
	w := newWorld(t, 4, 1, 3)
	n := w.loopless(w.options())
	worker := n.workers[0]
	rich := key('r', 0).Public()
	if err := worker.shards[0].core.Fund(&rich, codec.MaxBalance); err != nil {
		t.Fatal(err)
	}
	tr := codec.Transfer{Sender: w.accounts[0].Public(), Recipient: codec.Recipient{Kind: codec.FastPay, Address: rich}, Amount: 5}
	s := worker.open(t)
	s.feed(frame(codec.AppendCertificate(nil, w.certificate(w.sign(0, &tr)))))
	worker.drain()
	if n.Stats().CappedCredits != 0 {
		t.Error("counted before the sweep")
	}
	worker.sweep()
	worker.sweep()
	if got := n.Stats().CappedCredits; got != 1 {
		t.Errorf("%d credits cut, want 1", got)
	}
}
