package chart

import (
	"cmp"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Labels name lines where they end, so that nobody has to look a color up in a legend. The text is in ink, which can be read on
// any color of a line; a stroke in the line's color leads to it.
type Labels []Label

// Label is the name of a series at its last point.
type Label struct {
	X, Y   float64
	Series int // as in SeriesColor
	Text   string
}

const (
	labelStroke = 9 // px, from the line's end to its name
	labelGap    = 2 // px, before the text
	labelHeight = textSize + 1
	// labelWidth is how much wider the reader's font may be than the one that is measured with.
	labelWidth = 1.17
)

// Name adds a label at the right end of points, which may be empty.
func (l *Labels) Name(i int, points plotter.XYs, text string) {
	if len(points) == 0 {
		return
	}
	last := slices.MaxFunc(points, func(a, b plotter.XY) int { return cmp.Compare(a.X, b.X) })
	*l = append(*l, Label{last.X, last.Y, i, text})
}

func labelStyle() draw.TextStyle {
	return draw.TextStyle{Color: InkColor, Font: Font(), XAlign: draw.XLeft, YAlign: draw.YCenter, Handler: plot.DefaultTextHandler}
}

// Plot implements plot.Plotter: all names in one column, each as near to its line as the others leave room for.
func (l Labels) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	sorted := slices.SortedFunc(slices.Values(l), func(a, b Label) int { return cmp.Compare(a.Y, b.Y) })
	heights := make([]vg.Length, len(sorted))
	var column vg.Length
	for i, label := range sorted {
		heights[i] = toY(label.Y)
		column = max(column, toX(label.X))
	}
	spread(heights, c.Min.Y, c.Max.Y)
	for i, label := range sorted {
		end := vg.Point{X: column + labelStroke, Y: heights[i]}
		c.StrokeLines(draw.LineStyle{Color: SeriesColor(label.Series), Width: vg.Points(1.25)},
			[]vg.Point{{X: toX(label.X), Y: toY(label.Y)}, end})
		c.FillText(labelStyle(), vg.Point{X: end.X + labelGap, Y: end.Y}, label.Text)
	}
}

// spread moves ascending heights apart, upwards first and then down from the top, so that none cover each other as long as there
// is room.
func spread(heights []vg.Length, bottom, top vg.Length) {
	for i := range heights {
		heights[i] = max(heights[i], bottom)
		if i > 0 {
			heights[i] = max(heights[i], heights[i-1]+labelHeight)
		}
	}
	limit := top
	for i := len(heights) - 1; i >= 0; i-- {
		heights[i] = min(heights[i], limit)
		limit = heights[i] - labelHeight
	}
}

// GlyphBoxes implements plot.GlyphBoxer: the chart leaves room for the names.
func (l Labels) GlyphBoxes(p *plot.Plot) []plot.GlyphBox {
	boxes := make([]plot.GlyphBox, 0, len(l))
	for _, label := range l {
		style := labelStyle()
		boxes = append(boxes, plot.GlyphBox{X: 1, Y: min(max(p.Y.Norm(label.Y), 0), 1), Rectangle: vg.Rectangle{
			Min: vg.Point{Y: -labelHeight / 2},
			Max: vg.Point{X: labelStroke + labelGap + labelWidth*style.Width(label.Text), Y: labelHeight / 2}}})
	}
	return boxes
}

// Mark is a vertical line through the chart, with a name beside its top.
type Mark struct {
	X    float64
	Text string
}

// Plot implements plot.Plotter. The name is on the side with more room.
func (m Mark) Plot(c draw.Canvas, p *plot.Plot) {
	toX, _ := p.Transforms(&c)
	x := toX(m.X)
	style := draw.LineStyle{Color: InkColor, Width: vg.Points(1), Dashes: []vg.Length{3, 3}}
	c.StrokeLine2(style, x, c.Min.Y, x, c.Max.Y)
	text := labelStyle()
	text.YAlign = draw.YTop
	at := vg.Point{X: x + labelGap + 2, Y: c.Max.Y}
	if x > (c.Min.X+c.Max.X)/2 {
		text.XAlign, at.X = draw.XRight, x-labelGap-2
	}
	c.FillText(text, at, m.Text)
}
