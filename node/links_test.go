package node

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"fastpay/codec"
	"fastpay/node/link"
)

func dupDescriptor(f *os.File) (int, error) { return syscall.Dup(int(f.Fd())) }

// TestLinkDeliversOverBrokenConnections cuts connections again and again while credits flow: each arrives once, in
// order.
func TestLinkDeliversOverBrokenConnections(t *testing.T) {
	const credits = 20_000
	k := key('a', 1)
	payee := startPayee(t, k, "127.0.0.1:0", nil)
	proxy := newCutter(t, payee.listener.Addr().String())
	payer := startPayer(t, k, proxy.Addr().String(), nil, link.Acknowledgement{})
	all := stubCredits(0, credits)
	cuts := 0
	for i, c := range all {
		payer.pay(c)
		if i%2000 == 1000 {
			eventually(t, "progress", func() bool { return len(payee.credits()) > i-1000 })
			proxy.cut()
			cuts++
		}
	}
	payee.wantCredits(t, all)
	eventually(t, "acknowledgements", func() bool { return payer.acknowledged() == credits })
	if up := payer.links.stats.up.Load(); up != 1 {
		t.Errorf("%d connections", up)
	}
	s := &payer.links.stats
	t.Logf("%d cuts, %d of %d sent credits read back", cuts, s.readBack.Load(), s.sent.Load())
}

// TestLinkWaitsForNobody issues many more credits than there is room for in memory while the sibling is down. Each is
// handed over at once; when the sibling comes, they are read back.
func TestLinkWaitsForNobody(t *testing.T) {
	const credits = 10_000 // 4.5 MB
	k := key('a', 1)
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := nobody.Addr().String()
	nobody.Close()
	payer := startPayer(t, k, address, nil, link.Acknowledgement{})
	all := stubCredits(0, credits)
	for _, c := range all {
		payer.pay(c)
	}
	payee := startPayee(t, k, address, nil)
	payee.wantCredits(t, all)
	if payer.links.stats.readBack.Load() == 0 {
		t.Error("nothing was read back, and the ring has room for a tenth")
	}
}

// TestLinkGoesOnAfterRestarts stops either end and starts it from what it had: nothing is lost or doubled, whether or
// not the last acknowledgement was noted.
func TestLinkGoesOnAfterRestarts(t *testing.T) {
	k := key('a', 1)
	payee := startPayee(t, k, "127.0.0.1:0", nil)
	address := payee.listener.Addr().String()
	payer := startPayer(t, k, address, nil, link.Acknowledgement{})
	all := stubCredits(0, 3000)
	for _, c := range all[:1000] {
		payer.pay(c)
	}
	payee.wantCredits(t, all[:1000])
	payer.links.stop()
	payer = startPayer(t, k, address, all[:1000:1000], link.Acknowledgement{})
	for _, c := range all[1000:2000] {
		payer.pay(c)
	}
	eventually(t, "acknowledgements", func() bool { return payer.acknowledged() > 1500 })
	payee.end()
	payee = startPayee(t, k, address, payee.applied)
	for _, c := range all[2000:] {
		payer.pay(c)
	}
	payee.wantCredits(t, all)
}

// TestLinkRefusesOldDirectories names the numbers on both sides, and ends the side that has forgotten.
func TestLinkRefusesOldDirectories(t *testing.T) {
	k := key('a', 1)
	all := stubCredits(0, 100)
	f := func(name string, payerHas, payeeHas, acked int, other bool, want string, payerFails bool) {
		t.Helper()
		var chain link.Chain
		for _, c := range all[:acked] {
			chain = chain.Next(c.Order())
		}
		payee := startPayee(t, k, "127.0.0.1:0", all[:payeeHas:payeeHas])
		defer payee.end()
		journal := all[:payerHas:payerHas]
		if other {
			journal = append(journal, stubCredits(1000, 100)...)
		}
		payer := startPayer(t, k, payee.listener.Addr().String(), journal,
			link.Acknowledgement{Number: uint64(acked), Chain: chain})
		defer payer.links.stop()
		payer.out.announce()
		failed := payee.failed
		if payerFails {
			failed = payer.failed
		}
		select {
		case err := <-failed:
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %q, expected %q", name, err, want)
			}
		case <-time.After(patience):
			t.Fatalf("%s: nobody fails", name)
		}
		if n := len(payee.credits()); n != payeeHas {
			t.Errorf("%s: %d credits, expected %d", name, n, payeeHas)
		}
	}
	f("old payer", 50, 80, 40, false, "issued 50 credits and the receiver has applied 80", true)
	f("old payer that went on", 50, 80, 40, true, "credits up to 80", true)
	f("old payee", 100, 30, 60, false, "acknowledged 60 credits and its cursor is at 30", false)
}

// TestLinkProvesTheKey has strangers on either side.
func TestLinkProvesTheKey(t *testing.T) {
	ours, other := key('a', 1), key('b', 1)
	payee := startPayee(t, ours, "127.0.0.1:0", nil)
	stranger := startPayer(t, other, payee.listener.Addr().String(), nil, link.Acknowledgement{})
	stranger.pay(stubCredits(0, 1)[0])
	eventually(t, "a refused payer", func() bool { return payee.links.stats.handshakesFailed.Load() > 0 })

	wrong := startPayee(t, other, "127.0.0.1:0", nil)
	payer := startPayer(t, ours, wrong.listener.Addr().String(), nil, link.Acknowledgement{})
	payer.pay(stubCredits(0, 1)[0])
	eventually(t, "a refused payee", func() bool { return wrong.links.stats.handshakesFailed.Load() > 0 })
	if len(payee.credits())+len(wrong.credits()) > 0 {
		t.Error("credits between strangers")
	}

	plain := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, NextProtos: []string{linkProtocol}}
	c, err := tls.Dial("tcp", payee.listener.Addr().String(), plain) // no certificate
	if err == nil {
		_, err = c.Read(make([]byte, 1))
		c.Close()
	}
	if err == nil {
		t.Error("served without a key")
	}
	config, err := newLinkTLS(ours)
	if err != nil {
		t.Fatal(err)
	}
	config.dial.NextProtos = []string{"fastpay-link/2"}
	if c, err := tls.Dial("tcp", payee.listener.Addr().String(), config.dial); err == nil {
		c.Close()
		t.Error("served another version")
	}
}

// TestWrongKeyIsNamed says which authority was met and that it is another.
func TestWrongKeyIsNamed(t *testing.T) {
	a, err := newLinkTLS(key('a', 1))
	if err != nil {
		t.Fatal(err)
	}
	b, err := newLinkTLS(key('b', 1))
	if err != nil {
		t.Fatal(err)
	}
	in, out := net.Pipe()
	defer in.Close()
	defer out.Close()
	accepted := make(chan error, 1)
	go func() { accepted <- tls.Server(in, a.accept).Handshake() }()
	err = tls.Client(out, b.dial).Handshake()
	name := key('a', 1).Public()
	if err == nil || !strings.Contains(err.Error(), codec.FormatAddress(&name)) {
		t.Errorf("error %v, expected the name of the authority that was met", err)
	}
	out.Close()
	if err := <-accepted; err == nil {
		t.Error("accepted")
	}
}

// TestLinkSurvivesStrangers holds many connections that say nothing, or begin and don't go on; a sibling gets through.
func TestLinkSurvivesStrangers(t *testing.T) {
	k := key('a', 1)
	payee := startPayee(t, k, "127.0.0.1:0", nil)
	for range 4 * maxHandshakes {
		c, err := net.Dial("tcp", payee.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write([]byte{22, 3, 1, 0, 200, 1}); err != nil {
			t.Fatal(err)
		}
	}
	payer := startPayer(t, k, payee.listener.Addr().String(), nil, link.Acknowledgement{})
	all := stubCredits(0, 10)
	for _, c := range all {
		payer.pay(c)
	}
	payee.wantCredits(t, all)
	eventually(t, "handshakes within their bound", func() bool {
		payee.links.mu.Lock()
		defer payee.links.mu.Unlock()
		return len(payee.links.shaking) <= maxHandshakes
	})
}

// TestNewConnectionReplacesTheOld: the old one may hang in a network that has lost the other side, and its credits in a
// worker that is busy.
func TestNewConnectionReplacesTheOld(t *testing.T) {
	k := key('a', 1)
	payee := startPayee(t, k, "127.0.0.1:0", nil)
	payee.deaf.Store(true)
	config, err := newLinkTLS(k)
	if err != nil {
		t.Fatal(err)
	}
	connect := func() (*tls.Conn, *linkReader) {
		t.Helper()
		c, err := tls.Dial("tcp", payee.listener.Addr().String(), config.dial)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		hello := stubHello(k)
		hello.Next = 10
		if _, err := c.Write(hello.AppendFrame(nil)); err != nil {
			t.Fatal(err)
		}
		in := newLinkReader(c, 1<<20)
		if m, err := in.read(); err != nil || m.Kind != link.KindWelcome || m.Welcome.Cursor != 0 {
			t.Fatalf("welcome %+v, %v", m, err)
		}
		return c, in
	}
	all := stubCredits(0, 9)
	send := func(c *tls.Conn, from, to int) {
		t.Helper()
		for i := from; i <= to; i++ {
			if _, err := c.Write((&link.Credit{Number: uint64(i), Certificate: all[i-1]}).AppendFrame(nil)); err != nil {
				t.Fatal(err)
			}
		}
	}
	old, oldIn := connect()
	send(old, 1, 5)
	eventually(t, "credits in the ring", func() bool { return !payee.in.ring.empty() })
	c, in := connect()
	if _, err := oldIn.read(); err == nil {
		t.Error("the old connection goes on")
	}
	send(c, 1, 9)
	payee.deaf.Store(false)
	payee.wantCredits(t, all)
	for n := uint64(0); n < 9; {
		m, err := in.read()
		if err != nil || m.Kind != link.KindAcknowledgement || m.Acknowledgement.Number <= n {
			t.Fatalf("%+v, %v", m, err)
		}
		n = m.Acknowledgement.Number
	}
}

// TestReceiverEndsMalformedLinks: a sibling that says what makes no sense loses its connection, and nothing else
// happens.
func TestReceiverEndsMalformedLinks(t *testing.T) {
	k := key('a', 1)
	payee := startPayee(t, k, "127.0.0.1:0", nil)
	config, err := newLinkTLS(k)
	if err != nil {
		t.Fatal(err)
	}
	hello := stubHello(k)
	cert := stubCredits(0, 1)[0]
	for name, bytes := range map[string][]byte{
		"too long":       {0xff, 0xff, 0xff, 0xff, 1},
		"empty":          {0, 0, 0, 0},
		"no hello":       (&link.Acknowledgement{}).AppendFrame(nil),
		"two hellos":     hello.AppendFrame(hello.AppendFrame(nil)),
		"a gap":          (&link.Credit{Number: 2, Certificate: cert}).AppendFrame(hello.AppendFrame(nil)),
		"no certificate": append(hello.AppendFrame(nil), 9, 0, 0, 0, 3, 1, 0, 0, 0, 0, 0, 0, 0),
	} {
		c, err := tls.Dial("tcp", payee.listener.Addr().String(), config.dial)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(patience))
		if _, err := c.Write(bytes); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, c); isTimeout(err) {
			t.Errorf("%s: the connection goes on", name)
		}
		c.Close()
	}
	if len(payee.credits()) != 0 {
		t.Error("credits were applied")
	}
}

// TestUnknownLinksAreRefused asks for shards that are not there.
func TestUnknownLinksAreRefused(t *testing.T) {
	k := key('a', 1)
	payee := startPayee(t, k, "127.0.0.1:0", nil)
	config, err := newLinkTLS(k)
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range []link.Pair{{From: 0, To: 1}, {From: 7, To: 0}, {From: 0, To: 0}} {
		c, err := tls.Dial("tcp", payee.listener.Addr().String(), config.dial)
		if err != nil {
			t.Fatal(err)
		}
		hello := stubHello(k)
		hello.Pair = pair
		if _, err := c.Write(hello.AppendFrame(nil)); err != nil {
			t.Fatal(err)
		}
		m, err := newLinkReader(c, 1<<20).read()
		if err != nil || m.Kind != link.KindRefusal || m.Refusal.Reason != link.NoSuchLink {
			t.Errorf("%+v: %+v, %v", pair, m, err)
		}
		c.Close()
	}
}

func TestBeginsTLS(t *testing.T) {
	hello := []byte{22, 3, 1, 0, 200, 1, 0, 0, 196}
	for n := range hello {
		yes, undecided := beginsTLS(hello[:n])
		if yes != (n >= clientHelloBytes) || undecided != (n < clientHelloBytes) {
			t.Errorf("%d bytes: %v, %v", n, yes, undecided)
		}
	}
	for i := range clientHelloBytes {
		other := append([]byte(nil), hello...)
		other[i]++
		if yes, undecided := beginsTLS(other); undecided || yes != (i == 2 || i == 3 || i == 4) {
			t.Errorf("byte %d differs: %v, %v", i, yes, undecided)
		}
	}
	// A frame whose length begins like TLS, of any message: with large limits there are such.
	for kind := range byte(7) {
		frame := []byte{22, 3, 1, 0, kind, 0, 0, 0}
		if yes, undecided := beginsTLS(frame); yes || undecided {
			t.Errorf("message %d is taken for TLS", kind)
		}
	}
}

func TestRepeatedErrors(t *testing.T) {
	var r repeatedError
	a, b := errors.New("a"), errors.New("b")
	for i, want := range []bool{true, false, true, false, true} {
		err := a
		if i == 2 || i == 3 {
			err = b
		}
		if got := r.isNew(err); got != want {
			t.Errorf("error %d: %v", i, got)
		}
	}
	r.at = r.at.Add(-2 * linkRepeatLog)
	if !r.isNew(a) {
		t.Error("a trouble that lasts is not repeated")
	}
	r.forget()
	if !r.isNew(a) {
		t.Error("a trouble that has come again is not new")
	}
}

func TestCreditChunk(t *testing.T) {
	var c creditChunk
	c.begin(7)
	for _, text := range []string{"seven", "", "nine"} {
		c.bytes = append(c.bytes, text...)
		c.end()
	}
	for n, want := range map[uint64]string{6: "-", 7: "seven", 8: "", 9: "nine", 10: "-"} {
		got, ok := c.certificate(n)
		if ok != (want != "-") || ok && string(got) != want {
			t.Errorf("%d: %q, %v", n, got, ok)
		}
	}
	c.begin(8)
	if _, ok := c.certificate(8); ok || c.full() {
		t.Error("not empty")
	}
}
