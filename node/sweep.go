package node

import (
	"slices"
	"time"
)

// sweep enforces the time-outs and the memory bound; once a second.
func (w *worker) sweep() {
	w.now = time.Now()
	var next *conn
	for c := w.conns.first; c != nil; c = next {
		next = c.next
		queued := c.sock.OutboundBuffered()
		if queued < c.unread {
			c.lastTaken = w.now
		}
		c.unread = queued
		if c.partial() && w.now.Sub(c.partialSince) > w.node.limits.partialFrame ||
			w.now.Sub(c.lastRead) > w.node.limits.idle && w.now.Sub(c.lastTaken) > w.node.limits.idle {
			w.stats.timeouts.Add(1)
			c.close()
		}
	}
	w.boundQueued()
	w.retryHeld()
	w.acknowledge()
	w.countCapped()
	w.publishSizes()
}

// countCapped publishes how many credits were cut, and tells about new ones: money was lost, although only in numbers that
// initial accounts within their bound can't reach.
func (w *worker) countCapped() {
	capped := uint64(0)
	for _, s := range w.shards {
		capped += s.core.Stats().CappedCredits
	}
	if w.stats.cappedCredits.Swap(capped) < capped {
		w.node.log.Error("credits were cut at the largest balance", "credits", capped)
	}
}

// boundQueued counts what connections have not taken, and closes the largest if it is too much.
func (w *worker) boundQueued() {
	w.queued = w.shed(w.queueMax, (*conn).queuedBytes)
}

// shed bounds the sum of a size over all connections: beyond most it closes the largest, down to three quarters of that,
// so that the next count is not due at once. It returns what is left.
func (w *worker) shed(most int, size func(*conn) int) (total int) {
	for c := w.conns.first; c != nil; c = c.next {
		total += size(c)
	}
	if total <= most {
		return total
	}
	var all []*conn
	for c := w.conns.first; c != nil; c = c.next {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *conn) int { return size(b) - size(a) })
	for i := 0; i < len(all) && total > most/4*3; i++ {
		total -= size(all[i])
		w.closeSlow(all[i])
	}
	return total
}

func (w *worker) closeSlow(c *conn) {
	w.stats.slowReaders.Add(1)
	c.close()
}
