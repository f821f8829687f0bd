package bench

import (
	"time"

	"golang.org/x/sys/unix"
)

// await waits for replies, or for the next arrival.
func (d *udpDriver) await() ([]unix.EpollEvent, error) {
	if d.open == nil || d.budget == 0 {
		return d.wait(maxStep)
	}
	return d.waitFor(d.open.await(d.now()))
}

// arrive queues the payments that are due, each in the lane that has it, and begins those that can be.
func (d *udpDriver) arrive() {
	now := d.now()
	err := d.open.begin(now, d.waiting()-max(d.budget, 0), &d.budget, func(lane int, due time.Duration) {
		d.socks[lane].arrived.add(mark{due: due})
	})
	if err != nil && d.why == nil {
		d.why = err
	}
	for _, s := range d.socks {
		d.refill(s, now)
		d.flush(s)
	}
}

func (d *udpDriver) offered(now time.Duration) (due, sent int) {
	if d.open == nil {
		return 0, 0
	}
	sent = d.open.taken
	for _, s := range d.socks {
		sent -= s.arrived.len()
	}
	return d.open.taken + d.open.overdue(now), sent
}

// mayBegin reports whether a payment of s is allowed to begin, and in an open loop is due.
func (d *udpDriver) mayBegin(s *udpSock) bool {
	if d.open != nil {
		return s.arrived.len() > 0
	}
	return d.budget != 0
}

// take counts a payment as begun, and says when it was due.
func (d *udpDriver) take(s *udpSock, now time.Duration) (due time.Duration) {
	if d.open != nil {
		due = s.arrived.first().due
		s.arrived.remove()
		d.meter.begun(now - due)
		return due
	}
	if d.budget > 0 {
		d.budget--
	}
	return now
}
