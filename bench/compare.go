package bench

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Words of a verdict that all metrics share; faster, slower, more and less are of a metric.
const (
	VerdictSame    = "same within noise"
	VerdictUnknown = "can't tell"
)

const (
	// fewRuns on a side are too few to know its noise: even without any difference, all of three runs are on one side of three
	// others in one case of ten.
	fewRuns = 4
	// assumedNoise is then the least, and for the slowest few requests assumedTailNoise.
	assumedNoise     = 0.10
	assumedTailNoise = 0.25
	// leastNoise is a difference that nobody asks about, however exact the figures are.
	leastNoise = 0.005
	// sameWithin is the largest difference that "same" may hide.
	sameWithin = 0.05
)

// Comparison of B with A. As JSON it is the source of every text about it.
type Comparison struct {
	Schema int              `json:"schema"`
	A      ComparedSide     `json:"a"`
	B      ComparedSide     `json:"b"`
	Groups []ComparedGroup  `json:"groups"` // configurations that both have
	OnlyA  []string         `json:"only_a"`
	OnlyB  []string         `json:"only_b"`
	Notes  []string         `json:"notes"` // what must be known to judge the difference
	Gates  []ComparisonGate `json:"gates"`
}

// ComparedSide is where results come from.
type ComparedSide struct {
	Name    string   `json:"name"`
	Runs    int      `json:"runs"`
	Commits []string `json:"commits"`
}

// ComparedGroup is a configuration that both sides measured.
type ComparedGroup struct {
	Benchmark string           `json:"benchmark"`
	Unit      string           `json:"unit"`    // what the rate counts
	Verdict   string           `json:"verdict"` // on the rate
	Metrics   []ComparedMetric `json:"metrics"`
	Notes     []string         `json:"notes"`
}

// ComparedMetric is one figure of both sides. Ratio is B's median to A's, nil when that is 0; Low and High are its interval,
// nil when a side has one run.
type ComparedMetric struct {
	Name         string   `json:"name"`
	MetricUnit   string   `json:"unit"`
	A            Spread   `json:"a"`
	B            Spread   `json:"b"`
	Ratio        *float64 `json:"ratio"`
	Low          *float64 `json:"low"`
	High         *float64 `json:"high"`
	NoisePercent float64  `json:"noise_percent"` // of the noisier side; at least what is assumed for few runs
	Verdict      string   `json:"verdict"`
	NoiseAssumed bool     `json:"noise_assumed"` // the runs are few, and differ less than it
}

// Compare finds the configurations that both sides measured, and how they differ. Where each side measured one, these are
// compared even if they differ, which is noted.
func Compare(a, b *Side) (*Comparison, error) {
	c := &Comparison{Schema: schemaVersion, A: a.compared(), B: b.compared(), OnlyA: []string{}, OnlyB: []string{},
		Notes: differs(a.Results, b.Results), Gates: []ComparisonGate{}}
	namesA, inA := a.byBenchmark()
	namesB, inB := b.byBenchmark()
	if len(namesA) == 1 && len(namesB) == 1 && namesA[0] != namesB[0] {
		c.Notes = append(c.Notes, fmt.Sprintf("configuration: %s against %s", namesA[0], namesB[0]))
		if unit := inA[namesA[0]][0].unit(); unit != inB[namesB[0]][0].unit() {
			return nil, fmt.Errorf("bench: %s and %s count different things", namesA[0], namesB[0])
		}
		inB[namesA[0]], namesB[0] = inB[namesB[0]], namesA[0]
	}
	for _, name := range namesA {
		if inB[name] == nil {
			c.OnlyA = append(c.OnlyA, name)
			continue
		}
		c.Groups = append(c.Groups, compareGroup(name, inA[name], inB[name]))
	}
	for _, name := range namesB {
		if inA[name] == nil {
			c.OnlyB = append(c.OnlyB, name)
		}
	}
	if len(c.Groups) == 0 {
		return nil, fmt.Errorf("bench: no configuration is in both: %s; %s", strings.Join(namesA, ", "), strings.Join(namesB, ", "))
	}
	return c, nil
}

func (s *Side) compared() ComparedSide {
	return ComparedSide{s.Name, len(s.Results), distinct(s.Results, (*Result).build)}
}

func compareGroup(name string, a, b []*Result) ComparedGroup {
	g := ComparedGroup{Benchmark: name, Unit: a[0].unit().many, Verdict: VerdictUnknown, Notes: []string{}}
	for i := range metrics {
		m := &metrics[i]
		inA, inB := m.values(a), m.values(b)
		if len(inA) == 0 || len(inB) == 0 {
			continue
		}
		compared := m.compare(inA, inB)
		g.Metrics = append(g.Metrics, compared)
		if i == 0 {
			g.Verdict = compared.Verdict
		}
	}
	for side, results := range map[string][]*Result{"A": a, "B": b} {
		g.Notes = append(g.Notes, doubts(side, results)...)
	}
	slices.Sort(g.Notes)
	return g
}

// doubts says which runs of a side can't be trusted, and why.
func doubts(side string, results []*Result) (notes []string) {
	invalid := make(map[string]int)
	for _, r := range results {
		for _, flag := range r.Flags {
			invalid[flag]++
		}
	}
	for flag, n := range invalid {
		notes = append(notes, fmt.Sprintf("%s: %s in %d of %d runs", side, flag, n, len(results)))
	}
	return notes
}

func (m *metric) values(results []*Result) (values []float64) {
	for _, r := range results {
		if v, ok := m.value(r); ok {
			values = append(values, v)
		}
	}
	return values
}

func (m *metric) compare(a, b []float64) ComparedMetric {
	c := ComparedMetric{Name: m.name, MetricUnit: m.unit, A: newSpread(a), B: newSpread(b)}
	floor := max(noise(a), noise(b), leastNoise)
	if min(len(a), len(b)) < fewRuns {
		least := assumedNoise
		if m.tail {
			least = assumedTailNoise
		}
		c.NoiseAssumed = least > floor
		floor = max(floor, least)
	}
	c.NoisePercent = 100 * floor
	if c.A.Median > 0 {
		ratio := c.B.Median / c.A.Median
		c.Ratio = &ratio
	}
	if low, high, ok := ratioInterval(a, b); ok {
		c.Low, c.High = &low, &high
	}
	c.Verdict = m.verdict(&c, floor)
	return c
}

// verdict: a difference counts when it is more than the noise and its interval leaves no difference out. No difference is
// claimed only when the interval has no room for one that matters.
func (m *metric) verdict(c *ComparedMetric, floor float64) string {
	word := m.more
	if c.B.Median < c.A.Median {
		word = m.less
	}
	if c.Ratio == nil {
		if c.B.Median == 0 {
			return VerdictSame
		}
		return word
	}
	few := min(c.A.Runs, c.B.Runs) < fewRuns
	beyond := math.Abs(math.Log(*c.Ratio)) > math.Log1p(floor)
	if c.Low == nil {
		if beyond {
			return word
		}
		return VerdictUnknown
	}
	excludes := *c.Low > 1 || *c.High < 1
	switch {
	case beyond && excludes:
		return word
	case !few && *c.Low >= 1-sameWithin && *c.High <= 1+sameWithin:
		return VerdictSame
	}
	return VerdictUnknown
}

// metric finds a figure of the group.
func (g *ComparedGroup) metric(name string) (*ComparedMetric, error) {
	for i := range g.Metrics {
		if g.Metrics[i].Name == name {
			return &g.Metrics[i], nil
		}
	}
	return nil, errors.New("not measured by both")
}
