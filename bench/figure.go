package bench

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"fastpay/bench/chart"
)

// figure is a chart on the page with what is said about it: lines, or bars with their values.
type figure struct {
	ID      string
	Title   string
	Unit    string // of the vertical axis, or of the bars
	SVG     template.HTML
	Bars    []bar
	Caption string
	Legend  []legendEntry // of the parts of bars
}

// bar is a row of a chart of bars.
type bar struct {
	Name, Value string
	Parts       []barPart
}

type barPart struct {
	Percent float64 // of the longest bar
	Color   int     // 1 to chart.MaxSeries
}

type legendEntry struct {
	Color int // 1 to chart.MaxSeries
	Name  string
}

// figures draws what single runs have in common.
func figures(rows []pageRow) (all []figure, err error) {
	rows = measuredRows(rows)
	if len(rows) == 0 {
		return nil, nil
	}
	for _, draw := range []func([]pageRow) (*figure, error){rateFigure, spectrumFigure, seriesFigure, cpuFigure, memoryFigure} {
		f, err := draw(rows)
		if err != nil {
			return nil, err
		}
		if f != nil {
			all = append(all, *f)
		}
	}
	return all, nil
}

func (f *figure) draw(p *plot.Plot) (*figure, error) {
	text, err := chart.SVG(p, f.Title+", "+f.Unit)
	if err != nil {
		return nil, err
	}
	f.SVG = template.HTML(text) // made by vgsvg and package chart, from numbers and escaped names
	return f, nil
}

// rateFigure has a bar for each run, in the color of what it counts.
func rateFigure(rows []pageRow) (*figure, error) {
	f := &figure{ID: "rate", Title: "Rate of each run", Unit: "a second", Caption: "Orders or confirmations alone are no payments. " +
		"* is not valid: the table says why."}
	most := slices.MaxFunc(rows, func(a, b pageRow) int { return cmp.Compare(a.result.RatePerSec, b.result.RatePerSec) }).result.RatePerSec
	counted := make(map[Phase]bool)
	for i, name := range nameRows(rows) {
		r := rows[i].result
		phase, err := ParsePhase(r.Phase)
		if err != nil {
			return nil, err
		}
		counted[phase] = true
		f.Bars = append(f.Bars, bar{name, rows[i].Rate, []barPart{{100 * ratio(r.RatePerSec, most), int(phase) + 1}}})
	}
	for phase := range numPhases {
		if counted[phase] {
			f.Legend = append(f.Legend, legendEntry{int(phase) + 1, units[phase].many})
		}
	}
	return f, nil
}

// cpuFigure has what one of what a run counts costs, the generator's part at the end.
func cpuFigure(rows []pageRow) (*figure, error) {
	most := 0.0
	for _, r := range rows {
		most = max(most, r.result.CPUUsPerPayment.Node+r.result.CPUUsPerPayment.Generator)
	}
	if most == 0 {
		return nil, nil
	}
	f := &figure{ID: "cpu", Title: "CPU time for one", Unit: "µs", Caption: "Of what each run counts, by the kernel's clock.",
		Legend: []legendEntry{{1, "authority"}, {2, "load generator"}}}
	for i, name := range nameRows(rows) {
		use := rows[i].result.CPUUsPerPayment
		f.Bars = append(f.Bars, bar{name, fmt.Sprintf("%.2f + %.2f", use.Node, use.Generator),
			[]barPart{{100 * use.Node / most, 1}, {100 * use.Generator / most, 2}}})
	}
	return f, nil
}

// chosen is as many runs as have colors of their own, and what to say about the others.
func chosen(rows []pageRow, caption string) ([]pageRow, string) {
	if len(rows) <= chart.MaxSeries {
		return rows, caption
	}
	return rows[:chart.MaxSeries], fmt.Sprintf("%s The first %d of %d runs.", caption, chart.MaxSeries, len(rows))
}

// spectrumFigure has the percentiles of each run, over an axis on which each further nine takes the same room.
func spectrumFigure(rows []pageRow) (*figure, error) {
	places := []plot.Tick{{Value: 0.301, Label: "p50"}, {Value: 1, Label: "p90"}, {Value: 2, Label: "p99"}, {Value: 3, Label: "p99.9"},
		{Value: 3.7, Label: "max"}}
	rows, caption := chosen(rows, "From sending, or in an open loop from when it was due, to the verified reply.")
	f := &figure{ID: "latency", Title: "Latency, by percentile", Unit: "ms, logarithmic", Caption: caption}
	p := chart.New("", "")
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, chart.LogTicks{}
	p.X.Tick.Marker = plot.ConstantTicks(places)
	low, high := math.Inf(1), math.Inf(-1)
	var labels chart.Labels
	for n, name := range nameRows(rows) {
		l := rows[n].result.latency()
		var points plotter.XYs
		for i, us := range []*int64{l.P50, l.P90, l.P99, l.P999, l.Max} {
			if us != nil && *us > 0 {
				ms := float64(*us) / 1e3
				points = append(points, plotter.XY{X: places[i].Value, Y: ms})
				low, high = min(low, ms), max(high, ms)
			}
		}
		if len(points) == 0 {
			continue
		}
		if err := chart.AddLine(p, n, points); err != nil {
			return nil, err
		}
		labels.Name(n, points, name)
	}
	if len(labels) == 0 {
		return nil, nil
	}
	p.Add(labels)
	p.X.Min, p.X.Max = 0.2, 3.75
	p.Y.Min, p.Y.Max = low/1.3, high*1.3
	return f.draw(p)
}

// seriesFigure has what was counted in each second of the window.
func seriesFigure(rows []pageRow) (*figure, error) {
	rows = slices.DeleteFunc(slices.Clone(rows), func(r pageRow) bool { return len(r.result.PerSecond) < 2 })
	if len(rows) == 0 {
		return nil, nil
	}
	rows, caption := chosen(rows, "Counted in each whole second of the window: a steady run is a flat line.")
	f := &figure{ID: "series", Title: "Rate in each second", Unit: "a second", Caption: caption}
	return f.drawSeries("second of the window", rows, func(r *Result) (points plotter.XYs) {
		for s, n := range r.PerSecond {
			points = append(points, plotter.XY{X: float64(s + 1), Y: float64(n)})
		}
		return points
	})
}

// memoryFigure has the authority's memory in each quarter of long runs.
func memoryFigure(rows []pageRow) (*figure, error) {
	rows = slices.DeleteFunc(slices.Clone(rows), func(r pageRow) bool { return len(r.result.RSSQuartersBytes) < 2 })
	if len(rows) == 0 {
		return nil, nil
	}
	rows, caption := chosen(rows, "Peak of the authority's resident memory in each quarter of the window. It fills its archive of "+
		"certificates up to a bound.")
	f := &figure{ID: "memory", Title: "Memory over the run", Unit: "MiB", Caption: caption}
	return f.drawSeries("quarter of the window", rows, func(r *Result) (points plotter.XYs) {
		for q, n := range r.RSSQuartersBytes {
			points = append(points, plotter.XY{X: float64(q + 1), Y: float64(n) / (1 << 20)})
		}
		return points
	})
}

// drawSeries draws a line for each run, from zero up.
func (f *figure) drawSeries(xLabel string, rows []pageRow, of func(*Result) plotter.XYs) (*figure, error) {
	p := chart.New(xLabel, "")
	var labels chart.Labels
	longest := 0
	for i, name := range nameRows(rows) {
		points := of(rows[i].result)
		longest = max(longest, len(points))
		if err := chart.AddLine(p, i, points); err != nil {
			return nil, err
		}
		labels.Name(i, points, name)
	}
	p.Add(labels)
	p.Y.Min = 0
	p.Y.Max *= 1.05
	if longest <= 6 { // whole ones have ticks
		p.X.Tick.Marker = plot.ConstantTicks(wholeTicks(longest))
	}
	return f.draw(p)
}

func wholeTicks(n int) (ticks []plot.Tick) {
	for i := range n {
		ticks = append(ticks, plot.Tick{Value: float64(i + 1), Label: fmt.Sprint(i + 1)})
	}
	return ticks
}
