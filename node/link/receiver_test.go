package link

import (
	"strings"
	"testing"
)

func TestReceiverRefuses(t *testing.T) {
	r := NewReceiver(testReceiver, Acknowledgement{80, 9})
	f := func(reason Reason, change func(h *Hello), words ...string) {
		t.Helper()
		h := testHello(101)
		h.Acknowledged, h.Chain = 80, 9
		change(&h)
		_, err := r.Hello(&h)
		wantRefused(t, err, reason, words...)
		if _, err := r.Credit(81); err == nil {
			t.Error("a credit after a refusal")
		}
	}
	f(OtherAuthority, func(h *Hello) { h.Authority[0]++ }, "two authorities")
	f(OtherShards, func(h *Hello) { h.Shards = 7 }, "7 shards", "receiver's 6")
	f(NoSuchLink, func(h *Hello) { h.Pair.To = 4 }, "shard 2 to shard 4")
	f(NoSuchLink, func(h *Hello) { h.Pair.From = 3 }, "shard 3 to shard 5")
	f(SenderBehind, func(h *Hello) { h.Next, h.Acknowledged = 51, 40 }, "issued 50", "applied 80", "sender's data directory")
	f(SenderBehind, func(h *Hello) { h.Next, h.Acknowledged = 80, 0 }, "issued 79", "applied 80")
	f(SenderBehind, func(h *Hello) { h.Next, h.Acknowledged = 0, 0 }, "issued 0", "applied 80")
	f(ReceiverBehind, func(h *Hello) { h.Acknowledged = 81 }, "acknowledged 81", "cursor is at 80", "receiver's data directory")
	f(OtherHistory, func(h *Hello) { h.Chain = 8 }, "up to 80")

	h := testHello(81)
	h.Acknowledged, h.Chain = 80, 9
	if _, err := r.Hello(&h); err != nil {
		t.Errorf("all issued credits are here: %v", err)
	}
	if _, err := r.Hello(&h); err == nil {
		t.Error("two hellos on a connection")
	}
	r.Disconnect()
	f(OtherLog, func(h *Hello) { h.Log = LogID{0xab} }, "ab00000000000000", "0100000000000000")
	wantRefused(t, r.Refused(&Refusal{OtherHistory, 3, 3}), OtherHistory)
}

func TestReceiverTakesInOrder(t *testing.T) {
	r := NewReceiver(testReceiver, Acknowledgement{2, chainOf(2)})
	if _, err := r.Credit(3); err == nil {
		t.Error("credit before a hello")
	}
	h := testHello(10)
	w, err := r.Hello(&h)
	if err != nil || w != (Welcome{LogID{2}, 2, chainOf(2)}) {
		t.Fatalf("welcome %+v, %v", w, err)
	}
	f := func(number uint64, wantFresh bool) {
		t.Helper()
		if fresh, err := r.Credit(number); err != nil || fresh != wantFresh {
			t.Errorf("credit %d: fresh %v, %v", number, fresh, err)
		}
	}
	f(3, true)
	f(3, false)
	f(1, false)
	f(4, true)
	if _, err := r.Credit(6); err == nil || !strings.Contains(err.Error(), "credit 6 came after credit 4") {
		t.Errorf("error %v", err)
	}
	if a, ok := r.Acknowledge(); ok {
		t.Errorf("acknowledged %+v, and nothing is durable", a)
	}
	r.Durable(Acknowledgement{3, chainOf(3)})
	if a, ok := r.Acknowledge(); !ok || a.Number != 3 {
		t.Errorf("acknowledged %+v, %v", a, ok)
	}
	if _, ok := r.Acknowledge(); ok {
		t.Error("acknowledged twice")
	}
	r.Durable(Acknowledgement{2, 0}) // late
	r.Disconnect()
	if w, err := r.Hello(&h); err != nil || w.Cursor != 3 {
		t.Errorf("welcome %+v, %v", w, err)
	}
	r.Durable(Acknowledgement{5, chainOf(5)}) // came over the connection before
	if a, ok := r.Acknowledge(); ok {
		t.Errorf("acknowledged %+v, which this connection has not brought", a)
	}
	f(4, true)
	f(5, true)
	if a, ok := r.Acknowledge(); !ok || a.Number != 5 {
		t.Errorf("acknowledged %+v, %v", a, ok)
	}
}
