package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"

	"fastpay/codec"
	"fastpay/node/committee"
)

// flow is many requests to one shard of one authority, with a window of them in flight. No two are about one account.
type flow struct {
	at       place
	requests []flowRequest
	window   int
	report   func(slog.Level, string)
}

// flowRequest is one of them; in the end it has a reply or an err.
type flowRequest struct {
	item    int // the caller's
	account codec.Address
	message []byte
	reply   []byte
	err     error
}

// flowReport is after how many answers a flow says how far it is.
const flowReport = 5000

// carry sends all requests and takes their answers. It returns once each has a reply or an error: a shard that answers
// nothing for the receive time-out is given up, with all that is left.
func (n *Network) carry(ctx context.Context, f *flow) {
	m := n.committee.Member(f.at.authority)
	where := fmt.Sprintf("%s (shard %d)", n.address(f.at), f.at.shard)
	f.report(slog.LevelInfo, fmt.Sprintf("Sending %s requests to %s", m.Protocol, where))
	var err error
	if m.Protocol == committee.TCP {
		err = n.carryTCP(ctx, f)
	} else {
		err = n.carryUDP(ctx, f)
	}
	failed := 0
	for i := range f.requests {
		if r := &f.requests[i]; r.reply == nil {
			if r.err == nil {
				r.err = ioError(err)
			}
			failed++
		}
	}
	if err != nil && ctx.Err() == nil {
		f.report(slog.LevelError, fmt.Sprintf("%s: %s (%d requests failed)", where, ioError(err).Text, failed))
	}
	f.report(slog.LevelInfo, fmt.Sprintf("Done sending %s requests to %s", m.Protocol, where))
}

func (f *flow) progress(answered, inFlight int) {
	if left := len(f.requests) - answered; left > 0 && left%flowReport == 0 {
		f.report(slog.LevelInfo, fmt.Sprintf("In flight %d Remaining %d", inFlight, left))
	}
}

// carryTCP has a connection of its own. Answers come in the order of requests.
func (n *Network) carryTCP(ctx context.Context, f *flow) error {
	conn, err := n.dialTCP(ctx, f.at)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	var writing sync.WaitGroup
	defer writing.Wait()
	done := make(chan struct{})
	defer close(done)
	defer conn.Close()
	window := make(chan struct{}, f.window)
	writeErr := make(chan error, 1)
	writing.Go(func() {
		if err := n.writeFrames(conn, f, window, done); err != nil {
			writeErr <- err
			conn.Close()
		}
	})
	in := bufio.NewReaderSize(conn, 64<<10)
	for i := range f.requests {
		conn.SetReadDeadline(time.Now().Add(n.recvTimeout))
		reply, err := readFrame(in, n.maxMessage)
		if err != nil {
			select {
			case err = <-writeErr:
			default:
			}
			return err
		}
		f.requests[i].reply = reply
		<-window
		f.progress(i+1, len(window))
	}
	return nil
}

// writeFrames writes requests as the window opens, many with one system call.
func (n *Network) writeFrames(conn net.Conn, f *flow, window chan<- struct{}, done <-chan struct{}) error {
	var buf []byte
	flush := func() error {
		conn.SetWriteDeadline(time.Now().Add(n.sendTimeout))
		_, err := conn.Write(buf)
		if isTimeout(err) {
			err = errSend
		}
		buf = buf[:0]
		return err
	}
	for i := range f.requests {
		select {
		case window <- struct{}{}:
		default:
			if err := flush(); err != nil {
				return err
			}
			select {
			case window <- struct{}{}:
			case <-done:
				return nil
			}
		}
		start := len(buf)
		buf = append(codec.BeginFrame(buf), f.requests[i].message...)
		codec.EndFrame(buf, start)
	}
	return flush()
}

// flowSocketBytes is the receive buffer asked for: a window of answers, with what the kernel counts for each.
const flowSocketBytes = 1 << 20

// flowFirstWait is longer than for a single request, since a flow fills the authority's queue.
const flowFirstWait = 2 * udpFirstWait

// udpFlow is the state of a flow over UDP. All its requests share a socket, so an info response is told by its account.
// An error does not say what it answers: it makes the oldest request in flight be asked alone, on a socket of its own.
type udpFlow struct {
	*flow
	network  *Network
	conn     net.Conn
	inFlight map[codec.Address]*datagram
	queue    []*datagram // in flight or answered since, by time of sending
	sent     int
	answered int
	refusals int       // in a row
	refused  time.Time // when the last one came
	started  bool      // an answer has come
	heard    time.Time // when the last one came; at first, when the flow began
}

type datagram struct {
	request     *flowRequest
	first, last time.Time // sent
	wait        time.Duration
}

func (n *Network) carryUDP(ctx context.Context, f *flow) error {
	dialer := net.Dialer{Timeout: n.sendTimeout}
	conn, err := dialer.DialContext(ctx, "udp", n.address(f.at))
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if udp, ok := conn.(*net.UDPConn); ok {
		udp.SetReadBuffer(flowSocketBytes) // as much as the system allows
	}
	u := &udpFlow{flow: f, network: n, conn: conn, inFlight: make(map[codec.Address]*datagram), heard: time.Now()}
	buf := n.buffers.Get().(*[]byte)
	defer n.buffers.Put(buf)
	for u.answered < len(f.requests) {
		for len(u.inFlight) < f.window && u.sent < len(f.requests) {
			u.begin()
		}
		conn.SetReadDeadline(u.nextDeadline())
		size, err := conn.Read(*buf)
		switch {
		case err == nil && size < len(*buf):
			u.take(ctx, (*buf)[:size])
		case err == nil: // larger than any message
		case isTimeout(err):
			err = u.repeat()
		case errors.Is(err, syscall.ECONNREFUSED):
			u.refuse(time.Now())
			err = nil
		}
		if err == nil && u.refusals >= udpRefusals && (u.started || !n.patient(time.Now())) {
			err = syscall.ECONNREFUSED
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// begin sends the next request for the first time.
func (u *udpFlow) begin() {
	r := &u.requests[u.sent]
	u.sent++
	now := time.Now()
	d := &datagram{request: r, first: now, last: now, wait: flowFirstWait}
	u.inFlight[r.account] = d
	u.queue = append(u.queue, d)
	u.write(r.message, now)
}

// write sends a datagram. One that can't be sent is as good as lost; that the port is closed may show here or in a read.
func (u *udpFlow) write(message []byte, now time.Time) {
	u.conn.SetWriteDeadline(now.Add(u.network.sendTimeout))
	if _, err := u.conn.Write(message); errors.Is(err, syscall.ECONNREFUSED) {
		u.refuse(now)
	}
}

// refuse notes that the port is reported closed. A whole window is refused at once; that counts as one.
func (u *udpFlow) refuse(now time.Time) {
	if now.Sub(u.refused) >= flowFirstWait/2 {
		u.refusals++
		u.refused = now
	}
}

// nextDeadline is when a request is to be repeated, and never so soon that an answer that is there isn't read first.
func (u *udpFlow) nextDeadline() time.Time {
	deadline := time.Now().Add(udpMaxWait)
	for _, d := range u.inFlight {
		deadline = earlier(deadline, d.last.Add(d.wait))
	}
	if soon := time.Now().Add(time.Millisecond); deadline.Before(soon) {
		return soon
	}
	return deadline
}

// take takes an answer. What fits no request is an answer to a repeated one, or forged.
func (u *udpFlow) take(ctx context.Context, reply []byte) {
	var m codec.Message
	if !m.Decode(reply) {
		return
	}
	switch m.Kind {
	case codec.KindInfoResponse:
		if d := u.inFlight[m.InfoResponse().Account]; d != nil {
			u.finish(d, append([]byte(nil), reply...), nil)
		}
	case codec.KindError:
		d := u.oldest()
		if d == nil {
			return
		}
		answer, err := u.network.exchangeUDP(ctx, u.at, &d.request.account, d.request.message)
		u.finish(d, answer, err)
	}
}

func (u *udpFlow) oldest() *datagram {
	for len(u.queue) > 0 {
		if d := u.queue[0]; u.inFlight[d.request.account] == d {
			return d
		}
		u.queue = u.queue[1:]
	}
	return nil
}

func (u *udpFlow) finish(d *datagram, reply []byte, err error) {
	delete(u.inFlight, d.request.account)
	d.request.reply = reply
	if err != nil {
		d.request.err = ioError(err)
	} else {
		u.started, u.heard, u.refusals = true, time.Now(), 0
	}
	u.answered++
	u.progress(u.answered, len(u.inFlight))
}

// repeat sends again what has waited long enough, and gives up what has waited too long: the whole flow, if nothing at
// all has come for that time.
func (u *udpFlow) repeat() error {
	now := time.Now()
	for d := u.oldest(); d != nil && now.Sub(d.first) >= u.network.recvTimeout; d = u.oldest() {
		if now.Sub(u.heard) >= u.network.recvTimeout {
			return errTimeout
		}
		u.finish(d, nil, errTimeout)
	}
	for _, d := range u.queue {
		if u.inFlight[d.request.account] != d || now.Before(d.last.Add(d.wait)) {
			continue
		}
		d.last = now
		d.wait = longer(d.wait)
		u.network.retransmissions.Add(1)
		u.write(d.request.message, now)
	}
	return nil
}
