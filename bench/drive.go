package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// driver keeps a window of payments full on the lanes of one authority. It belongs to one goroutine, locked to its thread.
type driver interface {
	// step waits for replies, at most maxStep, handles all that are there and sends what they make room for. The error is
	// about this machine; an authority that hangs up or falls silent is counted in the meter, and ended tells.
	step() error
	// allow lets n more payments begin; unlimited when negative, no more when zero.
	allow(n int)
	// waiting is how many payments may still be begun under a limit, or are in flight.
	waiting() int
	// offered is how many payments were due by now in an open loop, and how many of them were begun; else none.
	offered(now time.Duration) (due, sent int)
	// ended tells why no more payments can be begun: nil while all lanes go on.
	ended() error
	now() time.Duration
	close() error
}

// Why a driver ends before it is told to.
var (
	errExhausted = errors.New("the prepared payments ran out")
	errRefusing  = errors.New("the authority rejects everything")
	errSilent    = errors.New("the authority did not answer in time")
	errNonsense  = errors.New("the authority sent what is no reply")
	errHungUp    = errors.New("the authority closed a connection")
)

const (
	// maxStep bounds the wait of a step, so that ends and time-outs are noticed.
	maxStep = 5 * time.Millisecond
	// hopeless is how many rejections, with nothing accepted, end a run early.
	hopeless = 2000
)

// plan is the course of a run: a warm-up, then a window, each by time or, for an exact number of payments, by count.
type plan struct {
	warmUp         time.Duration
	window         time.Duration
	warmUpPayments int
	payments       int // 0: by time
	phase          Phase
	whole          bool // the warm-up has its full length: other generators begin their windows at the same time
}

// String tells what will be measured.
func (p plan) String() string {
	if p.payments > 0 {
		return fmt.Sprintf("%s %s after %s of warm-up", grouped(p.payments), units[p.phase].many, grouped(p.warmUpPayments))
	}
	return fmt.Sprintf("for %v after at most %v of warm-up", p.window, p.warmUp)
}

// hooks are called around the window, from another goroutine than the driver's, while load goes on. Each must return
// before the run goes on. What is between pause and resume is not measured.
type hooks struct {
	begin  func() error
	pause  func() error
	resume func() error
	end    func() error
}

// drive runs p on d. An early end is returned as stopped, and is a fact about the run; err is a failure to measure.
func drive(ctx context.Context, d driver, m *meter, p plan, h hooks) (stopped, err error) {
	switch {
	case p.phase == Orders:
		stopped, err = driveOrders(ctx, d.(roundDriver), m, p, h)
	case p.payments > 0:
		stopped, err = driveCount(ctx, d, m, p, h)
	default:
		stopped, err = driveTime(ctx, d, m, p, h)
	}
	if err != nil {
		return stopped, err
	}
	d.allow(0)
	for d.waiting() > 0 {
		if err := d.step(); err != nil {
			return stopped, err
		}
	}
	return stopped, nil
}

// driveTime begins and ends the window under load.
func driveTime(ctx context.Context, d driver, m *meter, p plan, h hooks) (stopped, err error) {
	d.allow(-1)
	warm := newSteadiness(p.warmUp)
	warm.whole = p.whole
	if stopped, err = stepUntil(ctx, d, m, func() bool { return warm.over(d.now(), m) }); stopped != nil || err != nil {
		return stopped, err
	}
	if err := stepDuring(d, h.begin); err != nil {
		return nil, err
	}
	beginWindow(d, m)
	stopped, err = stepUntil(ctx, d, m, func() bool { return d.now()-m.began >= p.window })
	endWindow(d, m)
	return stopped, errors.Join(err, stepDuring(d, h.end))
}

func beginWindow(d driver, m *meter) {
	now := d.now()
	due, sent := d.offered(now)
	m.begin(now)
	m.due, m.sent = -due, -sent
}

func endWindow(d driver, m *meter) {
	now := d.now()
	due, sent := d.offered(now)
	m.end(now)
	m.due += due
	m.sent += sent
}

// driveCount empties the window before the measurement, so that exactly p.payments are begun and confirmed in it.
func driveCount(ctx context.Context, d driver, m *meter, p plan, h hooks) (stopped, err error) {
	d.allow(p.warmUpPayments)
	empty := func() bool { return d.waiting() == 0 }
	if stopped, err = stepUntil(ctx, d, m, empty); stopped != nil || err != nil {
		return stopped, err
	}
	if err := h.begin(); err != nil {
		return nil, err
	}
	beginWindow(d, m)
	d.allow(p.payments)
	stopped, err = stepUntil(ctx, d, m, empty)
	endWindow(d, m)
	return stopped, errors.Join(err, h.end())
}

// stepUntil steps until done, ctx's end, or the driver's.
func stepUntil(ctx context.Context, d driver, m *meter, done func() bool) (stopped, err error) {
	for !done() {
		if err := d.step(); err != nil {
			return nil, err
		}
		m.live.tick(d, m)
		if ctx.Err() != nil {
			return ctx.Err(), nil
		}
		if m.rejected >= hopeless && m.confirmed == 0 {
			return errRefusing, nil
		}
		if err := d.ended(); err != nil && (err != errExhausted || !done()) {
			return err, nil
		}
	}
	return nil, nil
}

// stepDuring keeps the load up while f runs elsewhere.
func stepDuring(d driver, f func() error) error {
	finished := make(chan error, 1)
	go func() { finished <- f() }()
	for {
		select {
		case err := <-finished:
			return err
		default:
			if err := d.step(); err != nil {
				return errors.Join(err, <-finished)
			}
		}
	}
}
