package node

import (
	"time"

	"github.com/panjf2000/gnet/v2"

	"fastpay/codec"
)

// conn is a client's TCP connection to one shard. It belongs to its worker's thread.
type conn struct {
	sock   gnet.Conn // nil once closed
	shard  *shard
	closed bool

	// tail is a frame that has not arrived whole; at most one frame long.
	tail         []byte
	partialSince time.Time
	lastRead     time.Time
	suspectUntil time.Time // a bad signature came from here

	// held keeps requests that wait for room in the queue of replies to be read, with their frame headers; nothing of the
	// connection is worked on meanwhile.
	held    []byte
	holding bool

	fresh bool // nothing was taken from it yet: it may be a sibling's

	kept      int       // memory of tail and held, as the worker has counted it
	unread    int       // bytes queued for the peer at the last sweep
	lastTaken time.Time // when a sweep last saw that the peer had read some of it

	// replies of the batch that is being applied; nil between batches.
	replies *replyBuffer

	// waiting are replies that come after one for which certificates are being read, which is the first.
	waiting      []*replyBuffer
	waitingBytes int

	prev, next *conn
}

func (c *conn) partial() bool { return len(c.tail) > 0 }

// receive takes data apart into frames. It copies what it keeps.
func (c *conn) receive(w *worker, data []byte) gnet.Action {
	c.lastRead = w.now
	if c.holding {
		return c.hold(w, data)
	}
	if c.fresh {
		if taken, action := c.begin(w, data); taken {
			return action
		}
	}
	if len(c.tail) > 0 {
		var ok bool
		if data, ok = c.completeTail(w, data); !ok {
			return gnet.Close
		}
	}
	for !c.closed && !c.holding { // either may begin in any batch that fills up here
		message, rest, ok, err := codec.TakeFrame(data, w.node.MaxMessage)
		if err != nil {
			w.stats.oversized.Add(1)
			w.drain() // answers what came before
			return gnet.Close
		}
		if !ok {
			c.keepTail(w, data)
			return gnet.None
		}
		data = rest
		w.batch.add(c.shard, message, c, nil)
	}
	if c.closed {
		return gnet.None
	}
	return c.hold(w, data)
}

// begin looks at the first bytes of a connection. One that begins with TLS is a sibling's, and goes to the links; with too
// few bytes to tell, they are kept.
func (c *conn) begin(w *worker, data []byte) (taken bool, action gnet.Action) {
	first := append(c.tail, data[:min(len(data), clientHelloBytes)]...)
	isTLS, undecided := beginsTLS(first)
	switch {
	case w.node.links == nil:
	case undecided:
		c.keepTail(w, data)
		return true, gnet.None
	case isTLS:
		if descriptor, err := c.sock.Dup(); err == nil { // an error is for the sibling to try again
			w.node.links.accept(descriptor, append(c.tail, data...), c.shard.number)
		}
		return true, gnet.Close
	}
	c.fresh = false
	return false, gnet.None
}

func (c *conn) keepTail(w *worker, data []byte) {
	if len(data) > 0 && len(c.tail) == 0 {
		c.partialSince = w.now
	}
	c.tail = append(c.tail, data...)
}

// completeTail adds to the frame that an earlier read began, and returns what lies behind it.
func (c *conn) completeTail(w *worker, data []byte) (rest []byte, ok bool) {
	for len(c.tail) < codec.FrameHeaderSize && len(data) > 0 {
		c.tail = append(c.tail, data[0])
		data = data[1:]
	}
	need, err := codec.FrameSize(c.tail, w.node.MaxMessage)
	if err != nil {
		w.stats.oversized.Add(1)
		w.drain() // answers what came before
		return nil, false
	}
	if need == 0 { // header still incomplete
		return data, true
	}
	n := min(need-len(c.tail), len(data))
	c.tail = append(c.tail, data[:n]...)
	if len(c.tail) == need {
		frame := c.tail
		c.tail = nil // what is held back begins with this frame, should it come to that
		w.batch.add(c.shard, frame[codec.FrameHeaderSize:], c, nil)
		if cap(frame) <= maxIdleTail {
			c.tail = frame[:0]
		}
	}
	return data[n:], true
}

// maxIdleTail is what a connection keeps of a buffer for partial frames.
const maxIdleTail = 4 << 10

// startHolding keeps everything of this connection back from here on, in order, until there is room for a reply that must
// be read.
func (c *conn) startHolding(w *worker) {
	c.holding = true
	w.holders.Add(1)
}

func (c *conn) stopHolding(w *worker) {
	c.held, c.holding = nil, false
	w.holders.Add(-1)
}

// hold keeps data for later.
func (c *conn) hold(w *worker, data []byte) gnet.Action {
	if len(c.held)+len(data) > maxHeldConn {
		w.stats.slowReaders.Add(1)
		return gnet.Close
	}
	c.held = append(c.held, data...)
	return gnet.None
}

// holdFrame keeps a message that was taken out of its frame.
func (c *conn) holdFrame(w *worker, message []byte) {
	if c.closed {
		return
	}
	if len(c.held)+codec.FrameHeaderSize+len(message) > maxHeldConn {
		w.stats.slowReaders.Add(1)
		c.close()
		return
	}
	start := len(c.held)
	c.held = append(codec.BeginFrame(c.held), message...)
	codec.EndFrame(c.held, start)
}

// close ends the connection in good order: replies that are queued are still tried.
func (c *conn) close() {
	if c.sock != nil {
		_ = c.sock.EventLoop().Close(c.sock)
	}
}

// queuedBytes is what the peer has not taken, and what it can't take yet.
func (c *conn) queuedBytes() int { return c.sock.OutboundBuffered() + c.waitingBytes }

// connList is a list of open connections.
type connList struct{ first *conn }

func (l *connList) add(c *conn) {
	c.next = l.first
	if l.first != nil {
		l.first.prev = c
	}
	l.first = c
}

func (l *connList) remove(c *conn) {
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		l.first = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	}
	c.prev, c.next = nil, nil
}
