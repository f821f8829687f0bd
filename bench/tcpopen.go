package bench

import (
	"time"

	"golang.org/x/sys/unix"
)

// await waits for replies, or for the next arrival.
func (d *tcpDriver) await() ([]unix.EpollEvent, error) {
	if d.open == nil || d.budget == 0 {
		return d.wait(maxStep)
	}
	return d.waitFor(d.open.await(d.now()))
}

// arrive begins the payments that are due, each in the lane that has it.
func (d *tcpDriver) arrive() {
	now := d.now()
	inFlight := 0
	for _, c := range d.conns {
		inFlight += c.begun - c.done
	}
	err := d.open.begin(now, inFlight, &d.budget, func(lane int, due time.Duration) {
		c := d.conns[lane]
		if c.begun == c.done {
			c.active = now
		}
		c.begun++
		c.marks.add(mark{c.begun, now, due})
		d.meter.begun(now - due)
	})
	if err != nil && d.why == nil {
		d.why = err
	}
	for _, c := range d.conns {
		if !c.closed && !c.stuck && c.sent < c.begun*c.lane.stride {
			d.write(c)
		}
	}
}

// forget takes back the payments that were begun last, as far as no byte of them was written, and returns how many: their
// payers lost patience before they could say anything. They are due again later.
func (d *tcpDriver) forget() (forgotten int) {
	for a := d.open; a.taken > 0; forgotten++ {
		c := d.conns[a.laneOf[(a.taken-1)%len(a.laneOf)]]
		if c.begun == c.done || c.sent > (c.begun-1)*c.lane.stride {
			break
		}
		a.taken--
		c.begun--
		c.marks.removeLast()
	}
	return forgotten
}

// backlog is where the payments are that are begun and not confirmed.
func (d *tcpDriver) backlog() (b Backlog) {
	for _, c := range d.conns {
		written := (c.sent + c.lane.stride - 1) / c.lane.stride // begun to be
		b.InFlight += c.begun - c.done
		b.Unsent += c.begun - written
		if n, err := unix.IoctlGetInt(c.fd, unix.SIOCOUTQ); err == nil { // else it is with the rest
			b.Sending += min(n/c.lane.stride, written-c.done)
		}
	}
	return b
}

// Backlog is where payments are that were begun and are not confirmed: Unsent ones with their payers, Sending ones in the
// sockets of these; the rest are in the sockets of the authority, or it works on them.
type Backlog struct {
	InFlight int `json:"in_flight"`
	Unsent   int `json:"unsent"`
	Sending  int `json:"sending"`
}

func (d *tcpDriver) offered(now time.Duration) (due, sent int) {
	if d.open == nil {
		return 0, 0
	}
	return d.open.taken + d.open.overdue(now), d.open.taken
}
