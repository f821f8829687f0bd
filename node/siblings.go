package node

import (
	"context"
	"errors"
	"fmt"

	"fastpay/codec"
	"fastpay/node/authority"
	"fastpay/node/journal"
	"fastpay/node/link"
)

// arrival is credits of a shard of another process that a batch has applied, up to a number.
type arrival struct {
	from *inLink
	upTo link.Acknowledgement
}

// connectSiblings makes the links to and from the shards of other processes, from what the journal gave back.
func (n *Node) connectSiblings() error {
	if n.allShards {
		return nil
	}
	links, err := newLinks(n.Key, n.Committee.Len(), n.log)
	if err != nil {
		return err
	}
	log := link.LogID(n.journal().Recovery().ID)
	for _, w := range n.workers {
		for _, s := range w.shards {
			s.out = make([]*outLink, n.Member.NumShards)
			for other, here := range n.byShard {
				if here == nil {
					w.connectSibling(links, s, other, log)
				}
			}
		}
	}
	n.links = links
	return nil
}

// connectSibling makes the two links between a shard and one of another process.
func (w *worker) connectSibling(links *links, s *shard, other int, log link.LogID) {
	n := w.node
	out := links.addOut(link.Hello{
		Authority: n.Member.Name, Pair: link.Pair{From: s.number, To: other}, Shards: n.Member.NumShards, Log: log,
		Next: s.core.Issued(other) + 1, Acknowledged: s.core.Acknowledged(other), Chain: link.Chain(s.core.AcknowledgedSum(other)),
	}, n.siblingAddress(other))
	reader := &outboxReader{w: w, s: s, to: other}
	out.readBack, out.fail = reader.read, n.fail
	s.out[other] = out

	in := links.addIn(link.ReceiverOptions{
		Authority: n.Member.Name, Pair: link.Pair{From: other, To: s.number}, Shards: n.Member.NumShards, Log: log,
	}, s.applied(other))
	in.wake, in.fail = w.announceCredits, n.fail
	w.incoming = append(w.incoming, in)
}

// applied is up to where a shard has applied the credits of another one.
func (s *shard) applied(from int) link.Acknowledgement {
	return link.Acknowledgement{Number: s.core.Cursor(from), Chain: link.Chain(s.core.CursorSum(from))}
}

// sendOutside hands a durable credit to the link to its shard.
func (w *worker) sendOutside(c *credit) {
	l := w.local[c.from].out[c.to]
	l.send(c.number, c.cert.Bytes())
	if !l.owed {
		l.owed = true
		w.owedLinks = append(w.owedLinks, l)
	}
}

// announceLinks wakes the links that credits were handed to.
func (w *worker) announceLinks() {
	for _, l := range w.owedLinks {
		l.owed = false
		l.announce()
	}
	w.owedLinks = w.owedLinks[:0]
}

// takeOutside applies what links have brought. It is acknowledged once the batch that is being filled is durable.
func (w *worker) takeOutside() {
	for _, in := range w.incoming {
		s, taken := w.local[in.pair.To], false
		for {
			number, bytes, ok := in.arrived()
			if !ok {
				break
			}
			cert, err := codec.ParseCertificate(bytes)
			if err == nil {
				err = s.core.Credit(in.pair.From, number, 0, cert)
			}
			if err != nil {
				w.node.fail(err) // a sibling that is this authority made it
				return
			}
			taken = true
			w.stats.credits.Add(1)
			w.flushIfLarge()
		}
		if taken {
			in.done()
			w.batch.arrive(arrival{in, s.applied(in.pair.From)})
		}
	}
}

// arrive notes what is to be acknowledged with the batch.
func (b *batch) arrive(a arrival) {
	b.outside = true
	for i := range b.arrived {
		if b.arrived[i].from == a.from {
			b.arrived[i] = a
			return
		}
	}
	b.arrived = append(b.arrived, a)
}

// acknowledgeOutside notes in the journal what siblings have acknowledged since the last sweep.
func (w *worker) acknowledgeOutside(s *shard) {
	for to, l := range s.out {
		if l == nil {
			continue
		}
		a := l.acknowledged()
		if a.Number <= s.core.Acknowledged(to) {
			continue
		}
		if err := s.core.Acknowledge(to, a.Number, uint64(a.Chain)); err != nil {
			w.node.fail(err)
			return
		}
		w.flushIfLarge()
	}
}

// outboxReader reads credits back that a shard has for a shard of another process. It belongs to the link's goroutine.
type outboxReader struct {
	w      *worker
	s      *shard
	to     int
	record authority.Record

	next uint64           // the credit after the last one that was read
	at   journal.Position // of that last one
}

var errLoopEnded = errors.New("node: the shard's event loop has ended")

// read appends credits from the given number on.
func (r *outboxReader) read(ctx context.Context, number uint64, to *creditChunk) error {
	if number == r.next && r.at != 0 {
		err := r.scan(ctx, r.at, to)
		if !errors.Is(err, journal.ErrRemoved) { // that credit may have been acknowledged, and is not needed any more
			return err
		}
	}
	at, err := r.find(ctx, number)
	if err != nil {
		return err
	}
	return r.scan(ctx, at, to)
}

// scan reads the journal from a position on, up to the last credit that is durable.
func (r *outboxReader) scan(ctx context.Context, at journal.Position, to *creditChunk) error {
	last := r.s.out[r.to].issued.Load()
	return r.w.node.journal().ReadFrom(at, func(rec journal.Record) (more bool, err error) {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if int(rec.Shard) == r.s.number {
			err = r.visit(rec, to)
		}
		return err == nil && !to.full() && to.next() <= last, err
	})
}

// visit takes a record's credit if it is the next one.
func (r *outboxReader) visit(rec journal.Record, to *creditChunk) (err error) {
	if len(rec.Data) == 0 || authority.RecordKind(rec.Data[0]) != authority.RecordSettlement {
		return nil
	}
	if err := r.record.Parse(authority.Position(rec.Position), rec.Data); err != nil {
		return err
	}
	if r.record.To != r.to || r.record.Number < to.next() {
		return nil
	}
	if r.record.Number > to.next() {
		return fmt.Errorf("node: credit %d from shard %d to shard %d follows credit %d in the journal", r.record.Number,
			r.s.number, r.to, to.next()-1)
	}
	if to.bytes, err = r.record.AppendCertificate(to.bytes, r.w.node.Committee); err != nil {
		return err
	}
	to.end()
	r.next, r.at = to.next(), rec.Position
	return nil
}

// find asks the shard where a credit is, or one before it. Only its worker knows.
func (r *outboxReader) find(ctx context.Context, number uint64) (at journal.Position, err error) {
	done := make(chan struct{})
	r.w.run(&task{func() {
		var p authority.Position
		p, _, err = r.s.core.Undelivered(r.to, number-1)
		at = journal.Position(p)
		close(done)
	}})
	select {
	case <-done:
		return at, err
	case <-r.w.alive.Done():
		return 0, errLoopEnded
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
