package bench

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"fastpay/codec"
	"fastpay/node/committee"
)

func TestArrivalNames(t *testing.T) {
	for i, name := range ArrivalNames() {
		if a, err := ParseArrival(name); err != nil || a != Arrival(i) || a.String() != name {
			t.Errorf("%q is %v, %v", name, a, err)
		}
	}
	if _, err := ParseArrival("bursts"); err == nil {
		t.Error("an unknown name is taken")
	}
}

func TestConstantArrivalsVsDivision(t *testing.T) {
	for _, rate := range []float64{0.5, 1, 3, 999, 1e6, 7e7} {
		s := newSchedule(rate, Constant, 1)
		const start = 5 * time.Second
		s.restart(start)
		for i := range 1000 {
			want := start + time.Duration(float64(i)*(1e9/rate))
			if got := s.take(); got != want {
				t.Fatalf("rate %v: arrival %d is due at %v, want %v", rate, i, got, want)
			}
		}
	}
}

// TestPoissonArrivals compares mean and variance of the times between arrivals with those of the exponential
// distribution, and the arrivals with those of the same seed.
func TestPoissonArrivals(t *testing.T) {
	const rate, n = 1000.0, 100_000
	a, again := newSchedule(rate, Poisson, 3), newSchedule(rate, Poisson, 3)
	a.restart(0)
	again.restart(0)
	last, sum, squares := time.Duration(0), 0.0, 0.0
	for range n {
		due := a.take()
		if due < last || due != again.take() {
			t.Fatal("arrivals are not in order, or not those of the seed")
		}
		gap := (due - last).Seconds() * rate
		sum, squares, last = sum+gap, squares+gap*gap, due
	}
	mean := sum / n
	variance := squares/n - mean*mean
	if math.Abs(mean-1) > 0.02 || math.Abs(variance-1) > 0.05 {
		t.Errorf("gaps have mean %.3f and variance %.3f of the mean's square, want 1 and 1", mean, variance)
	}
}

func TestOverdueVsTaking(t *testing.T) {
	for a := range numArrivals {
		s := newSchedule(1e5, a, 9)
		s.restart(time.Second)
		for _, now := range []time.Duration{0, time.Second, 1010 * time.Millisecond, 1010 * time.Millisecond, 1500 * time.Millisecond} {
			want := s.overdue(now)
			if again := s.overdue(now); again != want {
				t.Errorf("%v: asking changes the answer from %d to %d", a, want, again)
			}
			before := s.taken
			for s.next <= now {
				s.take()
			}
			if got := s.taken - before; got != want {
				t.Errorf("%v: %d arrivals by %v, told %d", a, got, now, want)
			}
		}
	}
}

func TestMarksVsSlice(t *testing.T) {
	var q marks
	var want []int
	for i := range 10_000 {
		q.add(mark{end: i})
		want = append(want, i)
		for q.len() > 0 && (i%3 == 0 || i > 5000) && len(want) > i%700 {
			if got := q.first().end; got != want[0] {
				t.Fatalf("step %d: first is %d, want %d", i, got, want[0])
			}
			q.remove()
			want = want[1:]
		}
		if q.len() != len(want) {
			t.Fatalf("step %d: %d marks, want %d", i, q.len(), len(want))
		}
	}
	if cap(q.all) > 20_000 {
		t.Errorf("the queue has grown to %d", cap(q.all))
	}
}

// openWindow is the window of an open loop that is long enough unless the machine is very busy.
const openWindow = 400 * time.Millisecond

// openRun is a small run at a rate against a stub, with a window that is openWindow long or some times that.
func openRun(t *testing.T, protocol committee.Protocol, rate float64, window int, long time.Duration,
	behave func(*codec.Message, []byte) []byte) *Result {
	t.Helper()
	r, s, _ := smallRun(t, protocol, 4000*int(long/openWindow), behave)
	r.Rate, r.MaxInFlight, r.RecvTimeout = rate, window, patientTimeout
	res, err := r.against(context.Background(), s, plan{warmUp: 100 * time.Millisecond, window: long})
	if err != nil {
		t.Fatal(err)
	}
	if !res.Conserved || res.Rejected+res.Lost > 0 {
		t.Errorf("conserved %v, %d rejected, %d lost", res.Conserved, res.Rejected, res.Lost)
	}
	return res
}

// sentOrSaid checks that an open loop sent what was due, or flags that it did not: on a busy machine the generator may be
// without a core for a part of the window.
func sentOrSaid(t *testing.T, r *Result) {
	t.Helper()
	l := r.Load
	flagged := slices.Contains(r.Flags, FlagGeneratorBound)
	if l.Sent == 0 || flagged != l.late() || !flagged && l.Sent*100 < l.Due*95 {
		t.Errorf("%d of %d due were sent, flags %v", l.Sent, l.Due, r.Flags)
	}
}

func TestOpenLoopSendsAtItsRate(t *testing.T) {
	forProtocols(t, func(t *testing.T, protocol committee.Protocol) {
		res := openRun(t, protocol, 1000, OpenInFlight, openWindow, nil)
		l := res.Load
		if l.Loop != "constant" || l.AskedPerSec != 1000 || math.Abs(float64(l.Due)-1000*res.Seconds) > 3 || math.Abs(l.DuePerSec-1000) > 10 {
			t.Errorf("%+v", l)
		}
		sentOrSaid(t, res)
		if l.ServiceUs.Confirmation.P50 == nil || l.SendDelayUs.P50 == nil {
			t.Errorf("no service time or delay: %+v", l)
		}
		var text strings.Builder
		if err := res.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text.String(), "1,000/s asked for, constant") {
			t.Errorf("text:\n%s", text.String())
		}
	})
}

// TestLatencyCountsFromTheIntendedTime has an authority that stops once for 200 ms: many payments were due meanwhile, and
// each must have waited, though each that is sent late may be served fast.
func TestLatencyCountsFromTheIntendedTime(t *testing.T) {
	forProtocols(t, func(t *testing.T, protocol committee.Protocol) {
		const pause = 200 * time.Millisecond
		var p, s Percentiles
		for long := openWindow; p.P90 == nil || s.P90 == nil; long *= 2 {
			if long > 8*openWindow {
				t.Fatal("too few samples")
			}
			n := 0
			res := openRun(t, protocol, 1000, 1, long, func(_ *codec.Message, reply []byte) []byte {
				if n++; n == 250 {
					time.Sleep(pause)
				}
				return reply
			})
			p, s = res.LatencyUs.Confirmation, res.Load.ServiceUs.Confirmation
		}
		if *p.P90 < 50_000 {
			t.Errorf("p90 %d µs: a pause of %v under a rate was omitted", *p.P90, pause)
		}
		if *s.P90 > *p.P90/2 {
			t.Errorf("service time p90 %d µs beside a latency of %d µs, with one payment in flight", *s.P90, *p.P90)
		}
	})
}

func TestWindowThatIsFullSendsLess(t *testing.T) {
	forProtocols(t, func(t *testing.T, protocol committee.Protocol) {
		res := openRun(t, protocol, 6000, 1, openWindow, func(_ *codec.Message, reply []byte) []byte {
			time.Sleep(500 * time.Microsecond)
			return reply
		})
		if !res.Load.late() || !slices.Contains(res.Flags, FlagGeneratorBound) || res.Valid {
			t.Errorf("%d of %d due were sent, flags %v", res.Load.Sent, res.Load.Due, res.Flags)
		}
	})
}

func TestOverloadIsFlagged(t *testing.T) {
	forProtocols(t, func(t *testing.T, protocol committee.Protocol) {
		res := openRun(t, protocol, 1500, OpenInFlight, openWindow, func(_ *codec.Message, reply []byte) []byte {
			time.Sleep(500 * time.Microsecond)
			return reply
		})
		if protocol == committee.UDP { // an account has one payment in flight, so not all that are due can be sent
			if !slices.Contains(res.Flags, FlagGeneratorBound) {
				t.Errorf("flags %v", res.Flags)
			}
			return
		}
		if res.Load.late() || !slices.Contains(res.Flags, FlagOverloaded) || res.Valid {
			t.Errorf("%d of %d due were sent, %d confirmed, flags %v", res.Load.Sent, res.Load.Due, res.PaymentsOK, res.Flags)
		}
	})
}

func TestWarmUpEndsWhenSteady(t *testing.T) {
	f := func(bound time.Duration, rate func(at time.Duration) int, steady bool, from, to time.Duration) {
		t.Helper()
		s, m := newSteadiness(bound), newMeter(Payments)
		at := time.Duration(0)
		for ; !s.over(at, m); at += time.Millisecond {
			m.answers += rate(at)
		}
		if m.steadyWarmUp != steady || at < from || at > to {
			t.Errorf("over after %v, steady %v; want %v to %v, %v", at, m.steadyWarmUp, from, to, steady)
		}
	}
	second := time.Second
	f(second, func(time.Duration) int { return 10 }, true, 7*second/10, 8*second/10)
	f(second, func(at time.Duration) int { return int(at / time.Millisecond) }, false, second, second) // grows all the time
	f(second, func(time.Duration) int { return 0 }, false, second, second)
	f(second, func(at time.Duration) int { return min(int(at/(10*time.Millisecond)), 20) }, true, 8*second/10, second)
	f(0, func(time.Duration) int { return 1 }, false, 0, 0)
}
