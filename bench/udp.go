package bench

import (
	"encoding/binary"
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"fastpay/codec"
)

// udpDriver sends the certificate of a payment once its vote has come, and sends a request again when its reply does not
// come in time; requests are idempotent. One thread serves the sockets of all shards, many datagrams a system call.
type udpDriver struct {
	poller
	meter   *meter
	socks   []*udpSock
	in, out *mmsg // one call at a time
	budget  int   // as tcpDriver's
	timeout time.Duration
	scanned time.Duration
	heard   time.Duration // when the last datagram came
	usual   time.Duration // smoothed latency
	why     error
	// Replies to requests that were sent twice may come twice, and then be an error that names no account: so many of them
	// may still be late.
	mayRepeat int

	open *arrivals // of an open loop; else nil
}

// A request is sent again after resendFactor times what replies take lately, at least resendAfter, then twice and
// four times that, and so until the time-out. Under load replies are late and not lost, and to send again then makes them
// later.
const (
	resendAfter  = 250 * time.Millisecond
	resendFactor = 4
	doublings    = 2
	smoothing    = 64 // replies that the mean reaches back
	scanEvery    = 10 * time.Millisecond
)

// newUDPDriver opens a socket for each lane's shard, port base+shard of host, and splits inFlight among them.
func newUDPDriver(host string, base int, lanes []*lane, w *workload, inFlight int, timeout time.Duration,
	m *meter) (*udpDriver, error) {
	p, err := newPoller(len(lanes))
	if err != nil {
		return nil, err
	}
	d := &udpDriver{poller: p, meter: m, timeout: timeout, in: newMmsg(true), out: newMmsg(false)}
	for i, l := range lanes {
		fd, err := dial(unix.SOCK_DGRAM, host, base+l.shard, timeout)
		if err != nil {
			return nil, errors.Join(err, d.close())
		}
		d.socks = append(d.socks, newUDPSock(fd, l, w, share(inFlight, len(lanes), i)))
		if err := d.watch(fd, i, unix.EPOLLIN); err != nil {
			return nil, errors.Join(err, d.close())
		}
	}
	return d, nil
}

func (d *udpDriver) allow(n int) {
	now := d.now()
	if d.open != nil && d.budget == 0 && n != 0 {
		d.open.restart(now)
	}
	d.budget = n
	for _, s := range d.socks {
		if n == 0 {
			s.arrived = marks{}
		}
		d.refill(s, now)
		d.flush(s)
	}
}

func (d *udpDriver) waiting() int {
	n := max(d.budget, 0)
	for _, s := range d.socks {
		n += len(s.flights) - len(s.free) + s.arrived.len()
	}
	return n
}

func (d *udpDriver) ended() error { return d.why }

func (d *udpDriver) step() error {
	events, err := d.await()
	if err != nil {
		return err
	}
	woken := d.now()
	done := d.meter.confirmed
	for _, e := range events {
		s := d.socks[e.Fd]
		d.receive(s, woken)
		d.refill(s, woken)
		d.flush(s)
	}
	if d.open != nil {
		d.arrive()
	}
	if woken-d.scanned >= scanEvery {
		d.scanned = woken
		for _, s := range d.socks {
			d.resend(s, woken)
			d.refill(s, woken)
			d.flush(s)
		}
	}
	if d.meter.measuring && d.meter.confirmed > done {
		d.meter.notFull += d.now() - woken
	}
	return nil
}

func (d *udpDriver) receive(s *udpSock, now time.Duration) {
	for {
		n, err := d.in.receive(s.fd)
		if err != nil { // an ICMP message: the port is closed; requests in flight will time out
			return
		}
		for i := range n {
			d.reply(s, d.in.datagram(i), now)
		}
		if n < mmsgBatch {
			return
		}
	}
}

// reply takes one datagram.
func (d *udpDriver) reply(s *udpSock, message []byte, now time.Duration) {
	d.meter.transferred(len(message))
	d.heard = now
	if len(message) < replySequenceAt || codec.Kind(binary.LittleEndian.Uint32(message)) != codec.KindInfoResponse {
		d.refusal(message)
		return
	}
	f, index := s.find(message[replyAccountAt:replyBalanceAt])
	switch {
	case f == nil:
		d.meter.duplicates++
	case f.phase == ordered && s.lane.isOrderReply(f.payment, message):
		d.answered(f, now, 1, 0)
		f.phase = certified
		d.enqueue(s, index, now)
	case f.phase == certified && s.lane.isConfirmReply(f.payment, message):
		d.answered(f, now, 0, 1)
		s.release(index, notFlying)
	case f.phase == certified && s.lane.isOrderReply(f.payment, message):
		d.meter.duplicates++
	case f.phase == ordered && f.payment >= len(s.lane.accounts) && s.lane.isConfirmReply(f.payment-len(s.lane.accounts), message):
		d.meter.duplicates++
	case f.phase == ordered:
		d.meter.refuse("order", message)
	default:
		d.meter.refuse("certificate", message)
	}
}

func (d *udpDriver) answered(f *flight, now time.Duration, orders, confirmations int) {
	from := f.sent
	if d.open != nil {
		d.meter.served(now-f.sent, orders, confirmations)
		from = f.arrived
	}
	d.meter.answered(now, now-from, orders, confirmations)
	d.usual += (now - f.sent - d.usual) / smoothing
}

// refusal counts a reply that names no account. After a request was sent twice the second answer may be an error of no
// consequence.
func (d *udpDriver) refusal(message []byte) {
	var m codec.Message
	if d.mayRepeat > 0 && m.Decode(message) && m.Kind == codec.KindError && m.ErrorCode() == codec.UnexpectedSequenceNumber {
		d.mayRepeat--
		d.meter.duplicates++
		return
	}
	d.meter.refuse("request", message)
}

// enqueue puts the current request of a flight in line for the first time.
func (d *udpDriver) enqueue(s *udpSock, index int32, now time.Duration) {
	f := &s.flights[index]
	f.tries, f.sent, f.due = 1, now, now+d.patience()
	s.push(index)
}

// patience is the time before a request is sent again for the first time.
func (d *udpDriver) patience() time.Duration { return max(resendAfter, resendFactor*d.usual) }

// refill begins as many payments as window, budget and lane allow. A payment whose account still has one in flight waits,
// and so do all after it.
func (d *udpDriver) refill(s *udpSock, now time.Duration) {
	for len(s.free) > 0 && d.mayBegin(s) {
		if s.begun == s.lane.size {
			if d.budget < 0 && d.why == nil {
				d.why = errExhausted
			}
			return
		}
		rank := s.begun % len(s.lane.accounts)
		if s.flightOf[rank] >= 0 {
			return
		}
		due := d.take(s, now)
		if s.flightOf[rank] == dead {
			d.meter.lost++
			s.begun++
			continue
		}
		index := s.free[len(s.free)-1]
		s.free = s.free[:len(s.free)-1]
		s.flightOf[rank] = index
		s.flights[index] = flight{payment: s.begun, phase: ordered, queued: s.flights[index].queued, arrived: due}
		s.begun++
		d.enqueue(s, index, now)
	}
}

// resend queues the requests that are due again, and gives up those whose time is over.
func (d *udpDriver) resend(s *udpSock, now time.Duration) {
	for i := range s.flights {
		f := &s.flights[i]
		if f.phase == idle || now < f.due {
			continue
		}
		if now-f.sent >= d.timeout {
			d.meter.lost++
			s.release(int32(i), dead)
			if now-d.heard >= d.timeout {
				d.why, d.budget = errSilent, 0
			}
			continue
		}
		if f.phase == ordered {
			d.mayRepeat++
		}
		f.due = min(now+d.patience()<<min(f.tries, doublings), f.sent+d.timeout)
		f.tries++
		d.meter.retransmitted++
		s.push(int32(i))
	}
}

// flush sends what is queued, as far as the socket takes it.
func (d *udpDriver) flush(s *udpSock) {
	for len(s.queue) > 0 {
		var from [mmsgBatch]int // place in the queue of each datagram
		n, taken := 0, 0
		for ; taken < len(s.queue) && n < mmsgBatch; taken++ {
			f := &s.flights[s.queue[taken]]
			switch f.phase {
			case idle: // answered while it waited to be sent again
				continue
			case ordered:
				d.out.set(n, s.lane.order(f.payment))
			case certified:
				d.out.set(n, s.lane.certificate(f.payment))
			}
			from[n] = taken
			n++
		}
		sent, err := d.out.send(s.fd, n)
		if err != nil { // an ICMP message about an earlier datagram; this one was not sent
			sent = 0
		}
		for i := range sent {
			d.meter.transferred(int(d.out.vectors[i].Len))
		}
		if sent < n {
			taken = from[sent]
		}
		for _, index := range s.queue[:taken] {
			s.flights[index].queued = false
		}
		s.queue = s.queue[:copy(s.queue, s.queue[taken:])]
		if sent < n {
			return // the rest goes with a later step
		}
	}
}

func (d *udpDriver) close() error {
	for _, s := range d.socks {
		_ = unix.Close(s.fd)
	}
	return d.poller.close()
}
