package node

import (
	"errors"
	"sync"
	"sync/atomic"

	"fastpay/codec"
	"fastpay/node/authority"
	"fastpay/node/journal"
)

// librarian finishes replies that show certificates, which are in the journal: it reads the disk, for which no loop may
// wait. It is one goroutine of a worker, and replies leave it in the order in which they came.
type librarian struct {
	w       *worker
	reader  *authority.Reader
	queue   chan *replyBuffer // has room for all that are pending
	pending int               // replies that wait for a commit, or are here; of the worker's thread

	mu       sync.Mutex
	finished []*replyBuffer // for the loop to take
	told     atomic.Bool    // the loop has been told that there are some
	spare    []*replyBuffer // memory of finished; of the worker's thread
	ended    sync.WaitGroup
}

func newLibrarian(w *worker) *librarian {
	l := &librarian{w: w, queue: make(chan *replyBuffer, w.node.limits.fetches)}
	buf := make([]byte, journal.RecordHeaderSize+authority.MaxRecordSize(w.node.Committee.Len()))
	l.reader = authority.NewReader(w.node.Committee, w.node.MaxMessage, func(at authority.Position) ([]byte, error) {
		_, data, err := w.node.store.journal.Read(buf, journal.Position(at))
		if errors.Is(err, journal.ErrRemoved) {
			err = authority.ErrGone
		}
		return data, err
	})
	return l
}

func (l *librarian) start() { l.ended.Go(l.run) }

// stop ends the goroutine. After the loop has ended.
func (l *librarian) stop() {
	close(l.queue)
	l.ended.Wait()
}

// run finishes replies until the queue is closed.
func (l *librarian) run() {
	for buf := range l.queue {
		l.finish(buf)
		l.mu.Lock()
		l.finished = append(l.finished, buf)
		l.mu.Unlock()
		if l.told.CompareAndSwap(false, true) {
			l.w.run(&l.w.readPosted)
		}
	}
}

// finish completes a reply, once what it tells is durable: then the records can be read too. What can't be read is not
// there for the peer, who can ask another authority.
func (l *librarian) finish(buf *replyBuffer) {
	n := l.w.node
	if n.store.journal.Wait(buf.group) != nil {
		return // the node ends, and the loop lets nothing out any more
	}
	reply, _, err := l.reader.Finish(buf.bytes, &buf.fetch)
	if err != nil {
		n.log.Error("certificates can't be read back from the journal", "error", err)
		l.w.stats.readErrors.Add(1)
		header := 0
		if buf.conn != nil {
			header = codec.FrameHeaderSize
		}
		reply = codec.AppendError(reply[:header], refuseGone)
	}
	if buf.conn != nil {
		codec.EndFrame(reply, 0)
	}
	buf.bytes = reply
}

var refuseGone = &codec.Error{Code: codec.CertificateNotfound}

// mayFetch reports whether an info request can be answered now. It can't if it may show certificates and too many replies
// wait for some: then its connection waits, and a datagram's sender will repeat it.
func (b *batch) mayFetch(r *request, info *codec.InfoRequest) bool {
	l := b.w.library
	if l == nil || !info.HasSequence && !info.HasReceived || l.pending < b.w.node.limits.fetches {
		return true
	}
	b.tally.readsFull++
	if c := r.conn; c != nil && !c.closed {
		c.startHolding(b.w)
		b.held = append(b.held, c)
		c.holdFrame(b.w, r.message)
	}
	return false
}

// read finishes an info reply with certificates that are in memory. For those in the journal it gives the reply a buffer
// of its own, in which it is finished later.
func (b *batch) read(r *request, out *authority.Outcome, fetch *authority.Fetch, buf *replyBuffer, start int) (
	*replyBuffer, int) {
	if b.w.library == nil {
		var err error
		if out.Reply, out.Accepted, err = b.w.reader.Finish(out.Reply, fetch); err != nil {
			b.w.node.fail(err) // memory was damaged
		}
		if !out.Accepted {
			out.VoteAt = -1 // the place for it went with the rest of the reply
		}
		return buf, start
	}
	own := b.w.takeReplyBuffer(r.conn)
	own.fetch, own.from, own.shard = *fetch, r.source, r.shard
	out.Reply = append(own.bytes, out.Reply[start:]...)
	if out.VoteAt >= 0 {
		out.VoteAt -= start
	}
	b.fetching = append(b.fetching, own)
	b.w.library.pending++
	if r.conn != nil {
		b.replies = append(b.replies, own)
		r.conn.replies = nil // what follows has another buffer
	}
	return own, 0
}

// fetch hands a reply to the librarian, once its batch is durable.
func (w *worker) fetch(buf *replyBuffer) {
	buf.ready = false
	w.library.queue <- buf // never waits: there is room for all that are pending
}

// takeFetched lets out what the librarian has finished, and what waited behind it.
func (w *worker) takeFetched() {
	l := w.library
	l.told.Store(false)
	l.mu.Lock()
	done := l.finished
	l.finished = l.spare[:0]
	l.mu.Unlock()
	for _, buf := range done {
		l.pending--
		buf.ready = true
		switch {
		case w.node.store.halted.Load():
		case buf.conn == nil:
			w.udp.sendOne(buf)
			w.giveReplyBuffer(buf)
		case buf.conn.closed:
			w.giveReplyBuffer(buf)
		default:
			w.releaseWaiting(buf.conn)
		}
	}
	clear(done)
	l.spare = done
	if l.pending <= w.node.limits.fetches/2 && w.holders.Load() > 0 {
		w.retryHeld()
	}
}

// wants reports whether the reply can't leave before the librarian is done with it.
func (b *replyBuffer) wants() bool { return b.fetch.Wanted() && !b.ready }

// deliver writes a connection's replies, or queues them behind one that is being read.
func (w *worker) deliver(buf *replyBuffer) {
	c := buf.conn
	switch {
	case c.closed && buf.wants():
		w.library.pending--
		w.giveReplyBuffer(buf)
		return
	case c.closed, !buf.wants() && len(c.waiting) == 0:
		w.write(buf)
		return
	}
	buf.counted = len(buf.bytes)
	if buf.wants() {
		w.fetch(buf) // from here on its bytes are the librarian's
	}
	c.waiting = append(c.waiting, buf)
	c.waitingBytes += buf.counted
	w.boundConn(c, buf.counted)
}

// releaseWaiting writes replies that waited, up to the next one that is still being read.
func (w *worker) releaseWaiting(c *conn) {
	for len(c.waiting) > 0 && !c.waiting[0].wants() { // writing may close the connection, which empties it
		buf := c.waiting[0]
		c.waiting[0] = nil
		c.waiting = c.waiting[1:]
		c.waitingBytes -= buf.counted
		w.write(buf)
	}
	if len(c.waiting) == 0 {
		c.waiting = nil
	}
}

// dropWaiting forgets the replies of a connection that has closed. The librarian gives back those that it has.
func (c *conn) dropWaiting(w *worker) {
	for _, buf := range c.waiting {
		if !buf.wants() {
			w.giveReplyBuffer(buf)
		}
	}
	c.waiting, c.waitingBytes = nil, 0
}

// sendOne sends a datagram that was finished late.
func (d *datagrams) sendOne(buf *replyBuffer) {
	late := batch{datagramTo: buf.bytes, datagrams: []datagramReply{{buf.from, buf.shard, 0, len(buf.bytes)}}}
	d.send(&late)
}
