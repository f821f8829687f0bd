package bench

import (
	"context"
	"fmt"
	"time"
)

// AttackOverload is an open loop all the time. With a rate far beyond any authority's and a bound of what is in flight it is
// the same as a closed loop, which gives the peak. Turns of that and of three times its rate alternate, then half of the
// peak comes. What was due and not begun is forgotten whenever the rate changes.
//
// Payments that were begun under overload are far more than sockets hold: most of them are still with the generator when it
// ends, and how long they take says nothing about the authority but its rate. So the latency has to come back twice: with
// payers who give up what they could not even begin to send, so that only the authority and the kernel have something left
// to do, which is judged; and with payers who wait for all of it.
const (
	overloadTimes    = 3
	recoveryShare    = 0.5
	recoveryTurns    = 3 // one of half the peak, to know its latency, and two more overloads than pairs need
	recoverySlice    = 100 * time.Millisecond
	recoveryFactor   = 2 // the latency is back when its p99 is below so many times that before, and recoveryMargin
	recoveryMarginUs = 1000
	recoveryInARow   = 3 // slices
	recoveryLimit    = 2 * time.Second
	recoveryMost     = 5 * recoveryLimit // is waited for
	overloadInFlight = OpenInFlight
)

// OverloadRow is what only AttackOverload measures.
type OverloadRow struct {
	PeakPerSec     float64    `json:"peak_per_second"`
	OfferedPerSec  float64    `json:"offered_per_second"` // median over the turns
	Half           AttackTurn `json:"half"`               // of the peak, before the overload
	RecoverSeconds float64    `json:"recover_seconds"`    // Impatient's

	Impatient *Recovery `json:"impatient,omitempty"` // payers give up what they had not begun to send
	Patient   *Recovery `json:"patient,omitempty"`   // they wait for all of it
}

// Recovery is what came after an overload, with half of the peak.
type Recovery struct {
	Seconds float64         `json:"seconds"`        // until the latency was back; negative: it was not
	Waited  float64         `json:"waited_seconds"` // until that was known
	Left    Backlog         `json:"left"`           // when the overload ended
	GivenUp int             `json:"given_up"`
	Slices  []RecoverySlice `json:"slices"` // in order, until it was
}

// RecoverySlice is a moment of it, and what was left at its end.
type RecoverySlice struct {
	AttackTurn
	Left Backlog `json:"left"`
}

// overload makes the driver's loop an open one.
func (b *besieged) overload() {
	o := b.Options
	o.Rate = maxRate
	b.d.open = newArrivals(&o, b.made)
	b.d.meter.opened()
}

// at changes the rate, and what may be in flight.
func (b *besieged) at(perSecond float64, inFlight int) {
	a := b.d.open
	a.mean, a.window = float64(time.Second)/perSecond, inFlight
	a.restart(b.d.now())
}

func (b *besieged) overloadTurns(ctx context.Context) error {
	row := &OverloadRow{}
	b.row.Overload = row
	first, err := b.settled(ctx)
	if err != nil {
		return err
	}
	row.PeakPerSec = first.PerSec
	b.at(recoveryShare*row.PeakPerSec, overloadInFlight)
	if row.Half, err = b.settled(ctx); err != nil {
		return err
	}
	var offered []float64
	for pair := range b.Pairs {
		if err := b.calm(ctx); err != nil {
			return err
		}
		without, err := b.settled(ctx)
		if err != nil {
			return err
		}
		if pair == 0 {
			b.row.PeakWithout = b.marked.PeakRSS
		}
		rate := overloadTimes * without.PerSec
		b.at(rate, overloadInFlight)
		with, err := b.settled(ctx)
		if err != nil {
			return err
		}
		offered = append(offered, rate)
		b.row.Pairs = append(b.row.Pairs, AttackPair{without, with})
	}
	row.OfferedPerSec = median(offered)
	row.PeakPerSec = b.row.perSec(func(p AttackPair) AttackTurn { return p.Without })
	if row.Impatient, err = b.recover(ctx, true); err != nil {
		return err
	}
	row.RecoverSeconds = row.Impatient.Seconds
	if err := b.calm(ctx); err != nil {
		return err
	}
	b.at(row.OfferedPerSec, overloadInFlight)
	if _, err := b.settled(ctx); err != nil {
		return err
	}
	row.Patient, err = b.recover(ctx, false)
	return err
}

// calm goes back to a closed loop, and waits until no more is in flight than it allows, or nearly so.
func (b *besieged) calm(ctx context.Context) error {
	b.d.forget()
	b.at(maxRate, b.MaxInFlight)
	_, err := stepUntil(ctx, b.d, b.d.meter, func() bool { return b.d.waiting() <= 2*b.MaxInFlight })
	return err
}

// recover has half of the peak come from now on, and finds out when the latency is what it was, some slices in a row.
func (b *besieged) recover(ctx context.Context, giveUp bool) (*Recovery, error) {
	o := b.row.Overload
	r := &Recovery{Seconds: -1, Left: b.d.backlog()}
	if giveUp {
		r.GivenUp = b.d.forget()
	}
	b.at(recoveryShare*o.PeakPerSec, overloadInFlight)
	began, good := b.d.now(), 0
	for b.d.now()-began < recoveryMost {
		ended := b.d.now() - began // the slices so far
		s, err := b.turn(ctx, recoverySlice)
		if err != nil {
			return nil, err
		}
		r.Slices, r.Waited = append(r.Slices, RecoverySlice{s, b.d.backlog()}), (b.d.now() - began).Seconds()
		if s.PerSec == 0 || s.P99Us > recoveryFactor*o.Half.P99Us+recoveryMarginUs {
			good = 0
			continue
		}
		if good == 0 {
			r.Seconds = ended.Seconds()
		}
		if good++; good == recoveryInARow {
			return r, nil
		}
	}
	r.Seconds = -1
	return r, nil
}

// String says when the latency was back; r may be nil, of results that lack it.
func (r *Recovery) String() string {
	switch {
	case r == nil:
		return "at a time that is not known"
	case r.Seconds < 0:
		return fmt.Sprintf("not within %.0f s", r.Waited)
	}
	return fmt.Sprintf("after %.1f s", r.Seconds)
}
