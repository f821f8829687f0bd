package chart

import (
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Series is a line with a bar of the spread at each of its points.
type Series struct {
	Name   string
	Points plotter.XYs
	Spread []float64 // above and below each point
}

// Len implements plotter.XYer.
func (s *Series) Len() int { return len(s.Points) }

// XY implements plotter.XYer.
func (s *Series) XY(i int) (x, y float64) { return s.Points.XY(i) }

// YError implements plotter.YErrorer.
func (s *Series) YError(i int) (low, high float64) { return s.Spread[i], s.Spread[i] }

// glyphs tell series apart where there is no color.
var glyphs = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.PyramidGlyph{}}

// AddSeries draws series i, whose name goes to labels; dashed marks one that is secondary.
func AddSeries(p *plot.Plot, labels *Labels, i int, s *Series, dashed bool) error {
	line, dots, err := plotter.NewLinePoints(s.Points)
	if err != nil {
		return fmt.Errorf("chart: series %s: %w", s.Name, err)
	}
	bars, err := plotter.NewYErrorBars(s)
	if err != nil {
		return fmt.Errorf("chart: series %s: %w", s.Name, err)
	}
	line.Color, line.Width = SeriesColor(i), vg.Points(1.5)
	if dashed {
		line.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
	}
	dots.GlyphStyle = draw.GlyphStyle{Color: SeriesColor(i), Radius: vg.Points(2.4), Shape: glyphs[i%len(glyphs)]}
	bars.Color, bars.Width, bars.CapWidth = SeriesColor(i), vg.Points(1), vg.Points(4)
	p.Add(line, dots, bars)
	labels.Name(i, s.Points, s.Name)
	return nil
}

// TallHeight is that of a chart of several series with spreads, in px.
const TallHeight = 270

// TicksAt has ticks at the values that were measured, when they are few enough to be written, and nice ones otherwise.
func TicksAt(points plotter.XYs) plot.Ticker {
	const most, closest = 9, 0.045 // of the axis, between two
	var ticks plot.ConstantTicks
	low, high, _, _ := plotter.XYRange(points)
	last := low - high - 1
	for _, p := range points {
		if p.X == last {
			continue
		}
		if len(ticks) == most || p.X-last < closest*(high-low) {
			return NiceTicks{}
		}
		ticks = append(ticks, plot.Tick{Value: p.X, Label: ShortNumber(p.X)})
		last = p.X
	}
	return ticks
}
