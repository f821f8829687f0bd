package bench

import "time"

// steadiness says when a warm-up may end: when the rate of the last steadyParts parts of it differed by at most steadyPart
// of their mean, and at its bound in any case. A part is one in partsOfWarmUp of the bound.
type steadiness struct {
	bound, part time.Duration
	next        time.Duration
	counted     int
	rates       [steadyParts]int
	seen        int
	steady      bool // how it ended
	whole       bool // it goes on to its bound
}

const (
	partsOfWarmUp = 10
	steadyParts   = 6
	steadyPart    = 0.10
)

func newSteadiness(bound time.Duration) *steadiness {
	part := bound / partsOfWarmUp
	return &steadiness{bound: bound, part: part, next: part}
}

// over is asked after each step of the warm-up; now is the time since its start.
func (s *steadiness) over(now time.Duration, m *meter) bool {
	if now >= s.bound {
		return true
	}
	if now < s.next {
		return false
	}
	parts := int((now-s.next)/s.part) + 1 // more than one when a step took long
	s.rates[s.seen%steadyParts] = (m.answers - s.counted) / parts
	s.counted = m.answers
	s.next += time.Duration(parts) * s.part
	s.seen++
	s.steady = s.seen > steadyParts && s.even() // the first part has the start in it
	m.steadyWarmUp = s.steady
	return s.steady && !s.whole
}

func (s *steadiness) even() bool {
	mean := float64(sum(s.rates[:])) / steadyParts
	for _, r := range s.rates {
		if off := float64(r) - mean; max(off, -off) > steadyPart*mean {
			return false
		}
	}
	return mean > 0
}
