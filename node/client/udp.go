package client

import (
	"bytes"
	"context"
	"errors"
	"net"
	"syscall"
	"time"

	"fastpay/codec"
)

// A datagram may be lost either way, so a request without an answer is sent again: after 200 ms, which is far above what
// a busy authority takes, then each time after half as long again, a second at most, until the answer's time is over.
// With the default of 4 s a request is sent 7 times at most.
const (
	udpFirstWait = 200 * time.Millisecond
	udpMaxWait   = time.Second
)

// udpRefusals is how many times in a row the port must be reported closed, a wait apart, for the authority to be down.
const udpRefusals = 2

// exchangeUDP has a socket for each request. So the kernel drops what comes from elsewhere, and a late answer to an
// earlier request, or a second one, can't be taken for the answer to this one.
func (n *Network) exchangeUDP(ctx context.Context, at place, account *codec.Address, message []byte) ([]byte, error) {
	dialer := net.Dialer{Timeout: n.sendTimeout}
	conn, err := dialer.DialContext(ctx, "udp", n.address(at))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	buf := n.buffers.Get().(*[]byte)
	defer n.buffers.Put(buf)

	end := time.Now().Add(n.recvTimeout)
	refusals := 0
	for wait := udpFirstWait; ; wait = longer(wait) {
		next := time.Now().Add(wait)
		reply, err := send(conn, message, account, *buf, earlier(next, end))
		switch {
		case err == nil:
			return reply, nil
		case errors.Is(err, syscall.ECONNREFUSED):
			if refusals++; refusals >= udpRefusals && !n.patient(time.Now()) {
				return nil, err
			}
			if !sleep(ctx, time.Until(earlier(next, end))) {
				return nil, ctx.Err()
			}
		case !isTimeout(err):
			return nil, err
		default:
			refusals = 0
		}
		if !time.Now().Before(end) {
			return nil, errTimeout
		}
		n.retransmissions.Add(1)
	}
}

// send sends a request once, and waits for an answer until the deadline.
func send(conn net.Conn, message []byte, account *codec.Address, buf []byte, deadline time.Time) ([]byte, error) {
	conn.SetDeadline(deadline)
	if _, err := conn.Write(message); err != nil {
		return nil, err
	}
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return nil, err
		}
		if n < len(buf) && isAnswer(buf[:n], account) {
			return bytes.Clone(buf[:n]), nil
		}
	}
}

// isAnswer reports whether a datagram can be the answer to a request about account. What can't is as good as lost.
func isAnswer(datagram []byte, account *codec.Address) bool {
	var m codec.Message
	if !m.Decode(datagram) {
		return false
	}
	return m.Kind == codec.KindError || m.Kind == codec.KindInfoResponse && m.InfoResponse().Account == *account
}

func longer(wait time.Duration) time.Duration { return min(wait+wait/2, udpMaxWait) }

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// sleep reports whether the time passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
