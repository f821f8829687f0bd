package paper

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/plot/plotter"

	"fastpay/bench/chart"
)

// Draw is the figure of one source as SVG, in the paper's layout: the same axes and series, lines from zero, bars of one
// standard deviation. It is "" when there is nothing to draw.
func Draw(f Figure, all []Observation, source Source) (string, error) {
	return DrawSummaries(f, Summarize(all), source)
}

// DrawSummaries is Draw where observations were not kept.
func DrawSummaries(f Figure, all []Summary, source Source) (string, error) {
	drawn := pick(all, func(s *Summary) bool { return s.Source == source && (f.IsTable() || s.Phase == f.Phase) })
	if len(drawn) == 0 || f.Experiment == Times {
		return "", nil
	}
	p := chart.New(f.XLabel, f.YLabel)
	var labels chart.Labels
	var measured plotter.XYs
	for i, series := range seriesOf(drawn) {
		for _, measure := range []string{Rate, AllLive, Quorum} {
			points := pick(drawn, func(s *Summary) bool { return s.Series == series && s.Measure == measure })
			if len(points) == 0 {
				continue
			}
			line := &chart.Series{Name: f.seriesName(series, measure)}
			for _, s := range points {
				line.Points = append(line.Points, plotter.XY{X: float64(s.X), Y: s.Mean})
				line.Spread = append(line.Spread, s.Std)
			}
			if err := chart.AddSeries(p, &labels, i, line, measure == Quorum); err != nil {
				return "", fmt.Errorf("paper: %s: %w", f.Name(), err)
			}
			measured = append(measured, line.Points...)
		}
	}
	slices.SortFunc(measured, func(a, b plotter.XY) int { return cmp.Compare(a.X, b.X) })
	p.X.Tick.Marker = chart.TicksAt(measured)
	p.Y.Min = 0
	p.Add(labels)
	where := "this machine"
	if source == Paper {
		where = "the paper's, " + Machine
	}
	text, err := chart.SVGOf(p, fmt.Sprintf("%s: %s; %s", f.Name(), f.Title, where), chart.TallHeight)
	if err != nil {
		return "", fmt.Errorf("paper: %s: %w", f.Name(), err)
	}
	return text, nil
}

// seriesName is what the end of a line calls its series.
func (f *Figure) seriesName(series, measure string) string {
	series = strings.TrimSuffix(series, " Coast")
	switch {
	case measure == AllLive:
		return series + ", all"
	case measure == Quorum:
		return series + ", quorum"
	case series == "1":
		return "1 " + strings.TrimSuffix(f.Series, "s")
	}
	return Grouped(series) + " " + f.Series
}

// Grouped is a number with commas between its thousands; other text is itself.
func Grouped(number string) string {
	for _, c := range number {
		if c < '0' || c > '9' {
			return number
		}
	}
	for at := len(number) - 3; at > 0; at -= 3 {
		number = number[:at] + "," + number[at:]
	}
	return number
}
