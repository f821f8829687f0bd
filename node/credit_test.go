package node

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
)

// pay settles a payment of amount with a certificate alone, over c, and waits for the answer.
func (w *world) pay(c *client, from, to int, amount, sequence uint64) {
	w.t.Helper()
	m := c.ask(codec.AppendCertificate(nil, w.certificate(w.order(from, to, amount, sequence))))
	if m.Kind != codec.KindInfoResponse {
		w.t.Fatalf("payment refused: %v", m.Error())
	}
}

// TestFloodingShardsMakeProgress has two workers send each other credits through queues that hold few of them.
func TestFloodingShardsMakeProgress(t *testing.T) {
	const payments = 3000 // 1.3 MB each way
	w := newWorld(t, 4, 2, 24)
	o := w.options()
	l := defaultLimits
	l.creditRing = 512 << 10
	o.limits, o.Workers = &l, 2
	w.start(o)
	done := make(chan struct{}, 2)
	streams := [2][][]byte{}
	for s := range 2 {
		for i := range payments {
			streams[s] = append(streams[s], codec.AppendCertificate(nil,
				w.certificate(w.order(w.accountIn(s, 0), w.accountIn(1-s, 0), 1, uint64(i)))))
		}
	}
	for s := range 2 {
		c := w.dial(s)
		go func() {
			defer func() { done <- struct{}{} }()
			c.send(streams[s]...)
			for range payments {
				if m := c.receive(); m.Kind != codec.KindInfoResponse {
					t.Errorf("shard %d: %v", s, m.Error())
					return
				}
			}
		}()
	}
	for range 2 {
		select {
		case <-done:
		case <-time.After(patience):
			t.Fatal("deadlock")
		}
	}
	for s := range 2 {
		eventually(t, "all credits", func() bool { return w.balance(w.accountIn(s, 0)) == initialBalance })
	}
}

// TestCreditsBetweenProcesses settles payments while the recipient's process is down, and once up sees each credit once.
func TestCreditsBetweenProcesses(t *testing.T) {
	const payments = 50
	w := newWorld(t, 4, 2, 24)
	w.start(w.options(0))
	from, to := w.accountIn(0, 0), w.accountIn(1, 0)
	c := w.dial(0)
	for i := range payments / 2 {
		w.pay(c, from, to, 1, uint64(i))
	}
	w.start(w.options(1))
	for i := payments / 2; i < payments; i++ {
		w.pay(c, from, to, 1, uint64(i))
	}
	eventually(t, "credits", func() bool { return w.balance(to) == initialBalance+payments })
	cert := w.certificate(w.order(from, to, 1, 3))
	d := w.dial(1)
	d.send(codec.AppendCrossShard(nil, cert), codec.AppendCrossShard(nil, cert)) // anyone may repeat one
	d.receiveInfo(infoRequest(w, to), initialBalance+payments)
	w.pay(w.dial(1), to, w.accountIn(1, 1), 5, 0) // a local credit is remembered like any other
	local := w.certificate(w.order(to, w.accountIn(1, 1), 5, 0))
	d.send(codec.AppendCrossShard(nil, local))
	d.receiveInfo(infoRequest(w, w.accountIn(1, 1)), initialBalance+5)
	forged := w.certificate(w.order(from, to, 500, 77))
	forged.Bytes()[len(forged.Bytes())-10] ^= 1
	d.send(codec.AppendCrossShard(nil, forged))
	d.wantEnd()
	w.dial(1).receiveInfo(infoRequest(w, to), initialBalance+payments-5)
}

// wantEnd demands that the node closes the connection, without another reply.
func (c *client) wantEnd() {
	c.t.Helper()
	if m, err := c.tryReceive(patience); err == nil || isTimeout(err) {
		c.t.Fatalf("connection still open: %v, %v", m, err)
	}
}

// receiveInfo asks and demands a balance.
func (c *client) receiveInfo(question []byte, balance uint64) {
	c.t.Helper()
	m := c.ask(question)
	if m.Kind != codec.KindInfoResponse || m.InfoResponse().Balance != codec.NewBalance(balance) {
		c.t.Fatalf("balance %v, want %d", m.InfoResponse().Balance, balance)
	}
}

// TestCreditsAreSentAgain gives the link a sibling that takes credits, never acknowledges and dies; its successor gets
// them all.
func TestCreditsAreSentAgain(t *testing.T) {
	const payments = 10
	w := newWorld(t, 4, 2, 24)
	deaf, err := net.Listen("tcp", w.address(1))
	if err != nil {
		t.Fatal(err)
	}
	w.start(w.options(0))
	from, to := w.accountIn(0, 0), w.accountIn(1, 0)
	c := w.dial(0)
	for i := range payments {
		w.pay(c, from, to, 1, uint64(i))
	}
	sock, err := deaf.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readFrame(bufio.NewReader(sock), nil, codec.DefaultMaxMessage); err != nil {
		t.Fatal(err)
	}
	sock.Close()
	deaf.Close()
	w.start(w.options(1))
	eventually(t, "credits", func() bool { return w.balance(to) == initialBalance+payments })
}

// TestFullOutboxHoldsItsOwnTraffic fills the outbox to a shard that is down. A connection with a payment to it waits,
// datagrams get no answer, others go on; when the shard comes, everything ends well.
func TestFullOutboxHoldsItsOwnTraffic(t *testing.T) {
	const payments = 40
	w := newWorld(t, 4, 2, 24)
	o := w.options(0)
	l := defaultLimits
	l.outbox = 4 << 10
	o.limits = &l
	n := w.start(o)
	from, to := w.accountIn(0, 0), w.accountIn(1, 0)
	held, other := w.dial(0), w.dial(0)
	go func() {
		for i := range payments {
			held.send(codec.AppendCertificate(nil, w.certificate(w.order(from, to, 1, uint64(i)))), infoRequest(w, from))
		}
	}()
	eventually(t, "a full outbox", func() bool { return n.Stats().OutboxFull > 0 })
	w.pay(other, w.accountIn(0, 1), w.accountIn(0, 2), 9, 0)
	u, err := net.Dial("udp", w.address(0))
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	if _, err := u.Write(codec.AppendCertificate(nil, w.certificate(w.order(w.accountIn(0, 3), to, 1, 0)))); err != nil {
		t.Fatal(err)
	}
	_ = u.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	if _, err := u.Read(make([]byte, 2000)); !isTimeout(err) {
		t.Fatalf("a datagram that can't be applied was answered: %v", err)
	}
	w.start(w.options(1))
	for i := range payments {
		m := held.receive()
		if m.Kind != codec.KindInfoResponse || m.InfoResponse().NextSequenceNumber != uint64(i+1) {
			t.Fatalf("payment %d: kind %d, %+v", i, m.Kind, m.InfoResponse())
		}
		if m := held.receive(); m.InfoResponse().NextSequenceNumber != uint64(i+1) {
			t.Fatalf("question %d answered out of order", i)
		}
	}
	eventually(t, "credits", func() bool { return w.balance(to) == initialBalance+payments })
}

// TestReadFrame bounds what a sibling can make a link hold.
func TestReadFrame(t *testing.T) {
	in, out := net.Pipe()
	defer in.Close()
	go func() {
		defer out.Close()
		_, _ = out.Write([]byte{0xff, 0xff, 0xff, 0xff})
	}()
	if _, err := readFrame(bufio.NewReader(in), nil, 1000); err != codec.ErrFrameTooLarge {
		t.Errorf("got %v", err)
	}
	if _, err := readFrame(bufio.NewReader(in), nil, 1000); err != io.EOF {
		t.Errorf("got %v", err)
	}
}

// TestRefusedCreditIsNotAcknowledged has a sibling with another committee file, which refuses the credits. The recipient
// is known there, so the question that follows them used to be answered, and the money was forgotten. It waits, and
// arrives once the sibling has the right file.
func TestRefusedCreditIsNotAcknowledged(t *testing.T) {
	const payments = 3
	w := newWorld(t, 4, 2, 24)
	other := newWorld(t, 4, 2, 24)
	for i := 1; i < 4; i++ {
		other.keys[i] = key('b', i)
		other.members[i].Name = other.keys[i].Public()
	}
	other.members[0].BasePort = w.members[0].BasePort
	var err error
	if other.committee, err = committee.New(other.members); err != nil {
		t.Fatal(err)
	}
	payer := w.start(w.options(0))
	wrong, err := Start(other.options(1))
	if err != nil {
		t.Fatal(err)
	}
	from, to := w.accountIn(0, 0), w.accountIn(1, 0)
	c := w.dial(0)
	for i := range payments {
		w.pay(c, from, to, 1, uint64(i))
	}
	eventually(t, "refusals", func() bool { return wrong.Stats().CrossShardRefused >= 2 })
	if payer.workers[0].creditsDelivered() {
		t.Error("credits that were refused are acknowledged")
	}
	w.stop(wrong)
	w.start(w.options(1))
	eventually(t, "credits", func() bool { return w.balance(to) == initialBalance+payments })
	eventually(t, "acknowledgement", payer.workers[0].creditsDelivered)
}

// TestRefusedCreditEndsItsConnection answers what came before it, in the same batch or an earlier one, and nothing after.
func TestRefusedCreditEndsItsConnection(t *testing.T) {
	w := newWorld(t, 4, 2, 24)
	n := w.loopless(w.options(1))
	worker := n.workers[0]
	good := w.certificate(w.order(w.accountIn(0, 0), w.accountIn(1, 0), 1, 0))
	forged := w.certificate(w.order(w.accountIn(0, 0), w.accountIn(1, 0), 1, 1))
	forged.Bytes()[len(forged.Bytes())-10] ^= 1
	elsewhere := w.certificate(w.order(w.accountIn(0, 0), w.accountIn(0, 1), 1, 0))
	toPrimary := codec.Transfer{Sender: w.accounts[0].Public(), Amount: 1}
	var sig crypto.Signature
	w.accounts[0].Sign(&sig, toPrimary.AppendSignedBytes(nil))
	question := frame(infoRequest(w, w.accountIn(1, 0)))
	for name, cert := range map[string]codec.Certificate{
		"signature": forged, "shard": elsewhere, "Primary": w.certificate(codec.NewOrder(&toPrimary, &sig)),
		"quorum": codec.NewCertificate(good.Order(), nil),
	} {
		before := n.Stats()
		s, other := worker.open(t), worker.open(t)
		s.feed(frame(codec.AppendCrossShard(nil, good)), question, frame(codec.AppendCrossShard(nil, cert)), question)
		other.feed(question)
		worker.drain()
		if replies := s.replies(); len(replies) != 1 || !s.closed {
			t.Errorf("%s: %d replies, closed %v", name, len(replies), s.closed)
		}
		if len(other.replies()) != 1 || other.closed {
			t.Errorf("%s: others suffer", name)
		}
		after := n.Stats()
		if after.CrossShardRefused != before.CrossShardRefused+1 || after.Credits != before.Credits+1 {
			t.Errorf("%s: counted %+v", name, after)
		}
		worker.batch.add(worker.shards[0], codec.AppendCrossShard(nil, cert), nil, &source{len: 16}) // a datagram
		worker.drain()
		if n.Stats().CrossShardRefused != before.CrossShardRefused+2 {
			t.Errorf("%s: datagram not counted", name)
		}
	}
}

// TestSameCreditFromManyAtOnce sends one credit over many connections and datagrams at once, within batches and across
// them: it counts once.
func TestSameCreditFromManyAtOnce(t *testing.T) {
	w := newWorld(t, 4, 2, 24)
	n := w.start(w.options(1))
	from, to := w.accountIn(0, 0), w.accountIn(1, 0)
	var message []byte
	for i := range 4 {
		message = append(message, frame(codec.AppendCrossShard(nil, w.certificate(w.order(from, to, 1, uint64(i)))))...)
	}
	var done sync.WaitGroup
	for range 8 {
		c := w.dial(1)
		done.Go(func() {
			for range 10 {
				if _, err := c.Write(message); err != nil {
					t.Error(err)
				}
			}
			if m, err := c.tryAsk(infoRequest(w, to)); err != nil || m.InfoResponse().Balance != codec.NewBalance(initialBalance+4) {
				t.Errorf("%+v, %v", m, err)
			}
		})
	}
	done.Wait()
	if s := n.Stats(); s.Credits != 8*10*4 || s.CrossShardRefused != 0 {
		t.Errorf("stats %+v", s)
	}
}

// TestLinkGroupsAreBounded packs large certificates: a group must be checked before the link's patience ends.
func TestLinkGroupsAreBounded(t *testing.T) {
	w := newWorld(t, 4, 2, 24)
	n := w.loopless(w.options(0))
	l := n.workers[0].links[1]
	votes := make([]codec.VoteEntry, 100)
	cert := codec.NewCertificate(w.order(w.accountIn(0, 0), w.accountIn(1, 0), 1, 0), votes)
	for range 300 {
		if !l.ring.reserve(len(cert.Bytes())) {
			t.Fatal("no room")
		}
		l.ring.push(1, 1, cert.Bytes())
	}
	pos, groups := uint64(0), 0
	for {
		group, end := l.takeGroup(nil, pos)
		if end == pos {
			break
		}
		if len(group) > linkGroupBytes+len(cert.Bytes())+100 {
			t.Fatalf("group of %d bytes", len(group))
		}
		pos = end
		groups++
	}
	if groups < 20 || pos != l.ring.head.Load() {
		t.Errorf("%d groups, up to %d of %d", groups, pos, l.ring.head.Load())
	}
}

// TestAcknowledgements tells what a sibling may answer.
func TestAcknowledgements(t *testing.T) {
	response := codec.AppendInfoResponse(nil, &codec.InfoResponse{})
	if err := acknowledged(response); err != nil {
		t.Error(err)
	}
	for want, answer := range map[string][]byte{
		"decode":     {1, 2, 3},
		"refused":    codec.AppendError(nil, &codec.Error{Code: codec.UnknownSenderAccount}),
		"unexpected": codec.AppendInfoRequest(nil, &codec.InfoRequest{}),
	} {
		if err := acknowledged(answer); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// TestDamagedQueuesEndTheNode: what is in a queue was checked before; if it can't be read, memory is not to be trusted.
func TestDamagedQueuesEndTheNode(t *testing.T) {
	w := newWorld(t, 4, 2, 24)
	garbage := []byte("no certificate")
	o := w.options()
	o.Workers, o.Pin = 2, "off"
	n := w.loopless(o)
	r := n.workers[1].inbox[0].ring
	if !r.reserve(len(garbage)) {
		t.Fatal("no room")
	}
	r.push(1, 1, garbage)
	n.workers[1].takeCredits()
	if !n.hasFailed() {
		t.Error("damaged inbox")
	}
	if n.workers[0].reserveRing(n.workers[1], len(r.buf)) {
		t.Error("room where there is none")
	}
	n = w.loopless(w.options(0))
	l := n.workers[0].links[1]
	if !l.ring.reserve(len(garbage)) {
		t.Fatal("no room")
	}
	l.ring.push(1, 1, garbage)
	if _, end := l.takeGroup(nil, 0); end != 0 || !n.hasFailed() {
		t.Error("damaged outbox")
	}
}
