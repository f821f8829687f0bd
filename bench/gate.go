package bench

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Gate is a condition on a comparison that must not hold: METRIC OP NUMBER, with the unit x or % for a part of A's median,
// or none, or the metric's own, for a bound of B's median.
type Gate struct {
	text     string
	metric   *metric
	op       string
	limit    float64
	relative bool
}

var gateForm = regexp.MustCompile(`^\s*([a-z0-9.-]+?)\s*(<=|>=|<|>)\s*([0-9]+(?:\.[0-9]+)?)\s*(x|%|us|µs|ms|s|/s|B|MiB|GiB)?\s*$`)

// gateScales are what units of a limit are in those of the metric.
var gateScales = map[string]map[string]float64{
	"ms":  {"us": 1e-3, "µs": 1e-3, "ms": 1, "s": 1e3},
	"µs":  {"us": 1, "µs": 1, "ms": 1e3, "s": 1e6},
	"MiB": {"MiB": 1, "GiB": 1 << 10},
	"B":   {"B": 1},
	"/s":  {"/s": 1},
}

// ParseGate reads a condition such as payments<0.95x, p99>50ms, rss>1.2x, lost>0.
func ParseGate(text string) (*Gate, error) {
	parts := gateForm.FindStringSubmatch(text)
	if parts == nil {
		return nil, fmt.Errorf("bench: %q is no condition: expected METRIC, one of < <= > >=, and a number with x for a ratio to A, "+
			"as in payments<0.95x or p99>50ms", text)
	}
	m, err := findMetric(parts[1])
	if err != nil {
		return nil, err
	}
	limit, err := strconv.ParseFloat(parts[3], 64)
	if err != nil {
		return nil, fmt.Errorf("bench: %q: %w", text, err)
	}
	g := &Gate{text: strings.TrimSpace(text), metric: m, op: parts[2], limit: limit}
	switch unit := parts[4]; unit {
	case "":
	case "x":
		g.relative = true
	case "%":
		g.relative, g.limit = true, limit/100
	default:
		scale, ok := gateScales[m.unit][unit]
		if !ok {
			return nil, fmt.Errorf("bench: %q: %s is not in %s", text, m.name, unit)
		}
		g.limit *= scale
	}
	return g, nil
}

// ComparisonGate is what became of a gate.
type ComparisonGate struct {
	Condition string `json:"condition"`
	Benchmark string `json:"benchmark"`
	Failed    bool   `json:"failed"`
	Because   string `json:"because"`
}

// Apply tries gates on each configuration. A gate whose metric is missing fails: what can't be decided must not pass.
func (c *Comparison) Apply(gates []*Gate) {
	for _, g := range gates {
		for i := range c.Groups {
			failed, because := g.try(&c.Groups[i])
			c.Gates = append(c.Gates, ComparisonGate{g.text, c.Groups[i].Benchmark, failed, because})
		}
		for _, name := range c.OnlyA {
			c.Gates = append(c.Gates, ComparisonGate{g.text, name, true, "B did not measure it"})
		}
	}
}

func (g *Gate) try(group *ComparedGroup) (failed bool, because string) {
	m, err := group.metric(g.metric.name)
	if err != nil {
		return true, fmt.Sprintf("%s: %s", g.metric.name, err)
	}
	value, text := m.B.Median, g.metric.text(m.B.Median)
	if g.relative {
		if m.Ratio == nil {
			return true, fmt.Sprintf("%s of A is 0: no ratio", g.metric.name)
		}
		value, text = *m.Ratio, fmt.Sprintf("%.3fx", *m.Ratio)
		if m.Low != nil {
			text += fmt.Sprintf(" (%.3f to %.3f)", *m.Low, *m.High)
		}
	}
	switch g.op {
	case "<":
		failed = value < g.limit
	case "<=":
		failed = value <= g.limit
	case ">":
		failed = value > g.limit
	case ">=":
		failed = value >= g.limit
	}
	return failed, fmt.Sprintf("%s is %s", g.metric.name, text)
}

// Err is a *RunError when a gate failed, and nil otherwise, whatever was found.
func (c *Comparison) Err() error {
	var failed []string
	for _, g := range c.Gates {
		if g.Failed {
			failed = append(failed, fmt.Sprintf("%s, by --fail-if '%s' (%s)", g.Because, g.Condition, g.Benchmark))
		}
	}
	if failed == nil {
		return nil
	}
	return &RunError{ExitGate, strings.Join(failed, "; ")}
}
