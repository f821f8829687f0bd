package bench

import (
	"fmt"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"fastpay/bench/chart"
)

// curveSection is a curve on the page: the rate and the latency over what was varied, and a line for each run.
type curveSection struct {
	Axis, Fixed string
	Figures     []figure
	Rows        []curveRow
}

type curveRow struct {
	Value, Rate, PerCore, P50, P99, NodeCPU, Memory, Verdict string
	Valid                                                    bool
	Command                                                  string
}

// curveSections are about the curves, and the sweeps, whose figures are loadFigures.
func curveSections(curves []pageCurve) (sweeps, sections []curveSection, err error) {
	for i, c := range curves {
		kind, err := findCurve(c.Name)
		first := firstResult([]Curve{c.Curve})
		if err != nil || first == nil {
			continue
		}
		s := curveSection{Axis: kind.axis, Fixed: fmt.Sprintf("%s. %s: %s.", c.fixed(first), measuredAt(c.results()...), c.where)}
		for _, p := range c.Points {
			s.Rows = append(s.Rows, newCurveRow(p))
		}
		if c.Name == rateCurve {
			sweeps = append(sweeps, s)
			continue
		}
		if s.Figures, err = c.figures(i+1, kind.axis); err != nil {
			return nil, nil, err
		}
		sections = append(sections, s)
	}
	return sweeps, sections, nil
}

func (c *Curve) results() (results []*Result) {
	for _, p := range c.Points {
		if p.Result != nil {
			results = append(results, p.Result)
		}
	}
	return results
}

func newCurveRow(p Point) curveRow {
	row := curveRow{Value: grouped(p.Value), Rate: "-", PerCore: "-", P50: "-", P99: "-", NodeCPU: "-", Memory: "-", Verdict: p.LeftOut}
	if r := p.Result; r != nil {
		l := r.latency()
		row.Rate, row.PerCore, row.P50, row.P99 = rateOrDash(r, r.RatePerSec), rateOrDash(r, r.RatePerCore), inMs(l.P50), inMs(l.P99)
		row.NodeCPU = fmt.Sprintf("%.2f", r.CPUUsPerPayment.Node)
		row.Memory = fmt.Sprintf("%.0f", float64(r.PeakRSSBytes)/(1<<20))
		row.Verdict, row.Valid, row.Command = "valid", r.Valid, strings.Join(r.Command, " ")
		if !r.Valid {
			row.Verdict = strings.Join(r.Flags, ", ")
		}
	}
	return row
}

// figures are the rate and the latency over the values, whose axis is logarithmic when they are far apart.
func (c *Curve) figures(number int, axis string) (all []figure, err error) {
	var rate, p50, p99 plotter.XYs
	for _, p := range c.Points {
		if p.Result == nil || p.Result.counted() == 0 || p.Value < 1 {
			continue
		}
		x, l := float64(p.Value), p.Result.latency()
		rate = append(rate, plotter.XY{X: x, Y: p.Result.RatePerSec})
		if l.P50 != nil {
			p50 = append(p50, plotter.XY{X: x, Y: float64(*l.P50) / 1e3})
		}
		if l.P99 != nil {
			p99 = append(p99, plotter.XY{X: x, Y: float64(*l.P99) / 1e3})
		}
	}
	if len(rate) < 2 {
		return nil, nil
	}
	unit := firstResult([]Curve{*c}).unit().many
	for _, f := range []struct {
		figure
		names []string
		lines []plotter.XYs
	}{
		{figure{ID: fmt.Sprintf("curve-%d-rate", number), Title: "Rate over " + lowerFirst(axis), Unit: unit + " a second"}, nil,
			[]plotter.XYs{rate}},
		{figure{ID: fmt.Sprintf("curve-%d-latency", number), Title: "Latency over " + lowerFirst(axis), Unit: "ms"},
			[]string{"p50", "p99"}, []plotter.XYs{p50, p99}},
	} {
		drawn, err := f.drawCurve(axis, f.names, f.lines)
		if err != nil {
			return nil, err
		}
		if drawn != nil {
			all = append(all, *drawn)
		}
	}
	return all, nil
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func (f *figure) drawCurve(axis string, names []string, lines []plotter.XYs) (*figure, error) {
	const far = 20 // times as large
	p := chart.New(lowerFirst(axis), "")
	var labels chart.Labels
	for i, line := range lines {
		if len(line) < 2 {
			continue
		}
		if err := chart.AddLine(p, i, line); err != nil {
			return nil, err
		}
		if len(names) > i {
			labels.Name(i, line, names[i])
		}
		f.SVG = "drawn"
	}
	if f.SVG == "" {
		return nil, nil
	}
	p.Add(labels)
	p.Y.Min = 0
	p.Y.Max *= 1.08
	if p.X.Min > 0 && p.X.Max/p.X.Min >= far {
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, chart.LogTicks{}
	} else {
		p.X.Tick.Marker = chart.TicksAt(lines[0])
	}
	return f.draw(p)
}
