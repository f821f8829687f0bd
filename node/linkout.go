package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"fastpay/node/link"
)

// outLink sends the credits of a shard of this process to a shard of another one. The journal is the outbox: the ring
// is only a shorter way for credits that are new. A sibling that is down or slow makes the ring full; then it is passed
// by, and nobody waits.
type outLink struct {
	pair    link.Pair
	address string // of the sibling
	tls     *tls.Config
	most    int // bytes of a message
	log     *slog.Logger

	// readBack appends credits from the journal, the first of which has the number, as many as it likes.
	readBack func(ctx context.Context, number uint64, to *creditChunk) error
	// fail ends the node: its data directory is not the one that it should be.
	fail func(error)

	owed bool // of the worker's thread: it has handed over credits and not announced them

	issued atomic.Uint64 // credits that are durable
	ring   *ring         // the newest of them
	wake   chan struct{} // one token: there is more
	stats  *linkStats

	mu    sync.Mutex
	acked link.Acknowledgement // the last one

	// Of run's goroutine.
	sender  *link.Sender
	taken   uint64 // position in the ring
	chunk   creditChunk
	trouble repeatedError
}

// linkStats count for all links of a node.
type linkStats struct {
	up                          atomic.Int64 // outgoing links that are connected
	sent, readBack, acknowledge atomic.Uint64
	handshakesFailed            atomic.Uint64
}

// send tells of a credit that is durable. It never waits. From the thread of the shard's worker, which calls announce
// after the last of some credits.
func (l *outLink) send(number uint64, cert []byte) {
	if l.ring.reserve(len(cert)) {
		l.ring.push(0, number, cert)
	}
	l.issued.Store(number)
}

// acknowledged is up to where the sibling is known to be durable. From any goroutine.
func (l *outLink) acknowledged() link.Acknowledgement {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acked
}

func (l *outLink) note(a link.Acknowledgement) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acked = a
}

// announce wakes the link. From any thread.
func (l *outLink) announce() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run connects and sends until the context ends. It connects though there may be nothing to send: a sibling whose
// directory is an old copy is to be found out before it does harm.
func (l *outLink) run(ctx context.Context) {
	pause := linkRetryMin
	for {
		before := l.sender.Acknowledged().Number
		err := l.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if l.sender.Acknowledged().Number != before {
			pause = linkRetryMin
		}
		l.report(err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		pause = min(2*pause, linkRetryMax)
	}
}

// report logs why a connection ended. A refusal that says that it is this process that has forgotten something ends it.
func (l *outLink) report(err error) {
	refused := (*link.RefusedError)(nil)
	if errors.As(err, &refused) {
		if refused.SenderStale() {
			l.fail(err)
		} else if l.trouble.isNew(err) {
			l.log.Error("a sibling shard and this one refuse each other", "address", l.address, "error", err)
		}
		return
	}
	credits := l.issued.Load() - l.sender.Acknowledged().Number
	if credits > 0 && l.trouble.isNew(err) {
		l.log.Warn("credits to another shard wait", "from", l.pair.From, "to", l.pair.To, "address", l.address, "error", err,
			"credits", credits)
	}
}

// session holds one connection and returns when it breaks.
func (l *outLink) session(ctx context.Context) error {
	conn, err := l.dial(ctx)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	defer conn.Close()
	in := newLinkReader(conn, l.most)
	if err := l.greet(conn, in); err != nil {
		return err
	}
	l.trouble.forget()
	l.stats.up.Add(1)
	defer l.stats.up.Add(-1)

	s := linkSession{conn: conn, answers: make(chan link.Message, linkAnswers), broken: make(chan error, 1),
		done: make(chan struct{})}
	var reading sync.WaitGroup
	reading.Go(func() { s.readAnswers(in) })
	defer reading.Wait()
	defer conn.Close()
	defer close(s.done)
	return l.refuse(conn, l.pump(ctx, &s))
}

func (l *outLink) dial(ctx context.Context) (*tls.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, linkConnectTimeout)
	defer cancel()
	dialer := tls.Dialer{NetDialer: &net.Dialer{KeepAliveConfig: linkKeepAlive}, Config: l.tls}
	conn, err := dialer.DialContext(ctx, "tcp", l.address)
	if err != nil {
		return nil, err
	}
	return conn.(*tls.Conn), nil
}

// greet exchanges the numbers.
func (l *outLink) greet(conn *tls.Conn, in *linkReader) error {
	_ = conn.SetDeadline(time.Now().Add(linkTimeout))
	l.sender.Issued(l.issued.Load())
	hello := l.sender.Hello()
	if _, err := conn.Write(hello.AppendFrame(nil)); err != nil {
		return err
	}
	m, err := in.read()
	if err != nil {
		return fmt.Errorf("node: sibling shard does not answer: %w", err)
	}
	switch m.Kind {
	case link.KindWelcome:
		err = l.refuse(conn, l.sender.Welcome(&m.Welcome))
	case link.KindRefusal:
		err = l.sender.Refused(&m.Refusal)
	default:
		err = fmt.Errorf("node: sibling shard answers a hello with message kind %d", m.Kind)
	}
	_ = conn.SetDeadline(time.Time{})
	return err
}

// refuse tells the sibling about an error that concerns it, too.
func (l *outLink) refuse(conn *tls.Conn, err error) error {
	if refused := (*link.RefusedError)(nil); errors.As(err, &refused) {
		_ = conn.SetWriteDeadline(time.Now().Add(linkTimeout))
		_, _ = conn.Write(refused.AppendFrame(nil)) // it will find out by itself
	}
	return err
}

// linkSession is a connection with its reader.
type linkSession struct {
	conn    *tls.Conn
	answers chan link.Message // acknowledgements and refusals
	broken  chan error        // reading has ended
	done    chan struct{}
}

func (s *linkSession) readAnswers(in *linkReader) {
	for {
		m, err := in.read()
		if err != nil {
			s.broken <- err
			return
		}
		select {
		case s.answers <- *m: // a credit's view would not be valid for long, and is refused unread
		case <-s.done:
			return
		}
	}
}

// pump sends credits and takes acknowledgements until something breaks.
func (l *outLink) pump(ctx context.Context, s *linkSession) error {
	var out []byte
	patience := time.NewTimer(linkTimeout)
	defer patience.Stop()
	for {
		var err error
		if out, err = l.fill(ctx, out[:0]); err != nil {
			return err
		}
		if len(out) > 0 {
			_ = s.conn.SetWriteDeadline(time.Now().Add(linkTimeout))
			if _, err := s.conn.Write(out); err != nil {
				return err
			}
		}
		if err := l.wait(ctx, s, patience, len(out) > 0); err != nil {
			return err
		}
	}
}

// fill appends the messages of credits that the window has room for, some of them.
func (l *outLink) fill(ctx context.Context, out []byte) ([]byte, error) {
	l.sender.Issued(l.issued.Load())
	for len(out) < linkWriteBytes {
		number, ok := l.sender.Wants()
		if !ok {
			l.pass(number)
			break
		}
		cert, err := l.credit(ctx, number)
		if err != nil {
			return out, err
		}
		before := len(out)
		if out, err = l.sender.Offer(out, cert); err != nil {
			return out, err
		}
		if len(out) > before {
			l.stats.sent.Add(1)
		} else {
			l.note(l.sender.Acknowledged()) // it was compared with what the sibling has
		}
	}
	return out, nil
}

// wait takes answers, and waits for one, or for credits, if there is nothing to send.
func (l *outLink) wait(ctx context.Context, s *linkSession, patience *time.Timer, busy bool) error {
	if busy {
		select {
		case m := <-s.answers:
			return l.answer(&m, patience)
		case err := <-s.broken:
			return err
		default:
			return nil
		}
	}
	if !l.sender.Flying() {
		patience.Reset(linkTimeout)
	}
	select {
	case m := <-s.answers:
		return l.answer(&m, patience)
	case err := <-s.broken:
		return err
	case <-l.wake:
		return nil
	case <-patience.C:
		if !l.sender.Flying() {
			return nil
		}
		return fmt.Errorf("node: sibling shard has acknowledged nothing for %v", linkTimeout)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *outLink) answer(m *link.Message, patience *time.Timer) error {
	switch m.Kind {
	case link.KindAcknowledgement:
		if err := l.sender.Acknowledge(&m.Acknowledgement); err != nil {
			return err
		}
		patience.Reset(linkTimeout)
		l.stats.acknowledge.Add(1)
		l.note(l.sender.Acknowledged())
		return nil
	case link.KindRefusal:
		return l.sender.Refused(&m.Refusal)
	}
	return fmt.Errorf("node: sibling shard sends message kind %d to a sender", m.Kind)
}
