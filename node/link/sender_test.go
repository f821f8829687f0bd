package link

import (
	"errors"
	"strings"
	"testing"
)

// chainOf is the chain of the first n credits.
func chainOf(n int) (c Chain) {
	for i := range n {
		c = c.Next(testCertificate(i, 0).Order())
	}
	return c
}

// wantRefused demands a refusal for a reason, whose text has all of the words.
func wantRefused(t *testing.T, err error, reason Reason, words ...string) {
	t.Helper()
	refused := (*RefusedError)(nil)
	if !errors.As(err, &refused) || refused.Reason != reason {
		t.Fatalf("error %v, expected reason %d", err, reason)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q, expected it to say %q", err, word)
		}
	}
}

// openSender has n credits issued, and a receiver that has applied the first cursor of them.
func openSender(t *testing.T, n, cursor uint64, window int) *Sender {
	t.Helper()
	s := NewSender(testHello(n+1), window)
	s.Hello()
	if err := s.Welcome(&Welcome{LogID{2}, cursor, chainOf(int(cursor))}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *Sender) mustOffer(t *testing.T, number uint64) []byte {
	t.Helper()
	if n, ok := s.Wants(); !ok || n != number {
		t.Fatalf("wants %d, %v, expected %d", n, ok, number)
	}
	frame, err := s.Offer(nil, testCertificate(int(number)-1, 0))
	if err != nil {
		t.Fatal(err)
	}
	return frame
}

func TestSenderRefuses(t *testing.T) {
	h := testHello(51)
	h.Acknowledged, h.Chain = 30, 9
	s := NewSender(h, 1000)
	welcome := func(cursor uint64, chain Chain) error {
		s.Hello()
		return s.Welcome(&Welcome{Cursor: cursor, Chain: chain})
	}
	wantRefused(t, welcome(80, 0), SenderBehind, "shard 2 to shard 5", "issued 50", "applied 80", "old copy")
	wantRefused(t, welcome(51, 0), SenderBehind, "issued 50", "applied 51")
	wantRefused(t, welcome(29, 0), ReceiverBehind, "acknowledged 30", "cursor is at 29")
	wantRefused(t, welcome(30, 8), OtherHistory, "up to 30")
	if _, ok := s.Wants(); ok {
		t.Error("sends after a refusal")
	}
	if err := welcome(50, 0); err != nil {
		t.Errorf("all issued credits are there: %v", err)
	}
	if err := s.Welcome(&Welcome{Cursor: 50}); err == nil {
		t.Error("two welcomes for a hello")
	}
	wantRefused(t, s.Refused(&Refusal{ReceiverBehind, 30, 2}), ReceiverBehind, "acknowledged 30", "at 2")
}

func TestSenderComparesHistory(t *testing.T) {
	s := openSender(t, 5, 3, 1000)
	for n := uint64(1); n <= 3; n++ {
		if frame := s.mustOffer(t, n); len(frame) != 0 {
			t.Errorf("credit %d was sent, and the receiver has it", n)
		}
		if got, want := s.Acknowledged().Number, n/3*3; got != want {
			t.Errorf("acknowledged %d after credit %d, expected %d", got, n, want)
		}
	}
	if m := decodeFrame(t, s.mustOffer(t, 4)); m.Credit.Number != 4 {
		t.Errorf("sent %+v", m)
	}

	other := NewSender(testHello(6), 1000)
	other.Hello()
	if err := other.Welcome(&Welcome{Cursor: 2, Chain: chainOf(3)}); err != nil {
		t.Fatal(err)
	}
	other.mustOffer(t, 1)
	_, err := other.Offer(nil, testCertificate(1, 0))
	wantRefused(t, err, OtherHistory, "up to 2")
	if _, ok := other.Wants(); ok {
		t.Error("sends after a refusal")
	}
}

func TestSenderKeepsItsWindow(t *testing.T) {
	size := len(testCertificate(0, 0).Bytes())
	s := openSender(t, 10, 0, 2*size)
	s.mustOffer(t, 1)
	s.mustOffer(t, 2)
	if n, ok := s.Wants(); ok {
		t.Fatalf("wants %d, and the window is full", n)
	}
	if err := s.Acknowledge(&Acknowledgement{1, chainOf(1)}); err != nil {
		t.Fatal(err)
	}
	s.mustOffer(t, 3)
	if _, ok := s.Wants(); ok || !s.Flying() {
		t.Error("the window is not full")
	}
	tiny := openSender(t, 10, 0, 1)
	tiny.mustOffer(t, 1)
	if _, ok := tiny.Wants(); ok {
		t.Error("two credits under way in the smallest window")
	}
	wide := openSender(t, maxFlying+10, 0, 1<<40)
	for n := uint64(1); n <= maxFlying; n++ {
		wide.mustOffer(t, n)
	}
	if n, ok := wide.Wants(); ok {
		t.Errorf("wants %d, and %d are under way", n, maxFlying)
	}
	if err := wide.Acknowledge(&Acknowledgement{maxFlying, chainOf(maxFlying)}); err != nil || wide.Flying() || wide.flying != 0 {
		t.Errorf("%v, %d bytes under way", err, wide.flying)
	}
}

func TestSenderAcknowledgements(t *testing.T) {
	s := NewSender(testHello(11), 1<<20)
	if err := s.Acknowledge(&Acknowledgement{1, 0}); err == nil {
		t.Error("acknowledged before the receiver answered")
	}
	s = openSender(t, 10, 0, 1<<20)
	for n := uint64(1); n <= 4; n++ {
		s.mustOffer(t, n)
	}
	if err := s.Acknowledge(&Acknowledgement{3, chainOf(3)}); err != nil {
		t.Fatal(err)
	}
	for _, a := range []Acknowledgement{{3, 77}, {1, chainOf(1)}, {0, 0}} { // late ones say nothing
		if err := s.Acknowledge(&a); err != nil || s.Acknowledged().Number != 3 {
			t.Errorf("%+v: %v", a, err)
		}
	}
	err := s.Acknowledge(&Acknowledgement{5, chainOf(5)})
	if err == nil || !strings.Contains(err.Error(), "credit 5 is acknowledged, and credits to 4 were sent") {
		t.Errorf("error %v", err)
	}
	wantRefused(t, s.Acknowledge(&Acknowledgement{4, chainOf(3)}), OtherHistory, "up to 4")
	if !s.Outstanding() {
		t.Error("10 were issued, 3 acknowledged")
	}
	s.Issued(7) // less than is known
	if s.Hello().Next != 11 {
		t.Error("issued went back")
	}
	if _, ok := s.Wants(); ok {
		t.Error("sends on a connection that has not been welcomed")
	}
}
