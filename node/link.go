package node

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"fastpay/codec"
)

// link carries credits from one worker to a shard of another process over TCP, whatever the clients speak. A credit stays
// in the ring until it is acknowledged and is sent again after a broken connection; the receiver remembers what it
// credited. After each group of credits comes an info request for the last recipient: the receiver applies the requests
// of a connection in order and ends a connection with a credit that it refuses, so its answer acknowledges the whole
// group.
type link struct {
	w     *worker
	shard int
	ring  *ring
	wake  chan struct{} // a credit was pushed
	ctx   context.Context
	close context.CancelFunc
	ended sync.WaitGroup
}

func newLink(w *worker, shard int) *link {
	ctx, cancel := context.WithCancel(context.Background())
	return &link{
		w: w, shard: shard, ring: newRing(w.node.limits.outbox, w.node.maxCertificateBytes()),
		wake: make(chan struct{}, 1), ctx: ctx, close: cancel,
	}
}

func (l *link) start() { l.ended.Go(l.run) }

// stop ends the link, and what it was sending.
func (l *link) stop() {
	l.close()
	l.ended.Wait()
}

// announce tells the link about a new credit. From the worker's thread.
func (l *link) announce() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run sends until the node ends. The ring position it has acknowledged is all its state.
func (l *link) run() {
	acked, pause := uint64(0), linkRetryMin
	for l.ctx.Err() == nil {
		if _, _, _, _, ok := l.ring.next(acked); !ok {
			select {
			case <-l.wake:
			case <-l.ctx.Done():
			}
			continue
		}
		before := acked
		err := l.session(&acked)
		if l.ctx.Err() != nil {
			return
		}
		if acked != before {
			pause = linkRetryMin
		}
		l.w.node.log.Warn("credits to another shard wait", "shard", l.shard, "error", err, "retry", pause)
		select {
		case <-time.After(pause):
		case <-l.ctx.Done():
		}
		pause = min(2*pause, linkRetryMax)
	}
}

// session holds one connection and returns when it breaks.
func (l *link) session(acked *uint64) error {
	dialer := net.Dialer{Timeout: linkTimeout}
	sock, err := dialer.DialContext(l.ctx, "tcp", l.w.node.siblingAddress(l.shard))
	if err != nil {
		return err
	}
	defer context.AfterFunc(l.ctx, func() { sock.Close() })()
	defer sock.Close()
	in := bufio.NewReader(sock)
	var group, answer []byte
	for l.ctx.Err() == nil {
		var end uint64
		if group, end = l.takeGroup(group[:0], *acked); end == *acked {
			select {
			case <-l.wake:
			case <-l.ctx.Done():
			}
			continue
		}
		if err := sock.SetDeadline(time.Now().Add(linkTimeout)); err != nil {
			return err
		}
		if _, err := sock.Write(group); err != nil {
			return err
		}
		if answer, err = readFrame(in, answer, l.w.node.MaxMessage); err != nil {
			return fmt.Errorf("node: sibling shard ended the connection without acknowledging credits (is it up, with the same "+
				"committee file?): %w", err)
		}
		if err := acknowledged(answer); err != nil {
			return err
		}
		*acked = end
		l.ring.release(end)
		l.w.stats.creditsAcknowledged.Add(1)
		if l.w.holders.Load() > 0 {
			l.w.run(&l.w.retryPosted)
		}
	}
	return l.ctx.Err()
}

// takeGroup frames up to linkGroup credits, or linkGroupBytes, from ring position pos on, and the question that
// acknowledges them.
func (l *link) takeGroup(dst []byte, pos uint64) (frames []byte, end uint64) {
	question := codec.InfoRequest{}
	for n := 0; n < linkGroup && len(dst) < linkGroupBytes; n++ {
		_, _, record, after, ok := l.ring.next(pos)
		if !ok {
			break
		}
		cert, err := codec.ParseCertificate(record)
		if err != nil {
			l.w.node.fail(fmt.Errorf("node: damaged outbox to shard %d: %w", l.shard, err))
			return dst, pos
		}
		start := len(dst)
		dst = codec.AppendCrossShard(codec.BeginFrame(dst), cert)
		codec.EndFrame(dst, start)
		question.Account, pos = *cert.Order().Recipient(), after
	}
	start := len(dst)
	dst = codec.AppendInfoRequest(codec.BeginFrame(dst), &question)
	codec.EndFrame(dst, start)
	return dst, pos
}

// acknowledged reads the answer to the question. There is none after a credit that was refused: then the processes don't
// agree on the committee, and the money must not be forgotten.
func acknowledged(answer []byte) error {
	var m codec.Message
	if !m.Decode(answer) {
		return errors.New("node: sibling shard sent an answer that does not decode")
	}
	if m.Kind == codec.KindError {
		return fmt.Errorf("node: sibling shard refused a credit (other committee file?): %w", m.Error())
	}
	if m.Kind != codec.KindInfoResponse {
		return errors.New("node: sibling shard sent an unexpected message")
	}
	return nil
}

// readFrame reads one frame's message into buf.
func readFrame(in *bufio.Reader, buf []byte, maxMessage int) ([]byte, error) {
	var header [codec.FrameHeaderSize]byte
	if _, err := io.ReadFull(in, header[:]); err != nil {
		return buf, err
	}
	n := int(binary.LittleEndian.Uint32(header[:]))
	if n > maxMessage {
		return buf, codec.ErrFrameTooLarge
	}
	if cap(buf) < n {
		buf = make([]byte, n)
	}
	_, err := io.ReadFull(in, buf[:n])
	return buf[:n], err
}
