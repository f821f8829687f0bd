package bench

import (
	"fmt"
	"strings"
)

// metric is a figure of a result that is compared, gated and tabulated.
type metric struct {
	name   string // on the command line
	unit   string // of value; "" for a plain number
	more   string // the word for a greater value: faster, slower, more, better, worse
	less   string
	tail   bool // of the slowest few: noisier than a mean or a median
	value  func(*Result) (float64, bool)
	digits int // behind the point in text
}

// metrics lists them in the order of tables. The first is the rate of what the result counts.
var metrics = []metric{
	{"payments", "/s", "faster", "slower", false, func(r *Result) (float64, bool) { return r.RatePerSec, r.counted() > 0 }, 0},
	{"p50", "ms", "slower", "faster", false, func(r *Result) (float64, bool) { return millis(r.latency().P50) }, 2},
	{"p90", "ms", "slower", "faster", false, func(r *Result) (float64, bool) { return millis(r.latency().P90) }, 2},
	{"p99", "ms", "slower", "faster", true, func(r *Result) (float64, bool) { return millis(r.latency().P99) }, 2},
	{"p99.9", "ms", "slower", "faster", true, func(r *Result) (float64, bool) { return millis(r.latency().P999) }, 2},
	{"cpu", "µs", "slower", "faster", false, func(r *Result) (float64, bool) { return positive(r.CPUUsPerPayment.Node) }, 2},
	{"generator-cpu", "µs", "slower", "faster", false,
		func(r *Result) (float64, bool) { return positive(r.CPUUsPerPayment.Generator) }, 2},
	{"signatures", "", "more", "less", false, func(r *Result) (float64, bool) { return positive(r.SignaturesPerPay) }, 2},
	{"batch", "", "more", "less", false, func(r *Result) (float64, bool) { return positive(r.MeanBatch) }, 0},
	{"bytes", "B", "more", "less", false, func(r *Result) (float64, bool) { return positive(r.BytesPerPayment) }, 0},
	{"journal", "B", "more", "less", false, func(r *Result) (float64, bool) { return positive(r.JournalBytesPerPay) }, 0},
	{"syncs", "", "more", "less", false, func(r *Result) (float64, bool) { return positive(r.SyncsPerPayment) }, 5},
	{"allocs", "", "more", "less", false, func(r *Result) (float64, bool) { return r.AllocsPerPayment, r.counted() > 0 }, 3},
	{"rss", "MiB", "more", "less", false,
		func(r *Result) (float64, bool) { return positive(float64(r.PeakRSSBytes) / (1 << 20)) }, 0},
	{"gc-pause", "ms", "more", "less", true, func(r *Result) (float64, bool) { return r.GCPauseUs / 1e3, r.counted() > 0 }, 2},
	{"rejected", "", "more", "less", false, func(r *Result) (float64, bool) { return float64(r.Rejected), true }, 0},
	{"lost", "", "more", "less", false, func(r *Result) (float64, bool) { return float64(r.Lost), true }, 0},
}

// MetricNames lists what a gate may name.
func MetricNames() (names []string) {
	for i := range metrics {
		names = append(names, metrics[i].name)
	}
	return names
}

// findMetric takes orders, confirmations and rate for the first metric too: which of them it is the result says.
func findMetric(name string) (*metric, error) {
	switch name {
	case "rate", Orders.String(), Confirmations.String():
		name = metrics[0].name
	}
	for i := range metrics {
		if metrics[i].name == name {
			return &metrics[i], nil
		}
	}
	return nil, fmt.Errorf("bench: no metric is called %q: there are %s", name, strings.Join(MetricNames(), ", "))
}

func millis(us *int64) (float64, bool) {
	if us == nil {
		return 0, false
	}
	return float64(*us) / 1e3, true
}

// positive leaves out figures that a result does not have.
func positive(v float64) (float64, bool) { return v, v > 0 }

// text is v with the metric's digits and unit.
func (m *metric) text(v float64) string {
	s := fmt.Sprintf("%.*f", m.digits, v)
	if m.digits == 0 {
		s = grouped(int(v + 0.5))
	}
	switch {
	case m.unit == "":
		return s
	case strings.HasPrefix(m.unit, "/"):
		return s + m.unit
	}
	return s + " " + m.unit
}
