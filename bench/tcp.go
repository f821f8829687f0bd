package bench

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// tcpDriver sends what the lanes hold, each on a connection of its own: order and certificate of a payment back to back,
// or one of the two alone. One thread serves all connections by epoll. It writes straight from the lanes, one write for
// all that a read made room for, and reads the clock twice a step, so that a payment costs it little more than the copying
// of its bytes.
type tcpDriver struct {
	poller
	meter   *meter
	conns   []*tcpConn
	budget  int // payments that may still be begun; negative: unlimited
	timeout time.Duration
	checked time.Duration // when time-outs were last looked for
	why     error
	rounds  bool // orders and certificates take turns

	open  *arrivals // of an open loop; else nil
	infos *infos    // of a mixed load; else nil
}

// A connection's buffer for replies holds those to a thousand payments, less when there are very many connections, and
// always the largest message that an authority may send.
const (
	maxReadBuffer = 512 << 10
	minReadBuffer = 128 << 10
	readBuffers   = 128 << 20 // of all connections
)

// newTCPDriver connects to the shard of each of made's lanes, port base+shard of host, and splits inFlight among them.
func newTCPDriver(host string, base int, made *prepared, inFlight int, timeout time.Duration, m *meter) (*tcpDriver, error) {
	lanes := made.lanes
	p, err := newPoller(len(lanes))
	if err != nil {
		return nil, err
	}
	d := &tcpDriver{poller: p, meter: m, timeout: timeout, rounds: made.settle != nil}
	buffer := min(maxReadBuffer, max(minReadBuffer, readBuffers/len(lanes)))
	for i, l := range lanes {
		fd, err := dial(unix.SOCK_STREAM, host, base+l.shard, timeout)
		if err != nil {
			return nil, errors.Join(err, d.close())
		}
		c := &tcpConn{cursor: cursor{lane: l, limit: l.size}, index: i, fd: fd, window: share(inFlight, len(lanes), i),
			in: make([]byte, buffer)}
		if d.rounds { // certificates, of which there are none to send yet, and orders are next
			c.cursor, c.other = cursor{lane: made.settle[i]}, cursor{lane: l}
		}
		d.conns = append(d.conns, c)
		if err := d.watch(fd, i, unix.EPOLLIN); err != nil {
			return nil, errors.Join(err, d.close())
		}
	}
	return d, nil
}

// share is part i of total split into n, each at least 1.
func share(total, n, i int) int {
	part := total / n
	if i < total%n {
		part++
	}
	return max(part, 1)
}

func (d *tcpDriver) allow(n int) {
	now := d.now()
	if d.open != nil && d.budget == 0 && n != 0 {
		d.open.restart(now)
	}
	d.budget = n
	for _, c := range d.conns {
		d.refill(c, now)
	}
}

func (d *tcpDriver) waiting() int {
	n := max(d.budget, 0)
	for _, c := range d.conns {
		n += c.begun - c.done
	}
	if d.infos != nil {
		n += d.infos.owed()
	}
	return n
}

func (d *tcpDriver) ended() error { return d.why }

// turn goes on from a round of orders, one an account, to the certificates of those that were sent, or from certificates
// to the next round of orders. Nothing may be in flight.
func (d *tcpDriver) turn(settle bool) {
	for _, c := range d.conns {
		c.cursor, c.other = c.other, c.cursor
		if settle {
			c.limit = c.other.begun
		} else {
			c.limit = min(c.begun+len(c.lane.accounts), c.lane.size)
		}
	}
}

// idle reports that nothing is in flight, and nothing may be begun before the next turn.
func (d *tcpDriver) idle() bool {
	for _, c := range d.conns {
		if c.begun > c.done || !c.closed && d.budget != 0 && c.begun < c.limit {
			return false
		}
	}
	return true
}

func (d *tcpDriver) step() error {
	events, err := d.await()
	if err != nil {
		return err
	}
	woken := d.now()
	answers := d.meter.answers
	for _, e := range events {
		if int(e.Fd) >= len(d.conns) {
			d.infos.ready(d, int(e.Fd)-len(d.conns), woken)
			continue
		}
		c := d.conns[e.Fd]
		if e.Events&(unix.EPOLLIN|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
			d.read(c, woken)
		}
		d.refill(c, woken)
	}
	if d.open != nil {
		d.arrive()
	}
	if d.infos != nil {
		d.infos.ask(d, d.meter.confirmed, woken)
	}
	if d.meter.measuring && d.meter.answers > answers {
		d.meter.notFull += d.now() - woken
	}
	if woken-d.checked > d.timeout/8 {
		d.checked = woken
		d.checkTimeouts(woken)
	}
	return nil
}

func (d *tcpDriver) checkTimeouts(now time.Duration) {
	for _, c := range d.conns {
		if c.begun > c.done && now-c.active > d.timeout {
			d.drop(c, errSilent)
		}
	}
}

// drop gives up a connection; what it has in flight is lost.
func (d *tcpDriver) drop(c *tcpConn, why error) {
	if c.closed {
		return
	}
	c.closed = true
	_ = unix.Close(c.fd)
	d.meter.lost += c.begun - c.done
	c.begun = c.done
	d.budget = 0
	d.why = why
}

// read takes what has arrived.
func (d *tcpDriver) read(c *tcpConn, now time.Duration) {
	for !c.closed {
		n, err := unix.Read(c.fd, c.in[c.have:])
		if err == unix.EINTR {
			continue
		}
		if err == unix.EAGAIN {
			return
		}
		if n <= 0 {
			d.drop(c, errHungUp)
			return
		}
		c.active = now
		d.meter.transferred(n)
		full := n == len(c.in)-c.have
		c.have += n
		used, ok := d.replies(c, c.in[:c.have], now)
		if !ok {
			d.drop(c, errNonsense)
			return
		}
		c.have = copy(c.in, c.in[used:c.have])
		if !full {
			return
		}
	}
}

// refill begins as many payments as window, budget and lane allow, and writes them.
func (d *tcpDriver) refill(c *tcpConn, now time.Duration) {
	if c.closed {
		return
	}
	if d.open == nil {
		d.begin(c, now)
	}
	d.write(c)
}

// begin lets in what the window has room for.
func (d *tcpDriver) begin(c *tcpConn, now time.Duration) {
	n := min(c.window-(c.begun-c.done), c.limit-c.begun)
	if d.budget >= 0 {
		n = min(n, d.budget)
		d.budget -= n
	}
	if n > 0 {
		if c.begun == c.done {
			c.active = now
		}
		c.begun += n
		c.marks.add(mark{c.begun, now, now})
	}
	if d.budget < 0 && c.begun == c.lane.size && !d.rounds && d.why == nil {
		d.why = errExhausted
	}
}

func (d *tcpDriver) write(c *tcpConn) {
	limit := c.begun * c.lane.stride
	for c.sent < limit {
		n, err := unix.Write(c.fd, c.lane.frames[c.sent:limit])
		if err == unix.EINTR {
			continue
		}
		if err != nil && err != unix.EAGAIN {
			d.drop(c, errHungUp)
			return
		}
		if n > 0 {
			c.sent += n
			d.meter.transferred(n)
		}
		if c.sent < limit {
			d.setStuck(c, true)
			return
		}
	}
	d.setStuck(c, false)
}

// setStuck asks to be woken for room in the socket, while there is something to write.
func (d *tcpDriver) setStuck(c *tcpConn, stuck bool) {
	if c.stuck == stuck {
		return
	}
	c.stuck = stuck
	events := uint32(unix.EPOLLIN)
	if stuck {
		events |= unix.EPOLLOUT
	}
	d.modify(c.fd, c.index, events)
}

func (d *tcpDriver) close() error {
	if d.infos != nil {
		for _, s := range d.infos.seats {
			s.drop(0)
		}
	}
	for _, c := range d.conns {
		if !c.closed {
			c.closed = true
			_ = unix.Close(c.fd)
		}
	}
	return d.poller.close()
}
