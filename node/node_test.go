package node

import (
	"net"
	"testing"
	"time"

	"fastpay/codec"
	"fastpay/crypto"
)

// TestPayment sends an order and its certificate, and sees debit and credit, for recipients here and in another shard.
func TestPayment(t *testing.T) {
	w := newWorld(t, 4, 2, 40)
	n := w.start(w.options())
	for name, to := range map[string]int{"same shard": w.accountIn(0, 1), "other shard": w.accountIn(1, 0)} {
		from := w.accountIn(0, 2)
		if name == "same shard" {
			from = w.accountIn(0, 0)
		}
		c := w.dial(0)
		o := w.order(from, to, 7, 0)
		m := c.ask(codec.AppendOrder(nil, o))
		if m.Kind != codec.KindInfoResponse {
			t.Fatalf("%s: %v", name, m.Error())
		}
		vote := m.InfoResponse().Pending
		if *vote.Authority() != w.members[0].Name || !crypto.Verify(vote.Authority(), o.AppendSignedBytes(nil), vote.Signature()) {
			t.Fatalf("%s: vote does not verify", name)
		}
		m = c.ask(codec.AppendCertificate(nil, w.certificate(o)))
		if r := m.InfoResponse(); m.Kind != codec.KindInfoResponse || r.NextSequenceNumber != 1 || r.Balance != codec.NewBalance(initialBalance-7) {
			t.Fatalf("%s: settled to %+v", name, r)
		}
		eventually(t, "credit", func() bool { return w.balance(to) == initialBalance+7 })
	}
	if s := n.Stats(); s.Orders != 2 || s.Certificates != 2 || s.Votes != 2 || s.Rejected != 0 {
		t.Errorf("stats %+v", s)
	}
}

// TestPaymentByDatagram is the same over UDP, with many datagrams at once.
func TestPaymentByDatagram(t *testing.T) {
	w := newWorld(t, 4, 2, 200)
	w.start(w.options())
	c, err := net.Dial("udp", w.address(0))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const payments = 60
	waiting := make(map[codec.Address]bool)
	for i := range payments {
		o := w.order(w.accountIn(0, i), w.accountIn(1, i), 3, 0)
		waiting[*o.Sender()] = true
		for _, m := range [][]byte{codec.AppendOrder(nil, o), codec.AppendCertificate(nil, w.certificate(o))} {
			if _, err := c.Write(m); err != nil {
				t.Fatal(err)
			}
		}
	}
	buf := make([]byte, 1<<16)
	for len(waiting) > 0 {
		_ = c.SetReadDeadline(time.Now().Add(patience))
		k, err := c.Read(buf)
		if err != nil {
			t.Fatalf("%d payments unanswered: %v", len(waiting), err)
		}
		if m := decode(t, buf[:k]); m.Kind == codec.KindInfoResponse && m.InfoResponse().NextSequenceNumber == 1 {
			delete(waiting, m.InfoResponse().Account)
		}
	}
	for i := range payments {
		eventually(t, "credit", func() bool { return w.balance(w.accountIn(1, i)) == initialBalance+3 })
	}
}

// TestRepliesInOrderOfRequests sends a mix of requests in pieces that cut frames anywhere.
func TestRepliesInOrderOfRequests(t *testing.T) {
	w := newWorld(t, 4, 2, 200)
	w.start(w.options())
	c := w.dial(0)
	var stream []byte
	var want []codec.Address
	var wantKinds []codec.Kind
	add := func(message []byte, kind codec.Kind, account codec.Address) {
		stream = append(stream, frame(message)...)
		wantKinds, want = append(wantKinds, kind), append(want, account)
	}
	for i := range 80 {
		from := w.accountIn(0, i)
		o := w.order(from, w.accountIn(i%2, i), 1, 0)
		add(codec.AppendOrder(nil, o), codec.KindInfoResponse, *o.Sender())
		add(infoRequest(w, w.accountIn(1, 0)), codec.KindError, codec.Address{}) // wrong shard
		add(codec.AppendCertificate(nil, w.certificate(o)), codec.KindInfoResponse, *o.Sender())
		add(nil, codec.KindError, codec.Address{})
		add(infoRequest(w, from), codec.KindInfoResponse, *o.Sender())
	}
	go func() {
		for piece := 1; len(stream) > 0; piece = piece*5%997 + 1 {
			k := min(piece, len(stream))
			if _, err := c.Write(stream[:k]); err != nil {
				return
			}
			stream = stream[k:]
		}
	}()
	for i, kind := range wantKinds {
		m := c.receive()
		if m.Kind != kind || kind == codec.KindInfoResponse && m.InfoResponse().Account != want[i] {
			t.Fatalf("reply %d is of kind %d for %x, want kind %d for %x", i, m.Kind, m.InfoResponse().Account, kind, want[i])
		}
	}
}

// TestWhatIsNotServed sends what an authority doesn't answer, or answers with an error, and finds the connection open.
func TestWhatIsNotServed(t *testing.T) {
	w := newWorld(t, 4, 2, 40)
	n := w.start(w.options())
	c := w.dial(0)
	from := w.accountIn(0, 0)
	o := w.order(from, w.accountIn(1, 0), 1, 0)
	cert := w.certificate(o)
	response := codec.AppendInfoResponse(nil, &codec.InfoResponse{Account: *o.Sender()})
	vote := codec.NewVote(o, &w.members[1].Name, o.Signature())
	wantError(t, c.ask(nil), codec.InvalidDecoding)
	wantError(t, c.ask([]byte{1, 2, 3}), codec.InvalidDecoding)
	wantError(t, c.ask(append(codec.AppendOrder(nil, o), 0)), codec.InvalidDecoding)
	wantError(t, c.ask(codec.AppendVote(nil, vote)), codec.UnexpectedMessage)
	wantError(t, c.ask(response), codec.UnexpectedMessage)
	wantError(t, c.ask(codec.AppendError(nil, &codec.Error{Code: codec.WrongShard})), codec.UnexpectedMessage)
	forged := w.order(from, w.accountIn(1, 0), 1, 0)
	forged.Bytes()[len(forged.Bytes())-40] ^= 1
	wantError(t, c.ask(codec.AppendOrder(nil, forged)), codec.InvalidSignature)
	c.send(codec.AppendCrossShard(nil, cert)) // no answer, no money
	if m := c.ask(infoRequest(w, from)); m.Kind != codec.KindInfoResponse {
		t.Fatalf("connection is of no use any more: %v", m.Error())
	}
	if s := n.Stats(); s.CrossShardRefused != 1 {
		t.Errorf("%d credits refused on the public port, want 1", s.CrossShardRefused)
	}
	if b := w.balance(w.accountIn(1, 0)); b != initialBalance {
		t.Errorf("anyone can mint money: balance %d", b)
	}

	u, err := net.Dial("udp", w.address(0))
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	for _, m := range [][]byte{response, codec.AppendVote(nil, vote)} { // the first gets no answer
		if _, err := u.Write(m); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 1<<16)
	_ = u.SetReadDeadline(time.Now().Add(patience))
	k, err := u.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, decode(t, buf[:k]), codec.UnexpectedMessage)
}
