package paper

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Summary is what the observations of one point of a series have in common.
type Summary struct {
	Source  Source
	Phase   string
	Measure string
	Series  string
	X       int
	N       int // runs or samples
	Runs    int // repetitions that they come from
	Mean    float64
	Std     float64 // population standard deviation, as the paper has it
	Median  float64 // of ours alone
	Min     float64
	Max     float64
	P99     float64 // of ours, with at least 100 samples; else 0
	Unit    string
	Cores   int
	Flags   []string // of any of the runs, each once
}

// PerCore is the mean rate for each core; 0 when it is no rate.
func (s *Summary) PerCore() float64 {
	if s.Cores == 0 {
		return 0
	}
	return s.Mean / float64(s.Cores)
}

// Summarize makes one of each point, in the order of source, phase, measure, series, x.
func Summarize(all []Observation) []Summary {
	type point struct {
		source                 Source
		phase, measure, series string
		x                      int
	}
	groups := make(map[point][]Observation)
	for _, o := range all {
		p := point{o.Source, o.Phase, o.Measure, o.Series, o.X}
		groups[p] = append(groups[p], o)
	}
	summaries := make([]Summary, 0, len(groups))
	for _, group := range groups {
		summaries = append(summaries, summarize(group))
	}
	slices.SortFunc(summaries, func(a, b Summary) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Phase, b.Phase), cmp.Compare(a.Measure, b.Measure),
			compareSeries(a.Series, b.Series), cmp.Compare(a.X, b.X))
	})
	return summaries
}

// summarize is of observations of one point, at least one.
func summarize(group []Observation) Summary {
	first := group[0]
	s := Summary{Source: first.Source, Phase: first.Phase, Measure: first.Measure, Series: first.Series, X: first.X, Unit: first.Unit,
		Cores: first.Cores}
	if first.Source == Paper { // is a mean already
		s.N, s.Runs, s.Mean, s.Std = first.N, first.N, first.Value, first.Std
		return s
	}
	values, runs := make([]float64, len(group)), make(map[int]bool)
	for i, o := range group {
		values[i] = o.Value
		s.Mean += o.Value / float64(len(group))
		runs[o.Repetition] = true
		for flag := range strings.FieldsSeq(o.Flags) {
			if !slices.Contains(s.Flags, flag) {
				s.Flags = append(s.Flags, flag)
			}
		}
	}
	for _, v := range values {
		s.Std += (v - s.Mean) * (v - s.Mean) / float64(len(values))
	}
	slices.Sort(values)
	s.N, s.Runs, s.Std = len(values), len(runs), math.Sqrt(s.Std)
	s.Min, s.Max, s.Median = values[0], values[len(values)-1], median(values)
	if len(values) >= 100 {
		s.P99 = values[(len(values)*99+99)/100-1] // nearest rank
	}
	return s
}

// median is of sorted values, at least one.
func median(sorted []float64) float64 {
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// compareSeries orders numbers as numbers and all else as text.
func compareSeries(a, b string) int {
	x, errA := strconv.Atoi(a)
	y, errB := strconv.Atoi(b)
	if errA == nil && errB == nil {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(a, b)
}

// pick is the summaries that f has as true.
func pick(all []Summary, f func(*Summary) bool) (some []Summary) {
	for i := range all {
		if f(&all[i]) {
			some = append(some, all[i])
		}
	}
	return some
}

// seriesOf lists the series of summaries, each once, in their order.
func seriesOf(all []Summary) (series []string) {
	for _, s := range all {
		if !slices.Contains(series, s.Series) {
			series = append(series, s.Series)
		}
	}
	slices.SortFunc(series, compareSeries)
	return series
}
