package node

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"

	"fastpay/codec"
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
