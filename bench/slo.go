package bench

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// SLO is a bound that latency must keep: each of its terms.
type SLO []sloTerm

type sloTerm struct {
	metric string // one of sloMetrics
	below  time.Duration
}

// sloMetric is a latency that can be bounded, and where it is.
type sloMetric struct {
	name string
	of   func(*Percentiles) *int64
}

var sloMetrics = []sloMetric{
	{"p50", func(p *Percentiles) *int64 { return p.P50 }},
	{"p90", func(p *Percentiles) *int64 { return p.P90 }},
	{"p99", func(p *Percentiles) *int64 { return p.P99 }},
	{"p99.9", func(p *Percentiles) *int64 { return p.P999 }},
	{"max", func(p *Percentiles) *int64 { return p.Max }},
}

// ParseSLO reads terms such as "p99<50ms", separated by commas.
func ParseSLO(text string) (SLO, error) {
	var slo SLO
	for part := range strings.SplitSeq(text, ",") {
		metric, bound, ok := strings.Cut(strings.ReplaceAll(part, " ", ""), "<")
		known := slices.ContainsFunc(sloMetrics, func(m sloMetric) bool { return m.name == metric })
		below, err := time.ParseDuration(bound)
		if !ok || !known || err != nil || below <= 0 {
			return nil, fmt.Errorf("bench: objective %q: expected p50, p90, p99, p99.9 or max, <, and a time with its unit, as in p99<50ms", part)
		}
		slo = append(slo, sloTerm{metric, below})
	}
	return slo, nil
}

func (s SLO) String() string {
	parts := make([]string, len(s))
	for i, t := range s {
		parts[i] = t.metric + "<" + t.below.String()
	}
	return strings.Join(parts, ",")
}

// broken says why p does not keep the bounds, "" when it does. Too few samples keep nothing.
func (s SLO) broken(p *Percentiles) string {
	for _, t := range s {
		for _, m := range sloMetrics {
			if m.name != t.metric {
				continue
			}
			us := m.of(p)
			if us == nil {
				return "too few samples for " + t.metric
			}
			if got := time.Duration(*us) * time.Microsecond; got >= t.below {
				return fmt.Sprintf("%s is %v", t.metric, got)
			}
		}
	}
	return ""
}
