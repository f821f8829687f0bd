package bench

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Arrival is how payments arrive in an open loop.
type Arrival uint8

const (
	// Constant has the same time between any two arrivals.
	Constant Arrival = iota
	// Poisson has exponential times between arrivals, as many payers have who don't know of each other.
	Poisson

	numArrivals
)

var arrivalNames = [numArrivals]string{"constant", "poisson"}

// ArrivalNames lists the names that ParseArrival takes.
func ArrivalNames() []string { return arrivalNames[:] }

// ParseArrival finds an arrival by its name.
func ParseArrival(name string) (Arrival, error) {
	for a, n := range arrivalNames {
		if n == name {
			return Arrival(a), nil
		}
	}
	return 0, fmt.Errorf("bench: no arrival is called %q, there are constant and poisson", name)
}

func (a Arrival) String() string {
	if a < numArrivals {
		return arrivalNames[a]
	}
	return fmt.Sprintf("Arrival(%d)", uint8(a))
}

// schedule says when payments are to be sent in an open loop, whatever became of those before: a payment that could not be
// sent in time keeps the time at which it should have been, and its latency counts from there.
type schedule struct {
	mean   float64 // ns between two arrivals
	source rand.PCG
	random *rand.Rand    // of source; nil when arrivals are constant
	first  time.Duration // when it began
	since  int           // arrivals taken since then
	next   time.Duration // when the next one is due
	taken  int           // arrivals, over the whole run
}

// newSchedule has so many arrivals a second, on average; those of a seed are always the same.
func newSchedule(perSecond float64, a Arrival, seed uint64) *schedule {
	s := &schedule{mean: float64(time.Second) / perSecond, source: *rand.NewPCG(seed, uint64(a))}
	if a == Poisson {
		s.random = rand.New(&s.source)
	}
	return s
}

// restart makes arrivals go on from now, after a time without any.
func (s *schedule) restart(now time.Duration) {
	s.first, s.since, s.next = now, 0, now
	if s.random != nil {
		s.next += s.gap()
	}
}

func (s *schedule) gap() time.Duration { return time.Duration(s.random.ExpFloat64() * s.mean) }

// take returns when the next arrival is due, and goes on to the one after it.
func (s *schedule) take() (due time.Duration) {
	due = s.next
	s.since++
	s.taken++
	if s.random != nil {
		s.next += s.gap()
	} else { // not by adding, which would add up rounding
		s.next = s.first + time.Duration(float64(s.since)*s.mean)
	}
	return due
}

// overdue is how many arrivals are due at now and were not taken.
func (s *schedule) overdue(now time.Duration) int {
	ahead := *s
	if s.random != nil {
		ahead.random = rand.New(&ahead.source)
	}
	for ahead.next <= now {
		ahead.take()
	}
	return ahead.taken - s.taken
}

// The wait for the next arrival. Arrivals closer together than pacing are sent together: each wake-up costs as much as
// several payments, on a CPU that the authority may need.
const pacing = 20 * time.Microsecond

// wait is how long a driver may sleep at now for the next arrival.
func (s *schedule) wait(now time.Duration) time.Duration {
	return min(max(s.next-now, pacing), maxStep)
}
