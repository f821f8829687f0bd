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

func (d *tcpDriver) offered(now time.Duration) (due, sent int) {
	if d.open == nil {
		return 0, 0
	}
	return d.open.taken + d.open.overdue(now), d.open.taken
}
