package link

import (
	"errors"
	"fmt"

	"pgregory.net/rapid"

	"fastpay/codec"
	"fastpay/crypto"
)

// world is one link in a world that loses, repeats and reorders messages, breaks connections, and crashes either side.
// Its disks hold what a real one would: credits with their numbers, and what was acknowledged.
type world struct {
	t        *rapid.T
	sender   senderDisk
	receiver receiverDisk

	s *Sender   // nil while it is down
	r *Receiver // nil while it is down

	connected bool     // a hello is on its way, or was answered
	toR, toS  [][]byte // messages under way
	orders    int      // made so far
	refused   *RefusedError
}

// senderDisk is what the sender's journal holds; the last ones may not be durable.
type senderDisk struct {
	credits []codec.Certificate
	durable int
	acked   Acknowledgement // durable
}

// receiverDisk is what the receiver's journal holds.
type receiverDisk struct {
	applied []received
	durable int
}

type received struct {
	number uint64
	chain  Chain
	cert   codec.Certificate
}

var testPair = Pair{2, 5}

var testAuthority = codec.Address{7}

func testHello(next uint64) Hello {
	return Hello{Authority: testAuthority, Pair: testPair, Shards: 6, Log: LogID{1}, Next: next}
}

var testReceiver = ReceiverOptions{Authority: testAuthority, Pair: testPair, Shards: 6, Log: LogID{2}}

// testCertificate is a credit that no other i has.
func testCertificate(i, votes int) codec.Certificate {
	sig := crypto.Signature{byte(i), byte(i >> 8), byte(i >> 16)}
	tr := codec.Transfer{Sender: codec.Address{1}, SequenceNumber: uint64(i), Amount: 1}
	return codec.NewCertificate(codec.NewOrder(&tr, &sig), make([]codec.VoteEntry, votes))
}

func (d *receiverDisk) cursor(n int) (a Acknowledgement) {
	if n > 0 {
		a = Acknowledgement{d.applied[n-1].number, d.applied[n-1].chain}
	}
	return a
}

// settle makes a credit. It is durable later.
func (w *world) settle() {
	w.sender.credits = append(w.sender.credits, testCertificate(w.orders, w.orders%3))
	w.orders++
}

func (w *world) syncSender() {
	w.sender.durable = len(w.sender.credits)
	if w.s != nil {
		w.s.Issued(uint64(w.sender.durable))
	}
}

// crashSender forgets what is not durable. What was acknowledged may be forgotten, too, for nobody syncs it.
func (w *world) crashSender() {
	w.s = nil
	w.sender.credits = w.sender.credits[:w.sender.durable]
	w.disconnect()
}

func (w *world) startSender() {
	if w.s == nil {
		h := testHello(uint64(w.sender.durable) + 1)
		h.Acknowledged, h.Chain = w.sender.acked.Number, w.sender.acked.Chain
		w.s = NewSender(h, 600)
	}
}

func (w *world) syncReceiver() {
	w.receiver.durable = len(w.receiver.applied)
	if w.r != nil {
		w.r.Durable(w.receiver.cursor(w.receiver.durable))
	}
}

func (w *world) crashReceiver() {
	w.r = nil
	w.receiver.applied = w.receiver.applied[:w.receiver.durable]
	w.disconnect()
}

func (w *world) startReceiver() {
	if w.r == nil {
		w.r = NewReceiver(testReceiver, w.receiver.cursor(w.receiver.durable))
	}
}

// disconnect ends the connection, and what is under way on it is lost.
func (w *world) disconnect() {
	w.connected, w.toR, w.toS = false, nil, nil
	if w.r != nil {
		w.r.Disconnect()
	}
}

// connect begins with a new connection; the one before is over.
func (w *world) connect() {
	if w.s == nil || w.connected {
		return
	}
	w.connected = true
	h := w.s.Hello()
	w.toR = append(w.toR, h.AppendFrame(nil))
}

// offer lets the sender send its next credit, read from its disk.
func (w *world) offer() {
	if w.s == nil {
		return
	}
	n, ok := w.s.Wants()
	if !ok {
		return
	}
	if n > uint64(w.sender.durable) {
		w.t.Fatalf("credit %d leaves, and %d are durable", n, w.sender.durable)
	}
	frame, err := w.s.Offer(nil, w.sender.credits[n-1])
	if w.check(err, w.deliverToReceiver) && len(frame) > 0 {
		w.toR = append(w.toR, frame)
	}
}

// acknowledge lets the receiver send an acknowledgement.
func (w *world) acknowledge() {
	if w.r == nil {
		return
	}
	if a, ok := w.r.Acknowledge(); ok {
		if a.Number > uint64(w.receiver.durable) {
			w.t.Fatalf("credit %d is acknowledged, and %d are durable", a.Number, w.receiver.durable)
		}
		w.toS = append(w.toS, a.AppendFrame(nil))
	}
}

// check ends the connection upon an error, after it has told the other side about a refusal.
func (w *world) check(err error, tell func(frame []byte)) bool {
	if err == nil {
		return true
	}
	refused := (*RefusedError)(nil)
	if errors.As(err, &refused) && tell != nil {
		w.refused = refused
		tell(refused.AppendFrame(nil))
	}
	w.disconnect()
	return false
}

// take removes message i of a queue; a repeat stays in it.
func take(q *[][]byte, i int, repeat bool) []byte {
	m := (*q)[i]
	if !repeat {
		*q = append((*q)[:i:i], (*q)[i+1:]...)
	}
	return m
}

func decodeFrame(t interface{ Fatal(...any) }, frame []byte) *Message {
	body, rest, ok, err := codec.TakeFrame(frame, MaxMessage(10))
	if err != nil || !ok || len(rest) != 0 {
		t.Fatal("no frame", err)
	}
	m := new(Message)
	if err := m.Decode(body); err != nil {
		t.Fatal(err)
	}
	return m
}

func (w *world) deliverToReceiver(frame []byte) {
	if w.r == nil {
		return
	}
	switch m := decodeFrame(w.t, frame); m.Kind {
	case KindHello:
		welcome, err := w.r.Hello(&m.Hello)
		if w.check(err, w.deliverToSender) {
			w.toS = append(w.toS, welcome.AppendFrame(nil))
		}
	case KindCredit:
		fresh, err := w.r.Credit(m.Credit.Number)
		if w.check(err, w.deliverToSender) && fresh {
			w.apply(m.Credit.Number, m.Credit.Certificate)
		}
	case KindRefusal:
		w.check(w.r.Refused(&m.Refusal), nil)
	default:
		w.t.Fatalf("kind %d for the receiver", m.Kind)
	}
}

// apply is the account's side: it knows the number of the last credit that it applied, durable or not.
func (w *world) apply(number uint64, cert codec.Certificate) {
	n := len(w.receiver.applied)
	switch last := uint64(n); {
	case number <= last:
	case number == last+1:
		chain := w.receiver.cursor(n).Chain.Next(cert.Order())
		w.receiver.applied = append(w.receiver.applied, received{number, chain, cert})
	default:
		w.t.Fatalf("credit %d after %d", number, last)
	}
}

func (w *world) deliverToSender(frame []byte) {
	if w.s == nil {
		return
	}
	switch m := decodeFrame(w.t, frame); m.Kind {
	case KindWelcome:
		w.check(w.s.Welcome(&m.Welcome), w.deliverToReceiver)
	case KindAcknowledgement:
		w.check(w.s.Acknowledge(&m.Acknowledgement), w.deliverToReceiver)
	case KindRefusal:
		w.check(w.s.Refused(&m.Refusal), nil)
	default:
		w.t.Fatalf("kind %d for the sender", m.Kind)
	}
}

// holds is what must be true at any moment: all that the receiver has applied is what the sender has issued and made
// durable, in that order, and the sender discards nothing that is not durable there.
func (w *world) holds() error {
	for i, c := range w.receiver.applied {
		if i >= w.sender.durable || string(c.cert.Bytes()) != string(w.sender.credits[i].Bytes()) {
			return fmt.Errorf("credit %d is not the one that was issued (%d are)", i+1, w.sender.durable)
		}
	}
	if w.s != nil && w.s.Acknowledged().Number > uint64(w.receiver.durable) {
		return fmt.Errorf("%d are discarded, and %d are durable", w.s.Acknowledged().Number, w.receiver.durable)
	}
	return nil
}

// settleDown lets everything work from now on, until nothing is left to do.
func (w *world) settleDown() {
	w.startSender()
	w.startReceiver()
	w.syncSender()
	w.disconnect()
	for round := 0; w.s.Outstanding() && w.refused == nil; round++ {
		if round%100 == 99 { // as long as a sender waits for an acknowledgement
			w.disconnect()
		}
		if round > 100*(len(w.sender.credits)+10) {
			w.t.Fatalf("no progress: %d of %d", w.s.Acknowledged().Number, len(w.sender.credits))
		}
		w.connect()
		w.offer()
		for len(w.toR) > 0 {
			w.deliverToReceiver(take(&w.toR, 0, false))
		}
		w.syncReceiver()
		w.acknowledge()
		for len(w.toS) > 0 {
			w.deliverToSender(take(&w.toS, 0, false))
		}
	}
}
