package node

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"fastpay/codec"
)

// dialUDP connects a datagram socket to a shard.
func (w *world) dialUDP(shard int) *net.UDPConn {
	w.t.Helper()
	c, err := net.Dial("udp", w.address(shard))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	return c.(*net.UDPConn)
}

// askUDP repeats a request until it is answered: datagrams may get lost.
func askUDP(t *testing.T, c *net.UDPConn, message []byte) *codec.Message {
	t.Helper()
	buf := make([]byte, 1<<16)
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if _, err := c.Write(message); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		if n, err := c.Read(buf); err == nil {
			return decode(t, buf[:n])
		} else if !isTimeout(err) {
			t.Fatal(err)
		}
	}
	t.Fatal("no answer")
	return nil
}

// TestDatagramRepliesReachTheirSenders has many sources ask at once, enough to fill batches among the datagrams of one
// read: the loop's own connection, of which only the peer is left after a read, and the shared headers must not mix them
// up.
func TestDatagramRepliesReachTheirSenders(t *testing.T) {
	const sources, each = 24, 100
	w := newWorld(t, 4, 1, sources)
	w.start(w.options())
	done := make(chan int, sources)
	for i := range sources {
		c := w.dialUDP(0)
		go func() {
			answered := 0
			defer func() { done <- answered }()
			forged := codec.AppendOrder(nil, w.order(i, 0, uint64(i)+1, 0))
			forged[len(forged)-40] ^= 1
			go func() {
				for range each {
					_, _ = c.Write(infoRequest(w, i))
					_, _ = c.Write(forged) // work, so that batches fill up
				}
			}()
			buf := make([]byte, 1<<16)
			for answered < each {
				_ = c.SetReadDeadline(time.Now().Add(time.Second))
				n, err := c.Read(buf)
				if err != nil {
					return // the rest is lost
				}
				m := decode(t, buf[:n])
				if m.Kind == codec.KindInfoResponse {
					answered++
					if m.InfoResponse().Account != w.accounts[i].Public() {
						t.Errorf("source %d got another's answer", i)
					}
				} else if m.ErrorCode() != codec.InvalidSignature {
					t.Errorf("source %d: %v", i, m.Error())
				}
			}
		}()
	}
	total := 0
	for range sources {
		total += <-done
	}
	if total < sources { // a busy machine loses many
		t.Errorf("%d answers of %d: too many lost", total, sources*each)
	}
}

// TestVanishedDatagramSenders asks from sockets that are gone when the reply comes: the system's refusals must not end the
// loop or stop others' replies.
func TestVanishedDatagramSenders(t *testing.T) {
	w := newWorld(t, 4, 1, 3)
	n := w.start(w.options())
	stays := w.dialUDP(0)
	for range 200 {
		c, err := net.Dial("udp", w.address(0))
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			_, _ = c.Write(infoRequest(w, 0))
		}
		c.Close()
	}
	for range 10 {
		if m := askUDP(t, stays, infoRequest(w, 1)); m.InfoResponse().Account != w.accounts[1].Public() {
			t.Fatal("wrong answer")
		}
	}
	if n.hasFailed() {
		t.Fatal(n.failure)
	}
}

// TestReplyThatCannotBeSent has one address among good ones that the system refuses: it alone is dropped, and counted.
func TestReplyThatCannotBeSent(t *testing.T) {
	w := newWorld(t, 4, 1, 3)
	n := w.start(w.options())
	conns := [2]*net.UDPConn{w.dialUDP(0), w.dialUDP(0)} // one alone could not take them all at once
	askUDP(t, conns[0], infoRequest(w, 0))
	worker := n.workers[0]
	worker.run(&task{func() {
		for i := range 300 { // more than one system call takes
			to := sourceOf(conns[i%2].LocalAddr().(*net.UDPAddr).AddrPort(), worker.shards[0].udpSocket)
			if i == 7 {
				to.addr[0], to.addr[1] = 0xff, 0xff // no family
			}
			worker.batch.add(worker.shards[0], infoRequest(w, 2), nil, &to)
		}
	}})
	buf := make([]byte, 1<<16)
	got := 0
	for i, c := range conns {
		for left := 150 - i; left > 0; {
			_ = c.SetReadDeadline(time.Now().Add(2 * time.Second))
			k, err := c.Read(buf)
			if err != nil {
				break
			}
			if decode(t, buf[:k]).InfoResponse().Account == w.accounts[2].Public() {
				left--
				got++
			}
		}
	}
	dropped := n.Stats().DatagramsDropped
	if dropped < 1 || got < 100 || uint64(got)+dropped > 300 {
		t.Errorf("%d replies came, %d dropped", got, dropped)
	}
}

// TestDatagramOverTheLimit is refused like any message that does not decode.
func TestDatagramOverTheLimit(t *testing.T) {
	w := newWorld(t, 4, 1, 3)
	o := w.options()
	o.MaxMessage = minMaxMessage
	w.start(o)
	c := w.dialUDP(0)
	wantError(t, askUDP(t, c, make([]byte, minMaxMessage+1)), codec.InvalidDecoding)
	wantError(t, askUDP(t, c, nil), codec.InvalidDecoding)
	wantError(t, askUDP(t, c, make([]byte, 60_000)), codec.InvalidDecoding)
	if m := askUDP(t, c, infoRequest(w, 0)); m.Kind != codec.KindInfoResponse {
		t.Error("not served any more")
	}
}

// TestIPv6 serves TCP and UDP on the loopback address of IPv6, and on all addresses.
func TestIPv6(t *testing.T) {
	for _, host := range []string{"::1", "::"} {
		w := newWorld(t, 4, 1, 3)
		o := w.options()
		o.BindHost = host
		n, err := Start(o)
		if err != nil {
			if strings.Contains(err.Error(), "cannot assign") || strings.Contains(err.Error(), "not supported") {
				t.Skipf("no IPv6 here: %v", err)
			}
			t.Fatal(err)
		}
		address := strings.Replace(w.address(0), "127.0.0.1", "[::1]", 1)
		c, err := net.Dial("udp", address)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			if m := askUDP(t, c.(*net.UDPConn), infoRequest(w, i)); m.InfoResponse().Account != w.accounts[i].Public() {
				t.Errorf("%s: wrong answer", host)
			}
		}
		for i := range 50 { // some by recvmmsg
			_, _ = c.Write(infoRequest(w, i%3))
		}
		buf := make([]byte, 1<<16)
		for got := 0; got < 20; got++ {
			_ = c.SetReadDeadline(time.Now().Add(patience))
			if _, err := c.Read(buf); err != nil {
				t.Fatalf("%s: %v", host, err)
			}
		}
		c.Close()
		tcp, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		tcp.Close()
		w.stop(n)
	}
}

// TestSourceAddresses compares with the kernel's own form. A link-local address is worth nothing without its interface.
func TestSourceAddresses(t *testing.T) {
	v4, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(v4)
	s := sourceOf(netip.MustParseAddrPort("127.0.0.1:258"), v4)
	if want := [16]byte{unix.AF_INET, 0, 1, 2, 127, 0, 0, 1}; s.len != 16 || [16]byte(s.addr[:16]) != want {
		t.Errorf("IPv4: %v", s)
	}
	s = sourceOf(netip.MustParseAddrPort("[::ffff:127.0.0.1]:258"), v4)
	if want := [16]byte{unix.AF_INET, 0, 1, 2, 127, 0, 0, 1}; s.len != 16 || [16]byte(s.addr[:16]) != want {
		t.Errorf("IPv4 in IPv6: %v", s)
	}
	v6, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Skip("no IPv6 here")
	}
	defer unix.Close(v6)
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Skip("no interface lo")
	}
	for zone, index := range map[string]int{"": 0, "%lo": lo.Index, "%77": 77} {
		s := sourceOf(netip.MustParseAddrPort("[fe80::1"+zone+"]:258"), v6)
		if s.len != 28 || s.addr[2] != 1 || s.addr[3] != 2 || s.addr[8] != 0xfe || int(s.addr[24]) != index {
			t.Errorf("zone %q: %v", zone, s)
		}
	}
}

// TestSuspectsForget marks and forgets, and does not mix sources up.
func TestSuspectsForget(t *testing.T) {
	var table suspects
	w := newWorld(t, 4, 1, 3)
	table.seed = w.loopless(w.options()).workers[0].suspects.seed
	now := time.Now()
	a, b := source{addr: [28]byte{1}, len: 16}, source{addr: [28]byte{2}, len: 16}
	table.mark(&a, now)
	if !table.has(&a, now) || table.has(&b, now) || table.has(&a, now.Add(2*time.Second)) {
		t.Error("wrong suspects")
	}
	if (&table).hash(&a) == (&table).hash(&b) {
		t.Error("sources collide")
	}
}

// TestForgedSourcesAreSuspectTogether: many sources that were good until now can only be forged, and then all datagrams are
// checked apart, for as long as that goes on. One bad source, however often it is bad, is no reason.
func TestForgedSourcesAreSuspectTogether(t *testing.T) {
	w := newWorld(t, 4, 1, 3)
	table := suspects{seed: w.loopless(w.options()).workers[0].suspects.seed}
	of := func(i int) *source { return &source{addr: [28]byte{byte(i), byte(i >> 8), 1}, len: 16} }
	now, stranger := time.Now(), &source{addr: [28]byte{9, 9, 9}, len: 16}
	for range 10 * freshSuspects {
		table.mark(of(0), now)
	}
	for i := range freshSuspects { // slow enough to be so many different ones
		table.mark(of(i), now)
		now = now.Add(suspicionTime / freshSuspects * 2)
	}
	if table.has(stranger, now) {
		t.Error("a stranger is suspected because of others who are bad now and then")
	}
	now = now.Add(suspicionTime)
	for i := range 3 * freshSuspects {
		table.mark(of(1000+i), now)
		if got, want := table.has(stranger, now), i >= freshSuspects; got != want {
			t.Fatalf("after %d bad sources a stranger is suspected: %v", i+1, got)
		}
	}
	for i := range 3 { // it goes on
		now = now.Add(suspicionTime / 2)
		for k := range 2 * freshSuspects {
			table.mark(of(2000+100*i+k), now)
		}
		if !table.has(stranger, now) {
			t.Error("forging goes on, and a stranger is trusted")
		}
	}
	if table.has(stranger, now.Add(suspicionTime)) {
		t.Error("a stranger is suspected a second after it ended")
	}
}
