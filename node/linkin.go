package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"fastpay/node/link"
)

// inLink takes the credits that a shard of another process has for a shard of this one, and hands them to the shard's
// worker through a ring. The worker says when they are durable.
type inLink struct {
	pair link.Pair
	log  *slog.Logger
	wake func()      // tells the worker of credits in the ring
	fail func(error) // ends the node: its data directory is not the one that it should be

	ring *ring         // certificates
	read uint64        // of the worker's thread: position in the ring
	room chan struct{} // one token: the worker has released some of the ring

	session sync.Mutex // held by the connection that is served; a new one ends the old one
	mu      sync.Mutex // over what follows, and never for long
	current *tls.Conn
	state   *link.Receiver
	told    chan struct{} // one token: something became durable
	trouble repeatedError
}

// arrived is the worker's view of the next credit that has arrived; ok is false when there is none. It is valid until
// done.
func (l *inLink) arrived() (number uint64, cert []byte, ok bool) {
	_, number, cert, after, ok := l.ring.next(l.read)
	l.read = after
	return number, cert, ok
}

// done gives the room of all credits that arrived gave back. From the worker's thread.
func (l *inLink) done() {
	l.ring.release(l.read)
	token(l.room)
}

// durable tells that the credits up to a number are. From any thread.
func (l *inLink) durable(a link.Acknowledgement) {
	l.mu.Lock()
	l.state.Durable(a)
	l.mu.Unlock()
	token(l.told)
}

// token leaves one in a channel that has room for one.
func token(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// serve takes a connection whose hello was read, and returns when it breaks. A connection that is served already ends:
// its other side is gone, and has come again.
func (l *inLink) serve(ctx context.Context, conn *tls.Conn, in *linkReader, hello *link.Hello, greeted func()) {
	l.replace(conn)
	l.session.Lock()
	defer l.session.Unlock()
	err := l.greet(conn, hello)
	if err == nil {
		greeted()
		l.trouble.forget()
		err = l.exchange(ctx, conn, in)
	}
	l.mu.Lock()
	l.state.Disconnect()
	if l.current == conn {
		l.current = nil
	}
	l.mu.Unlock()
	if ctx.Err() == nil {
		l.report(err)
	}
}

func (l *inLink) replace(conn *tls.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current != nil {
		_ = l.current.NetConn().Close() // not the TLS one, which waits for writes
	}
	l.current = conn
}

// report logs why a connection ended, if that is worth it, and ends the node if it has forgotten something.
func (l *inLink) report(err error) {
	refused := (*link.RefusedError)(nil)
	if errors.As(err, &refused) && refused.ReceiverStale() {
		l.fail(err)
		return
	}
	if refused != nil && l.trouble.isNew(err) {
		l.log.Error("credits from another shard are refused", "error", err)
		return
	}
	l.log.Debug("link from another shard ended", "from", l.pair.From, "to", l.pair.To, "error", err)
}

// greet answers the hello.
func (l *inLink) greet(conn *tls.Conn, hello *link.Hello) error {
	_ = conn.SetDeadline(time.Now().Add(linkTimeout))
	l.mu.Lock()
	welcome, err := l.state.Hello(hello)
	l.mu.Unlock()
	answer := welcome.AppendFrame(nil)
	refused := (*link.RefusedError)(nil)
	if errors.As(err, &refused) {
		answer = refused.AppendFrame(nil)
	}
	if _, err := conn.Write(answer); err != nil && refused == nil {
		return err
	}
	_ = conn.SetDeadline(time.Time{})
	return err
}

// exchange takes credits, and acknowledges them as they become durable.
func (l *inLink) exchange(ctx context.Context, conn *tls.Conn, in *linkReader) error {
	done := make(chan struct{})
	var acknowledging sync.WaitGroup
	acknowledging.Go(func() {
		if err := l.acknowledge(conn, done); err != nil {
			_ = conn.NetConn().Close()
		}
	})
	defer acknowledging.Wait()
	defer conn.NetConn().Close()
	defer close(done)
	for {
		m, err := in.read()
		if err != nil {
			return err
		}
		switch m.Kind {
		case link.KindCredit:
			err = l.take(ctx, &m.Credit)
		case link.KindRefusal:
			l.mu.Lock()
			err = l.state.Refused(&m.Refusal)
			l.mu.Unlock()
		default:
			err = fmt.Errorf("node: sibling shard sends message kind %d to a receiver", m.Kind)
		}
		if err != nil {
			return err
		}
		if !in.buffered() {
			l.wake()
		}
	}
}

// take hands a credit to the worker; it waits for room. The certificate is not verified again: the sibling is this
// authority, and has.
func (l *inLink) take(ctx context.Context, c *link.Credit) error {
	l.mu.Lock()
	fresh, err := l.state.Credit(c.Number)
	l.mu.Unlock()
	if err != nil || !fresh {
		return err
	}
	cert := c.Certificate.Bytes()
	for !l.ring.reserve(len(cert)) {
		l.wake()
		select {
		case <-l.room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	l.ring.push(0, c.Number, cert)
	return nil
}

// acknowledge writes acknowledgements until done is closed.
func (l *inLink) acknowledge(conn *tls.Conn, done <-chan struct{}) error {
	var out []byte
	for {
		l.mu.Lock()
		a, ok := l.state.Acknowledge()
		l.mu.Unlock()
		if ok {
			_ = conn.SetWriteDeadline(time.Now().Add(linkTimeout))
			out = a.AppendFrame(out[:0])
			if _, err := conn.Write(out); err != nil {
				return err
			}
		}
		select {
		case <-l.told:
		case <-done:
			return nil
		}
	}
}
