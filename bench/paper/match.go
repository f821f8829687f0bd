package paper

import (
	"fmt"
	"slices"
)

// match sets the paper's measurement beside one of ours.
type match struct {
	figure Figure
	paper  []Summary
	ours   []string // our series of a rate, in order
	theirs []string
}

func newMatch(f Figure, all []Summary) *match {
	rates := func(source Source) []string {
		return seriesOf(pick(all, func(s *Summary) bool { return s.Source == source && s.Phase == f.Phase }))
	}
	return &match{f, pick(all, func(s *Summary) bool { return s.Source == Paper }), rates(Ours), rates(Paper)}
}

// series is the paper's that stands beside one of ours: the same, else the one of the same rank where both have as many.
func (m *match) series(ours string) (theirs string, ok bool) {
	if slices.Contains(m.theirs, ours) {
		return ours, true
	}
	if i := slices.Index(m.ours, ours); i >= 0 && len(m.ours) == len(m.theirs) {
		return m.theirs[i], true
	}
	return "", false
}

// of is the paper's summary beside ours, and how it differs in what it was measured with: "" when in nothing but the machine.
// Where the paper has no such x and x is shards, it is the paper's best over all its shards.
func (m *match) of(ours *Summary) (theirs *Summary, how string) {
	series, ok := m.series(ours.Series)
	if !ok {
		return nil, ""
	}
	if series != ours.Series {
		how = Grouped(series) + " " + m.figure.Series
	}
	var best *Summary
	for i := range m.paper {
		s := &m.paper[i]
		if s.Series != series || s.Phase != ours.Phase || s.Measure != ours.Measure {
			continue
		}
		if s.X == ours.X {
			return s, how
		}
		if best == nil || s.Mean > best.Mean {
			best = s
		}
	}
	if best == nil || m.figure.Experiment == Committee {
		return nil, ""
	}
	if how != "" {
		how += ", "
	}
	return best, how + fmt.Sprintf("best, with %d shards", best.X)
}

// Settled is the rate of payments that two phases give, each measured alone: a payment needs both.
func Settled(orders, confirmations float64) float64 {
	if orders <= 0 || confirmations <= 0 {
		return 0
	}
	return 1 / (1/orders + 1/confirmations)
}
