package bench

import (
	"encoding/binary"
	"time"
)

// tcpConn is a connection to one shard. Replies come in the order of requests, so its state is positions in its lane.
type tcpConn struct {
	cursor
	other  cursor // in the lane that takes turns with this one
	index  int    // of the connection
	fd     int
	window int  // payments in flight at most
	voted  bool // the reply to the order of payment done was read, that to its certificate is next
	failed bool // ... and it was not the expected one
	closed bool
	stuck  bool // the last write was short: waiting for room in the socket

	in     []byte // received bytes
	have   int    // of in
	marks  marks
	active time.Duration
}

// cursor is how far a connection has come in a lane.
type cursor struct {
	lane  *lane
	limit int // payments that may be begun
	begun int // payments that the window has let in: bytes below begun*stride may be written
	sent  int // bytes of the lane that were written
	done  int // payments all of whose replies were read
}

// replies checks the complete frames in b and returns how many bytes they are; ok is false when the stream makes no sense.
func (d *tcpDriver) replies(c *tcpConn, b []byte, now time.Duration) (used int, ok bool) {
	l := c.lane
	orders, confirmed := 0, 0 // good ones since the last mark
	var sent *mark            // of payment done
	if c.done < c.begun {
		sent = c.marks.first()
	}
	for len(b)-used >= header {
		size := int(binary.LittleEndian.Uint32(b[used:])) + header
		if size > len(c.in) || c.done == c.begun {
			return used, false
		}
		if len(b)-used < size {
			break
		}
		message := b[used+header : used+size]
		used += size
		if l.holds != certificatesOnly && !c.voted {
			if c.failed = !l.isOrderReply(c.done, message); c.failed {
				d.meter.refuse("order", message)
			} else {
				orders++
			}
			if l.holds == both {
				c.voted = true
				continue
			}
		} else if !l.isConfirmReply(c.done, message) {
			d.meter.refuse("certificate", message)
		} else if !c.failed {
			confirmed++
		}
		c.voted, c.failed = false, false
		c.done++
		if c.done == sent.end {
			d.answered(now, sent, orders, confirmed)
			orders, confirmed = 0, 0
			if c.marks.remove(); c.done < c.begun {
				sent = c.marks.first()
			}
		}
	}
	if orders+confirmed > 0 {
		d.answered(now, sent, orders, confirmed)
	}
	return used, true
}

func (d *tcpDriver) answered(now time.Duration, m *mark, orders, confirmed int) {
	d.meter.answered(now, now-m.due, orders, confirmed)
	if d.open != nil {
		d.meter.served(now-m.at, orders, confirmed)
	}
}
