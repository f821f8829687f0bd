package bench

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
)

// mirror answers on each lane's connection with replies that were made before, so that little but the driver is measured.
type mirror struct {
	made    *prepared
	port    int
	replies [][]byte // of each lane, both of every payment
	work    sync.WaitGroup
	ports   []net.Listener
}

const replyStride = 2*header + orderReplySize + confirmReplySize

func startMirror(tb testing.TB, made *prepared) *mirror {
	tb.Helper()
	m := &mirror{made: made, replies: make([][]byte, len(made.lanes))}
	var err error
	if m.port, err = freePorts("127.0.0.1", len(made.lanes)); err != nil {
		tb.Fatal(err)
	}
	for i, l := range made.lanes {
		for k := range l.size {
			m.replies[i] = l.appendReplies(m.replies[i], k)
		}
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(m.port+i)))
		if err != nil {
			tb.Fatal(err)
		}
		m.ports = append(m.ports, listener)
		m.work.Go(func() { m.serve(listener, i) })
	}
	return m
}

// appendReplies appends the frames of both right answers to payment k.
func (l *lane) appendReplies(dst []byte, k int) []byte {
	var order codec.Message
	if !order.Decode(l.order(k)) {
		panic("no order in the lane")
	}
	o := order.Order()
	r := codec.InfoResponse{Account: *o.Sender(), NextSequenceNumber: o.SequenceNumber(),
		Pending: codec.NewVote(o, &l.authority, (*crypto.Signature)(l.vote(k)))}
	for range 2 {
		start := len(dst)
		dst = codec.AppendInfoResponse(codec.BeginFrame(dst), &r)
		codec.EndFrame(dst, start)
		r = codec.InfoResponse{Account: *o.Sender(), NextSequenceNumber: o.SequenceNumber() + 1}
	}
	return dst
}

func (m *mirror) serve(l net.Listener, lane int) {
	c, err := l.Accept()
	if err != nil {
		return
	}
	defer c.Close()
	b := make([]byte, 256<<10)
	received, answered := 0, 0
	for {
		n, err := c.Read(b)
		if err != nil {
			return
		}
		received += n
		if whole := received / m.made.lanes[lane].stride; whole > answered {
			if _, err := c.Write(m.replies[lane][answered*replyStride : whole*replyStride]); err != nil {
				return
			}
			answered = whole
		}
	}
}

func (m *mirror) stop() {
	for _, l := range m.ports {
		_ = l.Close()
	}
	m.work.Wait()
}

// BenchmarkTCPDriver is the generator's cost alone: its thread's CPU time for a payment, with an authority that costs
// nothing.
func BenchmarkTCPDriver(b *testing.B) {
	for _, inFlight := range []int{100, 1000} {
		b.Run(fmt.Sprintf("in-flight=%d", inFlight), func(b *testing.B) {
			made, err := prepare(context.Background(), newWorkload(1, 4), new(cache), shape{200, 2, 1, Payments, Mix{}}, max(b.N, 1), nil)
			if err != nil {
				b.Fatal(err)
			}
			s := startMirror(b, made)
			m := newMeter(Payments)
			d, err := newTCPDriver("127.0.0.1", s.port, made, inFlight, time.Second, m)
			if err != nil {
				b.Fatal(err)
			}
			nothing := func() error { return nil }
			runtime.LockOSThread() // whose CPU time is measured
			defer runtime.UnlockOSThread()
			b.ReportAllocs()
			b.ResetTimer()
			stopped, err := drive(context.Background(), d, m, plan{payments: b.N}, hooks{begin: nothing, end: nothing})
			b.StopTimer()
			if stopped != nil || err != nil || m.confirmations != b.N || m.rejected != 0 {
				b.Errorf("%d of %d payments, %d rejected, %v, %v", m.confirmations, b.N, m.rejected, stopped, err)
			}
			b.ReportMetric(float64(m.cpu.Nanoseconds())/float64(b.N), "cpu-ns/payment")
			_ = d.close()
			s.stop()
		})
	}
}

// TestTCPDriverDoesNotAllocate runs whole windows against the mirror after a first one.
func TestTCPDriverDoesNotAllocate(t *testing.T) {
	const rounds, each = 20, 100
	made, err := prepare(context.Background(), newWorkload(1, 4), new(cache), shape{50, 2, 1, Payments, Mix{}}, (rounds+2)*each, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := startMirror(t, made)
	m := newMeter(Payments)
	d, err := newTCPDriver("127.0.0.1", s.port, made, 30, time.Second, m)
	if err != nil {
		t.Fatal(err)
	}
	m.begin(0)
	n := testing.AllocsPerRun(rounds, func() {
		d.allow(each)
		for d.waiting() > 0 {
			if err := d.step(); err != nil {
				t.Fatal(err)
			}
		}
	})
	if n > 1 { // the runtime's network poller, on the mirror's side, now and then
		t.Errorf("%v allocations for %d payments", n, each)
	}
	if m.rejected+m.lost > 0 || m.confirmed != (rounds+1)*each {
		t.Errorf("%d confirmed, %d rejected, %d lost", m.confirmed, m.rejected, m.lost)
	}
	if err := d.close(); err != nil {
		t.Error(err)
	}
	s.stop()
}

// TestLaneRefusesAnyOtherReply flips every bit of the two replies: only the balance may differ.
func TestLaneRefusesAnyOtherReply(t *testing.T) {
	made, err := prepare(context.Background(), newWorkload(1, 4), new(cache), shape{5, 1, 1, Payments, Mix{}}, 12, nil)
	if err != nil {
		t.Fatal(err)
	}
	l := made.lanes[0]
	const k = 7
	frames := l.appendReplies(nil, k)
	for name, reply := range map[string]struct {
		message []byte
		is      func(int, []byte) bool
	}{
		"order":        {frames[header : header+orderReplySize], l.isOrderReply},
		"confirmation": {frames[2*header+orderReplySize:], l.isConfirmReply},
	} {
		if !reply.is(k, reply.message) {
			t.Fatalf("%s: the right reply is refused", name)
		}
		if reply.is(k+1, reply.message) || reply.is(k, reply.message[:len(reply.message)-1]) || reply.is(k, nil) {
			t.Errorf("%s: another payment's reply, or a short one, is accepted", name)
		}
		for bit := range 8 * len(reply.message) {
			reply.message[bit/8] ^= 1 << (bit % 8)
			inBalance := bit/8 >= replyBalanceAt && bit/8 < replySequenceAt
			if reply.is(k, reply.message) != inBalance {
				t.Fatalf("%s: bit %d differs, accepted: %v", name, bit, !inBalance)
			}
			reply.message[bit/8] ^= 1 << (bit % 8)
		}
	}
}

// TestUDPSendsOncePerQueueing holds the queue to one place for each flight, whatever happens while the socket is full.
func TestUDPSendsOncePerQueueing(t *testing.T) {
	made, err := prepare(context.Background(), newWorkload(1, 4), new(cache), shape{5, 1, 1, Payments, Mix{}}, 10, nil)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[1])
	s := newUDPSock(pair[0], made.lanes[0], made.workload, 2)
	d := &udpDriver{meter: newMeter(Payments), socks: []*udpSock{s}, budget: 3, timeout: time.Second, out: newMmsg(false)}
	d.refill(s, 0)
	d.resend(s, resendAfter) // due again before they were ever sent
	s.release(1, notFlying)  // and one of them was answered meanwhile
	d.flush(s)
	if len(s.queue) != 0 || s.flights[0].queued || s.flights[1].queued {
		t.Errorf("queue %v after all was sent", s.queue)
	}
	b := make([]byte, 1024)
	n, err := unix.Read(pair[1], b)
	if err != nil || string(b[:n]) != string(s.lane.order(0)) {
		t.Errorf("sent %d bytes, %v; want the order of payment 0", n, err)
	}
	if n, err := unix.Read(pair[1], b); err != unix.EAGAIN {
		t.Errorf("another %d bytes were sent", n)
	}
	if err := unix.Close(pair[0]); err != nil {
		t.Error(err)
	}
}

func TestShareOfWindow(t *testing.T) {
	f := func(total, n int, want ...int) {
		t.Helper()
		for i, w := range want {
			if got := share(total, n, i); got != w {
				t.Errorf("part %d of %d in %d: %d, want %d", i, total, n, got, w)
			}
		}
	}
	f(1000, 2, 500, 500)
	f(10, 3, 4, 3, 3)
	f(1, 2, 1, 1)
}

func TestMintedBy(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 1000, 10 << 20} {
		want := fmt.Sprint(uint64(n) * 12345)
		if got := mintedBy(n, 12345).String(); got != want {
			t.Errorf("%d accounts: %s, want %s", n, got, want)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, spoil := range map[string]func(*Options){
		"committee": func(o *Options) { o.CommitteeSize = 0 },
		"shards":    func(o *Options) { o.NumShards = 100000 },
		"accounts":  func(o *Options) { o.NumAccounts = -1 },
		"in flight": func(o *Options) { o.MaxInFlight = 0 },
		"payments":  func(o *Options) { o.Payments = -5 },
		"seconds":   func(o *Options) { o.Seconds = 0 },
		"port":      func(o *Options) { o.Port = 65530 },
		"workers":   func(o *Options) { o.Workers = 99 },
		"time-out":  func(o *Options) { o.RecvTimeout = 0 },
		"buffer":    func(o *Options) { o.MaxMessage = 500 },
		"phase":     func(o *Options) { o.Protocol, o.Phase = committee.TCP, numPhases },
		"phase/UDP": func(o *Options) { o.Phase = Orders },
		"no conns":  func(o *Options) { o.Protocol, o.Connections = committee.TCP, 0 },
		"conns/UDP": func(o *Options) { o.Connections = 2 },
		"mode":      func(o *Options) { o.Durability = "sometimes" },
	} {
		o := DefaultOptions()
		if err := o.Check(); err != nil {
			t.Fatal(err)
		}
		spoil(&o)
		if err := o.Check(); err == nil {
			t.Errorf("%s: no error for %+v", name, o)
		}
	}
	if o := DefaultOptions(); o.Protocol != committee.UDP || o.CommitteeSize != 10 || o.NumShards != 15 || o.NumAccounts != 40000 ||
		o.MaxInFlight != 1000 || o.Seconds != 10 {
		t.Errorf("defaults %+v are not the prototype's configuration", o)
	}
}

func TestMorePaymentsAfterTheyRanOut(t *testing.T) {
	o, p := DefaultOptions(), plan{warmUp: 2 * time.Second, window: 10 * time.Second}
	f := func(seconds, rate float64, total, want int) {
		t.Helper()
		if got := o.afterExhausted(&Result{Seconds: seconds, RatePerSec: rate}, p, total); got != want {
			t.Errorf("%v payments/s for %v s of %d: %d more, want %d", rate, seconds, total, got, want)
		}
	}
	f(0, 0, 1000, 4000)        // within the warm-up
	f(5, 1000, 7000, 15375)    // 12.3 s and a quarter
	f(2, 100000, 10000, 40000) // not more than fourfold
	f(5, 1e9, 1<<40, maxPrepared(quorum(o.CommitteeSize)))
}
