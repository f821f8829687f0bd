package client

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"fastpay/codec"
)

// peer is the connection to one shard of one authority: none at first, made when needed, made anew when it broke.
type peer struct {
	dialing chan struct{} // holds a token while nobody dials
	mu      sync.Mutex
	conn    *tcpConn
	closed  bool
}

// tcpConn is one connection. Answers come in the order of requests, so those who wait form a queue. Once broken it stays
// broken, and everyone in the queue gets the reason.
type tcpConn struct {
	conn    net.Conn
	writing sync.Mutex // held from joining the queue until the request is written

	mu      sync.Mutex
	waiting []chan<- tcpReply // each has room for its reply
	err     error
}

type tcpReply struct {
	message []byte
	err     error
}

func (n *Network) exchangeTCP(ctx context.Context, at place, message []byte) ([]byte, error) {
	p, err := n.peer(at)
	if err != nil {
		return nil, err
	}
	c, fresh, err := n.connect(ctx, p, at)
	if err != nil {
		return nil, err
	}
	reply, err := c.exchange(ctx, message, n.sendTimeout, n.recvTimeout)
	if err == nil || fresh || ctx.Err() != nil || errors.Is(err, errTimeout) || errors.Is(err, errSend) {
		return reply, err
	}
	// A connection from earlier broke: the authority may have restarted since. Once more on a new one.
	if c, _, err = n.connect(ctx, p, at); err != nil {
		return nil, err
	}
	return c.exchange(ctx, message, n.sendTimeout, n.recvTimeout)
}

func (n *Network) peer(at place) (*peer, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, errNetworkEnd
	}
	p := n.peers[at]
	if p == nil {
		p = &peer{dialing: make(chan struct{}, 1)}
		p.dialing <- struct{}{}
		n.peers[at] = p
	}
	return p, nil
}

// connect returns the peer's connection; fresh if it was made for this call.
func (n *Network) connect(ctx context.Context, p *peer, at place) (c *tcpConn, fresh bool, err error) {
	select {
	case <-p.dialing:
		defer func() { p.dialing <- struct{}{} }()
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	p.mu.Lock()
	c = p.conn
	p.mu.Unlock()
	if c != nil && c.broken() == nil {
		return c, false, nil
	}
	conn, err := n.dialTCP(ctx, at)
	if err != nil {
		return nil, false, err
	}
	c = &tcpConn{conn: conn}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		conn.Close()
		return nil, false, errNetworkEnd
	}
	p.conn = c
	n.readers.Go(func() { c.read(n.maxMessage) })
	return c, true, nil
}

// The pause before a refused connection is tried again doubles from the first to the longest.
const (
	firstDialPause   = 10 * time.Millisecond
	longestDialPause = 200 * time.Millisecond
)

// dialTCP connects to a shard. A port that refuses is tried again while that may help.
func (n *Network) dialTCP(ctx context.Context, at place) (net.Conn, error) {
	dialer := net.Dialer{Timeout: n.sendTimeout}
	for pause := firstDialPause; ; pause = min(2*pause, longestDialPause) {
		conn, err := dialer.DialContext(ctx, "tcp", n.address(at))
		if !errors.Is(err, syscall.ECONNREFUSED) || !n.patient(time.Now().Add(pause)) || !sleep(ctx, pause) {
			return conn, err
		}
	}
}

func (p *peer) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.conn != nil {
		p.conn.breakOff(errNetworkEnd)
	}
}

// exchange sends one request and waits for its answer. One that is given up, because ctx ended, keeps its place in the
// queue; one that times out breaks the connection, since those behind it can't be answered before it.
func (c *tcpConn) exchange(ctx context.Context, message []byte, sendTimeout, recvTimeout time.Duration) ([]byte, error) {
	reply := make(chan tcpReply, 1)
	frame := append(codec.BeginFrame(make([]byte, 0, codec.FrameHeaderSize+len(message))), message...)
	codec.EndFrame(frame, 0)
	if err := c.write(frame, reply, sendTimeout); err != nil {
		return nil, err
	}
	timer := time.NewTimer(recvTimeout)
	defer timer.Stop()
	select {
	case r := <-reply:
		return r.message, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		c.breakOff(errTimeout)
		return nil, errTimeout
	}
}

func (c *tcpConn) write(frame []byte, reply chan<- tcpReply, timeout time.Duration) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return c.err
	}
	c.waiting = append(c.waiting, reply)
	c.mu.Unlock()
	c.conn.SetWriteDeadline(time.Now().Add(timeout))
	if _, err := c.conn.Write(frame); err != nil {
		if isTimeout(err) {
			err = errSend
		}
		c.breakOff(err)
		return c.broken()
	}
	return nil
}

// read hands the answers to those who wait, until the connection breaks.
func (c *tcpConn) read(maxMessage int) {
	in := bufio.NewReader(c.conn)
	for {
		message, err := readFrame(in, maxMessage)
		if err != nil {
			c.breakOff(err)
			return
		}
		c.mu.Lock()
		if len(c.waiting) == 0 {
			c.mu.Unlock()
			c.breakOff(errUnasked)
			return
		}
		first := c.waiting[0]
		c.waiting = c.waiting[1:]
		c.mu.Unlock()
		first <- tcpReply{message: message}
	}
}

// readFrame reads one frame into memory of its own. Its size is checked before that is taken.
func readFrame(in *bufio.Reader, maxMessage int) ([]byte, error) {
	var header [codec.FrameHeaderSize]byte
	if _, err := io.ReadFull(in, header[:]); err != nil {
		return nil, err
	}
	size := binary.LittleEndian.Uint32(header[:])
	if uint64(size) > uint64(maxMessage) {
		return nil, codec.ErrFrameTooLarge
	}
	message := make([]byte, size)
	_, err := io.ReadFull(in, message)
	return message, err
}

// breakOff closes the connection; the first reason stands.
func (c *tcpConn) breakOff(reason error) {
	c.mu.Lock()
	if c.err == nil {
		c.err = reason
	}
	err, waiting := c.err, c.waiting
	c.waiting = nil
	c.mu.Unlock()
	c.conn.Close()
	for _, w := range waiting {
		w <- tcpReply{err: err}
	}
}

func (c *tcpConn) broken() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}
