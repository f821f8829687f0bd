package node

// release lets everything out that is durable: replies first, then credits.
func (w *worker) release() {
	for {
		w.releaseDurable()
		if !w.waitForDurable() {
			return
		}
	}
}

// releaseDurable is release for a worker that looks again soon by itself.
func (w *worker) releaseDurable() {
	done := 0
	for _, b := range w.parked {
		if !w.mayLeave(b) {
			break
		}
		w.releaseBatch(b)
		done++
	}
	w.parked = append(w.parked[:0], w.parked[done:]...)
}

func (w *worker) releaseBatch(b *batch) {
	for _, buf := range b.replies {
		w.deliver(buf)
	}
	w.udp.send(b)
	for _, buf := range b.fetching {
		if buf.conn == nil {
			w.fetch(buf)
		}
	}
	w.sendCredits(b)
	for _, a := range b.arrived {
		a.from.durable(a.upTo)
	}
	b.reset()
	if b.intake != nil {
		b.giveIntake()
	}
	w.free = append(w.free, b)
}

// write hands a connection its replies. What the kernel doesn't take is queued by the event loop, without a bound of its
// own.
func (w *worker) write(buf *replyBuffer) {
	if c := buf.conn; !c.closed {
		w.stats.bytesOut += uint64(len(buf.bytes))
		_, _ = c.sock.Write(buf.bytes) // an error has closed the connection
		if !c.closed {
			w.boundConn(c, len(buf.bytes))
		}
	}
	w.giveReplyBuffer(buf)
}

// boundConn bounds what is queued for a connection that was just written to, and for all together.
func (w *worker) boundConn(c *conn, written int) {
	queued := c.queuedBytes()
	if queued == 0 {
		return
	}
	w.queued += written
	if queued > w.node.limits.queuedConn {
		w.closeSlow(c)
	} else if w.queued > w.queueMax {
		w.boundQueued()
	}
}

func (w *worker) takeReplyBuffer(c *conn) *replyBuffer {
	n := len(w.freeReplies)
	if n == 0 {
		return &replyBuffer{conn: c}
	}
	buf := w.freeReplies[n-1]
	w.freeReplies = w.freeReplies[:n-1]
	buf.conn = c
	return buf
}

func (w *worker) giveReplyBuffer(buf *replyBuffer) {
	*buf = replyBuffer{bytes: buf.bytes[:0]}
	if cap(buf.bytes) > maxIdleReplies {
		buf.bytes = nil
	}
	if len(w.freeReplies) < maxFreeReplies {
		w.freeReplies = append(w.freeReplies, buf)
	}
}

// maxFreeReplies bounds the reply buffers that are kept for reuse.
const maxFreeReplies = 64
