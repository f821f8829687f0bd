package bench

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"fastpay/bench/chart"
)

// figure is a chart on the page with what is said about it.
type figure struct {
	ID      string
	Title   string
	SVG     template.HTML
	Legend  []legendEntry
	Caption string
}

type legendEntry struct {
	Color int // 1 to chart.MaxSeries
	Name  string
}

// figures draws what the runs have in common. Runs are called by their number in the table.
func figures(rows []pageRow) (all []figure, err error) {
	for _, draw := range []func([]pageRow) (*figure, error){rateFigure, latencyFigure, seriesFigure, loadFigure, cpuFigure,
		memoryFigure} {
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
	text, err := chart.SVG(p, f.Title)
	if err != nil {
		return nil, err
	}
	f.SVG = template.HTML(text) // made by vgsvg and this package, from numbers and escaped names
	return f, nil
}

// measuredRows leaves out runs that measured nothing.
func measuredRows(rows []pageRow) (some []pageRow) {
	for _, r := range rows {
		if r.result.counted() > 0 {
			some = append(some, r)
		}
	}
	return some
}

// names are the numbers of runs, with a mark on those that are not valid.
func names(rows []pageRow) (list []string) {
	for _, r := range rows {
		name := strconv.Itoa(r.Number)
		if !r.Valid {
			name += "*"
		}
		list = append(list, name)
	}
	return list
}

func rateFigure(rows []pageRow) (*figure, error) {
	rows = measuredRows(rows)
	if len(rows) == 0 {
		return nil, nil
	}
	f := &figure{ID: "rate", Title: "Rate of each run", Caption: "Orders or confirmations alone are no payments. * is not valid: see its " +
		"flags in the table."}
	p := chart.New("run", "a second")
	for phase := range numPhases {
		rates, some := make([]float64, len(rows)), false
		for i, r := range rows {
			if r.result.Phase == phase.String() {
				rates[i], some = r.result.RatePerSec, true
			}
		}
		if !some {
			continue
		}
		if _, err := chart.AddBars(p, int(phase), rates, nil); err != nil {
			return nil, err
		}
		f.Legend = append(f.Legend, legendEntry{int(phase) + 1, units[phase].many})
	}
	chart.NameBars(p, names(rows))
	return f.draw(p)
}

// chosen is as many runs as have colors of their own, and what to say about the others.
func chosen(rows []pageRow, caption string) ([]pageRow, string) {
	if len(rows) <= chart.MaxSeries {
		return rows, caption
	}
	return rows[:chart.MaxSeries], fmt.Sprintf("%s The first %d of %d runs.", caption, chart.MaxSeries, len(rows))
}

func (f *figure) legend(rows []pageRow) {
	for i, r := range rows {
		f.Legend = append(f.Legend, legendEntry{i%chart.MaxSeries + 1, fmt.Sprintf("%d: %s", r.Number, r.Short)})
	}
}

// latencyFigure has the percentiles of each run beside each other, over a logarithmic axis.
func latencyFigure(rows []pageRow) (*figure, error) {
	columns := []string{"p50", "p90", "p99", "p99.9", "max"}
	rows, caption := chosen(measuredRows(rows), "From sending, or in an open loop from when it was due, to the verified reply.")
	p := chart.New("", "ms")
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, chart.LogTicks{}
	f := &figure{ID: "latency", Title: "Latency percentiles", Caption: caption}
	low, high := math.Inf(1), math.Inf(-1)
	var drawn []pageRow
	for _, r := range rows {
		l := r.result.latency()
		var points plotter.XYs
		for i, us := range []*int64{l.P50, l.P90, l.P99, l.P999, l.Max} {
			if us != nil && *us > 0 {
				ms := float64(*us) / 1e3
				points = append(points, plotter.XY{X: float64(i), Y: ms})
				low, high = min(low, ms), max(high, ms)
			}
		}
		if len(points) == 0 {
			continue
		}
		if err := chart.AddLine(p, len(drawn), points); err != nil {
			return nil, err
		}
		drawn = append(drawn, r)
	}
	if len(drawn) == 0 {
		return nil, nil
	}
	var ticks []plot.Tick
	for i, name := range columns {
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: name})
	}
	p.X.Tick.Marker = plot.ConstantTicks(ticks)
	p.X.Min, p.X.Max = -0.2, float64(len(columns))-0.8
	p.Y.Min, p.Y.Max = low/1.3, high*1.3
	f.legend(drawn)
	return f.draw(p)
}

// seriesFigure has what was counted in each second of the window.
func seriesFigure(rows []pageRow) (*figure, error) {
	var long []pageRow
	for _, r := range measuredRows(rows) {
		if len(r.result.PerSecond) > 1 {
			long = append(long, r)
		}
	}
	if len(long) == 0 {
		return nil, nil
	}
	rows, caption := chosen(long, "Counted in each whole second of the window: a steady run is a flat line.")
	p := chart.New("second of the window", "a second")
	for i, r := range rows {
		points := make(plotter.XYs, len(r.result.PerSecond))
		for s, n := range r.result.PerSecond {
			points[s] = plotter.XY{X: float64(s + 1), Y: float64(n)}
		}
		if err := chart.AddLine(p, i, points); err != nil {
			return nil, err
		}
	}
	p.Y.Min = 0
	p.Y.Max *= 1.05
	f := &figure{ID: "series", Title: "Rate in each second", Caption: caption}
	f.legend(rows)
	return f.draw(p)
}

// cpuFigure has what a payment costs, the generator's part on top.
func cpuFigure(rows []pageRow) (*figure, error) {
	rows = measuredRows(rows)
	var node, generator []float64
	for _, r := range rows {
		node = append(node, r.result.CPUUsPerPayment.Node)
		generator = append(generator, r.result.CPUUsPerPayment.Generator)
	}
	if len(rows) == 0 || sumOf(node) == 0 {
		return nil, nil
	}
	p := chart.New("run", "µs")
	below, err := chart.AddBars(p, 0, node, nil)
	if err == nil {
		_, err = chart.AddBars(p, 1, generator, below)
	}
	if err != nil {
		return nil, err
	}
	chart.NameBars(p, names(rows))
	f := &figure{ID: "cpu", Title: "CPU time for one", Caption: "Of what each run counts, by the kernel's clock.",
		Legend: []legendEntry{{1, "authority"}, {2, "load generator"}}}
	return f.draw(p)
}

func sumOf(v []float64) (total float64) {
	for _, x := range v {
		total += x
	}
	return total
}

// memoryFigure has the authority's memory in each quarter of long runs.
func memoryFigure(rows []pageRow) (*figure, error) {
	var some []pageRow
	for _, r := range measuredRows(rows) {
		if len(r.result.RSSQuartersBytes) > 1 {
			some = append(some, r)
		}
	}
	if len(some) == 0 {
		return nil, nil
	}
	rows, caption := chosen(some, "Peak of the authority's resident memory in each quarter of the window. It fills its archive of "+
		"certificates up to a bound.")
	p := chart.New("quarter of the window", "MiB")
	for i, r := range rows {
		var points plotter.XYs
		for q, n := range r.result.RSSQuartersBytes {
			points = append(points, plotter.XY{X: float64(q + 1), Y: float64(n) / (1 << 20)})
		}
		if err := chart.AddLine(p, i, points); err != nil {
			return nil, err
		}
	}
	p.Y.Min = 0
	p.Y.Max *= 1.05
	p.X.Min, p.X.Max = 0.9, quarters+0.1
	p.X.Tick.Marker = plot.ConstantTicks([]plot.Tick{{Value: 1, Label: "1"}, {Value: 2, Label: "2"}, {Value: 3, Label: "3"},
		{Value: 4, Label: "4"}})
	f := &figure{ID: "memory", Title: "Memory over the run", Caption: caption}
	f.legend(rows)
	return f.draw(p)
}

// loadFigure has the latency over the rate that was asked for, when there are several open loops: where it turns up is the
// knee.
func loadFigure(rows []pageRow) (*figure, error) {
	type point struct{ asked, p50, p99 float64 }
	var points []point
	for _, r := range measuredRows(rows) {
		l := r.result.latency()
		if load := r.result.Load; load != nil && load.AskedPerSec > 0 && l.P50 != nil && l.P99 != nil {
			points = append(points, point{load.AskedPerSec, float64(*l.P50) / 1e3, float64(*l.P99) / 1e3})
		}
	}
	if len(points) < 2 {
		return nil, nil
	}
	slices.SortFunc(points, func(a, b point) int { return cmp.Compare(a.asked, b.asked) })
	p := chart.New("asked for, a second", "ms")
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, chart.LogTicks{}
	var median, tail plotter.XYs
	for _, at := range points {
		median = append(median, plotter.XY{X: at.asked, Y: at.p50})
		tail = append(tail, plotter.XY{X: at.asked, Y: at.p99})
	}
	if err := chart.AddLine(p, 0, median); err != nil {
		return nil, err
	}
	if err := chart.AddLine(p, 1, tail); err != nil {
		return nil, err
	}
	p.Y.Min, p.Y.Max = max(p.Y.Min, 1e-3)/1.3, p.Y.Max*1.3
	f := &figure{ID: "load", Title: "Latency against offered load", Caption: "Open loops alone, from when a payment was due.",
		Legend: []legendEntry{{1, "p50"}, {2, "p99"}}}
	return f.draw(p)
}
