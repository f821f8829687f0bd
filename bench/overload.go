package bench

import (
	"context"
	"time"
)

// AttackOverload is an open loop all the time, in which what could not be sent is forgotten when the rate changes: payers gave
// up. With a rate far beyond any authority's and a bound of what is in flight it is the same as a closed loop, which gives
// the peak. Turns of that and of three times its rate alternate, then half of it comes.
const (
	overloadTimes    = 3
	recoveryShare    = 0.5
	recoveryTurns    = 2 // of half the peak: before, to know its latency, and after
	recoverySlice    = 100 * time.Millisecond
	recoveryFactor   = 2 // the latency is back when its p99 is below so many times that before, and recoveryMargin
	recoveryMarginUs = 1000
	recoveryInARow   = 3 // slices
	recoveryLimit    = 2 * time.Second
	overloadInFlight = OpenInFlight
)

// OverloadRow is what only AttackOverload measures.
type OverloadRow struct {
	PeakPerSec     float64    `json:"peak_per_second"`
	OfferedPerSec  float64    `json:"offered_per_second"` // median over the turns
	Half           AttackTurn `json:"half"`               // of the peak, before the overload
	RecoverSeconds float64    `json:"recover_seconds"`    // after the last overload, with half of the peak; negative: not within the turn
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
		b.at(maxRate, b.MaxInFlight)
		if _, err := stepUntil(ctx, b.d, b.d.meter, func() bool { return b.d.waiting() <= 2*b.MaxInFlight }); err != nil {
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
	b.at(recoveryShare*row.PeakPerSec, overloadInFlight)
	row.RecoverSeconds, err = b.recover(ctx, row.Half.P99Us)
	return err
}

// recover is the time from now until the latency is what it was, some slices in a row.
func (b *besieged) recover(ctx context.Context, before int64) (seconds float64, err error) {
	began := b.d.now()
	good := 0
	for b.d.now()-began < max(b.Turn, 2*recoveryLimit) {
		s, err := b.turn(ctx, recoverySlice)
		if err != nil {
			return 0, err
		}
		if s.PerSec > 0 && s.P99Us <= recoveryFactor*before+recoveryMarginUs {
			if good++; good == recoveryInARow {
				return (b.d.now() - began - recoveryInARow*recoverySlice).Seconds(), nil
			}
		} else {
			good = 0
		}
	}
	return -1, nil
}
