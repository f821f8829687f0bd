package node

import (
	"encoding/binary"
	"fmt"
	"runtime"

	"github.com/panjf2000/gnet/v2"

	"fastpay/codec"
	"fastpay/node/authority"
	"fastpay/node/committee"
)

// inbox is the queue of credits from another worker of this process.
type inbox struct {
	ring *ring
	pos  uint64
}

// maxCertificateBytes bounds a certificate that passed CheckShape: each member voted at most once.
func (n *Node) maxCertificateBytes() int {
	return codec.MaxCertificateSize(n.Committee.Len())
}

// A credit on its way between workers has both shards in the ring's tag and its number in the ring's. With a journal it
// is where its settlement is there, u64, amount, u64, and recipient: with the ring's header one cache line of 64 bytes.
// Without one it is its certificate, for a ring in memory forgets the settlement.
const settledCreditSize = 8 + 8 + 32

// credit is on its way from one shard to another.
type credit struct {
	from, to int
	number   uint64

	// Of one between shards of a process that has a journal.
	at        authority.Position // of its settlement
	amount    uint64
	recipient codec.Address

	cert codec.Certificate // of all others
}

// tag names the two shards in a ring.
func (c *credit) tag() uint32 { return uint32(c.from)<<16 | uint32(c.to) }

// append appends what is in a ring.
func (c *credit) append(dst []byte) []byte {
	if c.at == 0 {
		return append(dst, c.cert.Bytes()...)
	}
	dst = binary.LittleEndian.AppendUint64(dst, uint64(c.at))
	dst = binary.LittleEndian.AppendUint64(dst, c.amount)
	return append(dst, c.recipient[:]...)
}

// parseCredit reads what append wrote, in a process with a journal or without one.
func parseCredit(tag uint32, number uint64, b []byte, journal bool) (c credit, err error) {
	c.from, c.to, c.number = int(tag>>16), int(tag&0xffff), number
	if !journal {
		c.cert, err = codec.ParseCertificate(b)
		return c, err
	}
	if len(b) != settledCreditSize {
		return c, fmt.Errorf("node: a credit of %d bytes, expected %d", len(b), settledCreditSize)
	}
	c.at = authority.Position(binary.LittleEndian.Uint64(b))
	c.amount = binary.LittleEndian.Uint64(b[8:])
	c.recipient = codec.Address(b[16:])
	return c, nil
}

// apply gives the credit to its shard, which is of this worker.
func (w *worker) applyCredit(c *credit) error {
	core := w.local[c.to].core
	if c.at == 0 {
		return core.Credit(c.from, c.number, 0, c.cert)
	}
	return core.CreditSettled(c.from, c.number, c.at, &c.recipient, c.amount)
}

// creditBytes is what the credit of a certificate takes in another worker's queue.
func (n *Node) creditBytes(c codec.Certificate) int {
	if n.keeps() {
		return settledCreditSize
	}
	return len(c.Bytes())
}

// connectShards makes the queues to where this worker's credits can go. Before any worker runs.
func (w *worker) connectShards() {
	n := w.node
	w.owed = make([]bool, len(n.workers))
	for range n.workers {
		w.inbox = append(w.inbox, &inbox{ring: newRing(n.limits.creditRing, n.maxCertificateBytes())})
	}
}

// reserveCredit makes sure that the credit of a certificate has a place to wait, before the debit is applied: in another
// worker's queue; for another process the journal is the queue. It reports false when the node ends.
func (b *batch) reserveCredit(r *request) bool {
	w := b.w
	to := b.recipientShard(r.cert.Order())
	if to < 0 || w.local[to] != nil {
		return true // here: the batch itself is the queue
	}
	if target := w.node.byShard[to]; target != nil {
		return w.reserveRing(target, w.node.creditBytes(r.cert))
	}
	return true
}

// reserveRing waits for room in another worker's inbox. Meanwhile this worker takes its own credits in: they cause no
// further ones, so two workers that flood each other both get on. It reports false when the other worker has ended and
// will make no room any more.
func (w *worker) reserveRing(target *worker, size int) bool {
	r := target.inbox[w.index].ring
	for !r.reserve(size) {
		if target.alive.Err() != nil || w.node.hasFailed() {
			return false
		}
		w.release() // what is durable by now may hold room in that inbox
		w.takeCredits()
		runtime.Gosched()
	}
	return true
}

// recipientShard is where a certificate's credit goes, or -1 when it goes nowhere.
func (b *batch) recipientShard(o codec.Order) int {
	if o.RecipientKind() != codec.FastPay {
		return -1
	}
	return committee.ShardOf(o.Recipient(), b.w.node.Member.NumShards)
}

// settleCredit keeps the credit for release, or gives its reservation back when the certificate caused none.
func (b *batch) settleCredit(r *request, out *authority.Outcome) {
	if out.CreditTo >= 0 {
		c := credit{from: r.shard.number, to: out.CreditTo, number: out.CreditNumber}
		switch outside := b.w.node.byShard[out.CreditTo] == nil; {
		case outside || !b.w.node.keeps():
			c.cert, b.outside = r.cert, b.outside || outside
		default:
			o := r.cert.Order()
			c.at, c.amount, c.recipient = out.At, o.Amount(), *o.Recipient()
		}
		b.credits = append(b.credits, c)
		return
	}
	w := b.w
	to := b.recipientShard(r.cert.Order())
	if to < 0 || w.local[to] != nil {
		return
	}
	if target := w.node.byShard[to]; target != nil {
		target.inbox[w.index].ring.cancel(w.node.creditBytes(r.cert))
	}
}

// keepsFrames reports whether credits of the batch have certificates, which are views of its arena.
func (b *batch) keepsFrames() bool {
	return len(b.credits) > 0 && (b.outside || !b.w.node.keeps())
}

// sendCredits hands a durable batch's credits to their shards.
func (w *worker) sendCredits(b *batch) {
	for i := range b.credits {
		c := &b.credits[i]
		switch target := w.node.byShard[c.to]; {
		case target == w:
			if err := w.applyCredit(c); err != nil {
				w.node.fail(err) // the two shards no longer agree on what was paid
				return
			}
			w.flushIfLarge()
		case target != nil:
			w.creditRecord = c.append(w.creditRecord[:0])
			target.inbox[w.index].ring.push(c.tag(), c.number, w.creditRecord)
			w.owed[target.index] = true
		default:
			w.sendOutside(c)
		}
	}
	w.announceLinks()
	for i, owed := range w.owed {
		if owed {
			w.owed[i] = false
			w.node.workers[i].announceCredits()
		}
	}
}

// announceCredits wakes the worker, once for all credits until it looks. From any thread. A worker whose loop has not
// begun yet looks when it does.
func (w *worker) announceCredits() {
	if w.wakeup.CompareAndSwap(false, true) {
		w.run(&w.takePosted)
	}
}

func (w *worker) takePostedCredits() {
	w.wakeup.Store(false)
	w.takeCredits()
	if len(w.batch.arrived) > 0 {
		w.postDrain() // siblings wait until it is durable
	}
}

// takeCredits applies what other workers and processes sent.
func (w *worker) takeCredits() {
	for _, in := range w.inbox {
		for {
			tag, number, record, after, ok := in.ring.next(in.pos)
			if !ok {
				break
			}
			c, err := parseCredit(tag, number, record, w.node.keeps())
			if err == nil {
				err = w.applyCredit(&c)
			}
			if err != nil {
				w.node.fail(err) // these bytes were checked, and numbered, before they were queued
				return
			}
			in.pos = after
			w.stats.credits.Add(1)
			w.flushIfLarge()
		}
		in.ring.release(in.pos)
	}
	w.takeOutside()
}

// creditsDelivered reports, from any thread, whether all credits of other workers have reached this one.
func (w *worker) creditsDelivered() bool {
	for _, in := range w.inbox {
		if !in.ring.empty() {
			return false
		}
	}
	return true
}

// mayGoOn reports whether there is room now for what connections wait for.
func (w *worker) mayGoOn() bool { return w.library.pending <= w.node.limits.fetches/2 }

// retryHeld lets connections go on that waited for certificates to be read, as long as there is room for more of them.
func (w *worker) retryHeld() {
	var next *conn
	for c := w.conns.first; c != nil && w.holders.Load() > 0; c = next {
		next = c.next
		if !c.holding || !w.mayGoOn() {
			continue
		}
		data := c.held
		c.stopHolding(w)
		if c.receive(w, data) != gnet.None {
			c.close()
		}
		w.countKept(c)
		if next != nil && next.closed {
			return // writing closed it; the next sweep looks again
		}
	}
}
