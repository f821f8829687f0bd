package node

import (
	"context"
	"testing"
	"time"

	"fastpay/codec"
)

// TestStopAnswersWhatIsIn stops a node that has just read requests, and gets all their answers before the connection
// ends.
func TestStopAnswersWhatIsIn(t *testing.T) {
	w := newWorld(t, 4, 2, 40)
	n, err := Start(w.options())
	if err != nil {
		t.Fatal(err)
	}
	c := w.dial(0)
	const requests = 200
	for range requests {
		c.send(infoRequest(w, w.accountIn(0, 0)))
	}
	eventually(t, "requests read", func() bool { return n.Stats().BytesIn >= requests*42 })
	stopped := make(chan error, 1)
	go func() { stopped <- n.Stop(context.Background()) }()
	for i := range requests {
		if m, err := c.tryReceive(patience); err != nil || m.Kind != codec.KindInfoResponse {
			t.Fatalf("answer %d: %v", i, err)
		}
	}
	if _, err := c.tryReceive(patience); err == nil || isTimeout(err) {
		t.Errorf("connection still open: %v", err)
	}
	select {
	case err := <-stopped:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("stop does not return")
	}
	if err := n.Wait(); err != nil {
		t.Errorf("wait after stop: %v", err)
	}
	if err := n.Stop(context.Background()); err != nil {
		t.Errorf("second stop: %v", err)
	}
}
