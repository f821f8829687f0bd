package bench

import (
	"context"
	"errors"
)

// roundDriver is a driver that sends a round of orders, one an account, and their certificates in turn.
type roundDriver interface {
	driver
	turn(settle bool)
	idle() bool
}

// rounds measures orders alone: only the orders of its rounds are in the window.
type rounds struct {
	ctx context.Context
	d   roundDriver
	m   *meter
	p   plan
	h   hooks
}

// driveOrders runs rounds until the warm-up, then until the window is over, and settles the last. Nothing is in flight
// when the window begins, pauses or resumes.
func driveOrders(ctx context.Context, d roundDriver, m *meter, p plan, h hooks) (stopped, err error) {
	r := &rounds{ctx, d, m, p, h}
	if stopped, err = r.warmUp(); stopped != nil || err != nil {
		return stopped, err
	}
	if err := h.begin(); err != nil {
		return nil, err
	}
	beginWindow(d, m)
	stopped, err = r.window()
	endWindow(d, m)
	if err := errors.Join(err, h.end()); stopped != nil || err != nil {
		return stopped, err
	}
	return r.settle()
}

func (r *rounds) warmUp() (stopped, err error) {
	left := r.p.warmUpPayments
	warm := newSteadiness(r.p.warmUp)
	over := func() bool { return r.p.payments == 0 && warm.over(r.d.now(), r.m) }
	for !over() && (r.p.payments == 0 || left > 0) {
		if left, stopped, err = r.orders(left, over); stopped == nil && err == nil {
			stopped, err = r.settle()
		}
		if stopped != nil || err != nil {
			return stopped, err
		}
	}
	return nil, nil
}

// window ends paused, its last round not settled.
func (r *rounds) window() (stopped, err error) {
	left := r.p.payments
	over := func() bool { return r.p.payments == 0 && r.m.elapsed(r.d.now()) >= r.p.window }
	for {
		left, stopped, err = r.orders(left, over)
		enough := over() || r.p.payments > 0 && left == 0
		r.m.pause(r.d.now())
		if stopped != nil || err != nil || enough {
			return stopped, err
		}
		if err := r.h.pause(); err != nil {
			return nil, err
		}
		if stopped, err = r.settle(); stopped != nil || err != nil {
			return stopped, err
		}
		if err := r.h.resume(); err != nil {
			return nil, err
		}
		r.m.resume(r.d.now())
	}
}

// orders sends a round, or until over; of the plan's number at most n, of which left remain.
func (r *rounds) orders(n int, over func() bool) (left int, stopped, err error) {
	r.d.turn(false)
	if r.p.payments == 0 {
		n = -1
	}
	answers := r.m.answers
	r.d.allow(n)
	if r.d.idle() && r.m.answers == answers {
		return n, errExhausted, nil
	}
	stopped, err = stepUntil(r.ctx, r.d, r.m, func() bool { return r.d.idle() || over() })
	if n < 0 {
		return 0, stopped, err
	}
	return r.d.waiting(), stopped, err // not begun: when nothing stopped it, none is in flight
}

// settle awaits the votes that are still due, and sends the certificates of all orders of the round.
func (r *rounds) settle() (stopped, err error) {
	r.d.allow(0)
	if stopped, err = stepUntil(r.ctx, r.d, r.m, r.d.idle); stopped != nil || err != nil {
		return stopped, err
	}
	r.d.turn(true)
	r.d.allow(-1)
	return stepUntil(r.ctx, r.d, r.m, r.d.idle)
}
