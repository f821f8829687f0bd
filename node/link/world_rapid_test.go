package link

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// action is something that can happen in a world, and how often it does among the others.
type action struct {
	often int
	do    func(*world)
}

var actions = []action{
	{8, (*world).settle},
	{6, (*world).syncSender},
	{6, (*world).syncReceiver},
	{4, (*world).startSender},
	{4, (*world).startReceiver},
	{8, (*world).connect},
	{8, func(w *world) { w.offer(); w.offer(); w.offer() }},
	{6, (*world).acknowledge},
	{4, (*world).noteAcknowledged},
	{8, func(w *world) { w.deliverAll(&w.toR, w.deliverToReceiver) }},
	{8, func(w *world) { w.deliverAll(&w.toS, w.deliverToSender) }},
	{3, func(w *world) { w.deliver(&w.toR, w.deliverToReceiver) }},
	{3, func(w *world) { w.deliver(&w.toS, w.deliverToSender) }},
	{1, func(w *world) { w.lose(&w.toR) }},
	{1, func(w *world) { w.lose(&w.toS) }},
	{2, (*world).disconnect},
	{1, (*world).crashSender},
	{1, (*world).crashReceiver},
}

// deck is the actions, each as often as it is to happen.
var deck = func() (all []func(*world)) {
	for _, a := range actions {
		for range a.often {
			all = append(all, a.do)
		}
	}
	return all
}()

// noteAcknowledged makes durable what the sender knows to be acknowledged.
func (w *world) noteAcknowledged() {
	if w.s != nil {
		w.sender.acked = w.s.Acknowledged()
	}
}

// deliver hands over any message, whatever was sent first, and may keep it for another time.
func (w *world) deliver(q *[][]byte, to func([]byte)) {
	if len(*q) > 0 {
		i := rapid.IntRange(0, len(*q)-1).Draw(w.t, "message")
		to(take(q, i, rapid.Bool().Draw(w.t, "repeat")))
	}
}

func (w *world) deliverAll(q *[][]byte, to func([]byte)) {
	for n := len(*q); n > 0 && len(*q) > 0; n-- { // an error empties it
		to(take(q, 0, false))
	}
}

func (w *world) lose(q *[][]byte) {
	if len(*q) > 0 {
		take(q, rapid.IntRange(0, len(*q)-1).Draw(w.t, "lost"), false)
	}
}

// run does any steps, at least some.
func (w *world) run(least int) {
	steps := rapid.SliceOfN(rapid.IntRange(0, len(deck)-1), least, 4*least).Draw(w.t, "steps")
	for _, step := range steps {
		deck[step](w)
		if err := w.holds(); err != nil && w.refused == nil {
			w.t.Fatal(err)
		}
	}
}

// maybeSettleDown lets all that was issued arrive, or not.
func (w *world) maybeSettleDown() {
	if rapid.Bool().Draw(w.t, "settle down") {
		w.settleDown()
	}
}

// check tries more often than rapid does by itself: a try takes a tenth of a millisecond.
func check(t *testing.T, property func(*rapid.T)) {
	t.Helper()
	for range 10 {
		rapid.Check(t, property)
	}
}

// TestEveryCreditOnce: whatever is lost, repeated, reordered, cut and crashed, all that was issued arrives, once and in
// order, as soon as things work for a while; and nothing is ever refused.
func TestEveryCreditOnce(t *testing.T) {
	check(t, func(t *rapid.T) {
		w := &world{t: t}
		w.run(100)
		w.settleDown()
		if w.refused != nil {
			t.Fatalf("refused: %v", w.refused)
		}
		if err := w.holds(); err != nil {
			t.Fatal(err)
		}
		if n := len(w.sender.credits); len(w.receiver.applied) != n || w.receiver.durable != n || w.s.Outstanding() {
			t.Fatalf("%d of %d credits", w.receiver.durable, n)
		}
	})
}

// TestOldSenderIsRefused restores the sender's directory from an old copy, and lets it issue other credits before the
// two meet again. If it had forgotten credits that the receiver has, they are refused; if not, nothing is lost or
// doubled.
func TestOldSenderIsRefused(t *testing.T) {
	seen := 0
	check(t, func(t *rapid.T) {
		w := &world{t: t}
		w.run(30)
		old := senderDisk{slices.Clone(w.sender.credits[:w.sender.durable]), w.sender.durable, w.sender.acked}
		w.run(60)
		w.maybeSettleDown()
		if rapid.Bool().Draw(t, "receiver crashes, too") {
			w.crashReceiver()
		}
		w.crashSender()
		w.sender = old
		stale := len(w.receiver.applied) > old.durable
		for range rapid.IntRange(0, 20).Draw(t, "credits after it") {
			w.settle()
		}
		w.syncSender()
		w.settleDown()
		if !stale {
			if err := w.holds(); err != nil || w.refused != nil {
				t.Fatalf("%v, refused: %v", err, w.refused)
			}
			return
		}
		if len(w.sender.credits) == 0 && w.refused == nil {
			return // nothing to send, so the two have not met
		}
		if seen++; w.refused == nil || !w.refused.SenderStale() {
			t.Fatalf("sender with %d of %d credits: %v", old.durable, w.receiver.durable, w.refused)
		}
	})
	if seen == 0 {
		t.Error("no run restored a copy that was older")
	}
}

// TestOldReceiverIsRefused restores the receiver's directory. If credits are gone that the sender may have discarded,
// the two refuse each other; if not, they are sent again.
func TestOldReceiverIsRefused(t *testing.T) {
	seen := 0
	check(t, func(t *rapid.T) {
		w := &world{t: t}
		w.run(30)
		old := receiverDisk{slices.Clone(w.receiver.applied[:w.receiver.durable]), w.receiver.durable}
		w.run(60)
		w.maybeSettleDown()
		w.crashReceiver()
		w.receiver = old
		w.startSender()
		w.settle()
		stale := w.s.Acknowledged().Number > uint64(old.durable)
		w.settleDown()
		if stale {
			if seen++; w.refused == nil || !w.refused.ReceiverStale() || w.refused.Receiver != uint64(old.durable) {
				t.Fatalf("receiver at %d, %d acknowledged: %v", old.durable, w.s.Acknowledged().Number, w.refused)
			}
			return
		}
		if err := w.holds(); err != nil || w.refused != nil || len(w.receiver.applied) != len(w.sender.credits) {
			t.Fatalf("%v, refused: %v, %d of %d", err, w.refused, len(w.receiver.applied), len(w.sender.credits))
		}
	})
	if seen == 0 {
		t.Error("no run restored a copy that was older than what was acknowledged")
	}
}
