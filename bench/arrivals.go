package bench

import "time"

// arrivals is an open loop: when payments are due, and in which lane each is. All lanes together hold the payments round
// by round, in the order of the accounts, so that all run out at the same time.
type arrivals struct {
	*schedule
	full   bool    // what is due waits for room in the window
	window int     // payments in flight at most; those that are due then wait, and are not sent in time
	laneOf []int32 // by account
	total  int     // payments that were prepared
}

func newArrivals(o *Options, made *prepared) *arrivals {
	a := &arrivals{schedule: newSchedule(o.Rate, o.Arrival, o.Seed), window: o.MaxInFlight,
		laneOf: make([]int32, len(made.accounts)), total: made.total}
	for i, l := range made.lanes {
		for _, account := range l.accounts {
			a.laneOf[account] = int32(i)
		}
	}
	return a
}

// await is how long a driver may sleep at now: until the next payment is due, unless replies must come first.
func (a *arrivals) await(now time.Duration) time.Duration {
	if a.full {
		return maxStep
	}
	return a.wait(now)
}

// lane is that of the next payment; ok is false when all were taken.
func (a *arrivals) lane() (lane int, ok bool) {
	if a.taken == a.total {
		return 0, false
	}
	return int(a.laneOf[a.taken%len(a.laneOf)]), true
}

// begin calls start for each payment that is due at now and has room, in the lane that has it, while so many are in flight, and
// takes it from the budget. It returns errExhausted when one is due and none is left.
func (a *arrivals) begin(now time.Duration, inFlight int, budget *int, start func(lane int, due time.Duration)) error {
	for a.full = false; *budget != 0 && a.next <= now; inFlight++ {
		if a.full = inFlight >= a.window; a.full {
			return nil
		}
		lane, ok := a.lane()
		if !ok {
			a.full = true
			return errExhausted
		}
		start(lane, a.take())
		if *budget > 0 {
			*budget--
		}
	}
	return nil
}
