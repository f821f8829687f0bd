package chart

import (
	"bytes"
	"fmt"
	"html"
	"image/color"
	"math"
	"regexp"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A chart is drawn in the size at which a phone shows it unscaled, so that its text is as large as the page's.
const (
	Width     = 360 // px of the drawing, which the page scales
	Height    = 215
	textSize  = 11
	MaxSeries = 8 // colors that can be told apart
)

// Colors are placeholders, which themed replaces by variables of the page: so a chart follows light and dark.
var (
	InkColor  = color.RGBA{R: 1, A: 255}
	GridColor = color.RGBA{R: 2, A: 255}
)

// SeriesColor is that of series i; they repeat after MaxSeries.
func SeriesColor(i int) color.Color { return color.RGBA{R: 3, B: uint8(i % MaxSeries), A: 255} }

// LightColors are those of a chart outside of the page: ink, grid, series. They can be told apart by the color-blind, too.
var LightColors = [2 + MaxSeries]string{"#222222", "#d8d8d8",
	"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b58900", "#56b4e9", "#6a51a3", "#777777"}

// DarkColors are the same on a dark page.
var DarkColors = [2 + MaxSeries]string{"#e6e6e6", "#3a3f45",
	"#4ba3e3", "#ff8c42", "#2ec497", "#e79bc6", "#e0b830", "#8fd0ff", "#a994e0", "#a8a8a8"}

// Variables are the names that stand for LightColors and DarkColors in the page's style.
func Variables() (names [2 + MaxSeries]string) {
	names[0], names[1] = "--ink", "--grid"
	for i := range MaxSeries {
		names[2+i] = fmt.Sprintf("--s%d", i+1)
	}
	return names
}

// New is an empty chart with its axes.
func New(xLabel, yLabel string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.X.Label.Text, p.Y.Label.Text = xLabel, yLabel
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font, axis.Tick.Label.Font = Font(), Font()
		axis.Label.TextStyle.Color, axis.Tick.Label.Color = InkColor, InkColor
		axis.LineStyle.Color, axis.Tick.LineStyle.Color = GridColor, GridColor
		axis.Padding = vg.Points(4)
	}
	p.Y.LineStyle.Width, p.Y.Tick.LineStyle.Width = 0, 0
	p.Y.Tick.Marker = NiceTicks{}
	p.X.Tick.Marker = NiceTicks{}
	grid := plotter.NewGrid()
	grid.Vertical.Color = nil
	grid.Horizontal.Color, grid.Horizontal.Width = GridColor, vg.Points(0.75)
	p.Add(grid)
	return p
}

// Font is that of all text in a chart.
func Font() font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: textSize}
}

// AddLine draws a series; points too when there are few.
func AddLine(p *plot.Plot, i int, points plotter.XYs) error {
	const marked = 40
	line, dots, err := plotter.NewLinePoints(points)
	if err != nil {
		return fmt.Errorf("chart: %w", err)
	}
	line.Color, line.Width = SeriesColor(i), vg.Points(1.75)
	p.Add(line)
	if len(points) <= marked {
		dots.GlyphStyle = draw.GlyphStyle{Color: SeriesColor(i), Radius: vg.Points(2.2), Shape: draw.CircleGlyph{}}
		p.Add(dots)
	}
	return nil
}

// AddBars draws a bar for each value, on top of below, with the names below them.
func AddBars(p *plot.Plot, color int, values []float64, below *plotter.BarChart) (*plotter.BarChart, error) {
	const plotted, share, widest = 0.8, 0.7, 48 // of the chart's width, and of a bar's place; px
	width := min(widest, share*plotted*Width/float64(len(values)))
	bars, err := plotter.NewBarChart(plotter.Values(values), vg.Length(width))
	if err != nil {
		return nil, fmt.Errorf("chart: %w", err)
	}
	bars.Color, bars.LineStyle.Width = SeriesColor(color), 0
	if below != nil {
		bars.StackOn(below)
	}
	p.Add(bars)
	return bars, nil
}

// NameBars writes names below bars: all of them, or as many as there is room for.
func NameBars(p *plot.Plot, names []string) {
	const room = 20
	every := (len(names) + room - 1) / room
	var ticks []plot.Tick
	for i, name := range names {
		if i%every == 0 {
			ticks = append(ticks, plot.Tick{Value: float64(i), Label: name})
		}
	}
	p.X.Tick.Marker = plot.ConstantTicks(ticks)
	p.X.Tick.LineStyle.Width = 0
	p.X.Min, p.X.Max = -0.6, float64(len(names))-0.4
	p.Y.Min = 0
}

var svgHead = regexp.MustCompile(`(?s)^.*?<svg width="[^"]*" height="[^"]*" viewBox="([^"]*)"\s+xmlns="[^"]*"\s+xmlns:xlink="[^"]*">`)

// SVG draws p in the usual size. The colors are variables of the page with those of a light page as what they are elsewhere; label tells what
// it shows to who can't see it.
func SVG(p *plot.Plot, label string) (string, error) { return SVGOf(p, label, Height) }

// SVGOf is SVG with another height, in px.
func SVGOf(p *plot.Plot, label string, height vg.Length) (string, error) {
	canvas := vgsvg.New(Width, height)
	p.Draw(draw.Crop(draw.New(canvas), 2, -8, 2, -6))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return "", fmt.Errorf("chart: %w", err)
	}
	text := svgHead.ReplaceAllString(b.String(), `<svg class="chart" role="img" aria-label="`+
		strings.ReplaceAll(html.EscapeString(label), "$", "$$")+`" xmlns="http://www.w3.org/2000/svg" viewBox="$1">`)
	return themed(text), nil
}

func themed(text string) string {
	names := Variables()
	variable := func(i int) string { return "var(" + names[i] + "," + LightColors[i] + ")" }
	pairs := []string{hexOf(InkColor), variable(0), hexOf(GridColor), variable(1),
		"font-family:Liberation Sans", "font-family:system-ui,'Liberation Sans',Arial,sans-serif"}
	for i := range MaxSeries {
		pairs = append(pairs, hexOf(SeriesColor(i)), variable(2+i))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func hexOf(c color.Color) string {
	rgba := color.RGBAModel.Convert(c).(color.RGBA)
	return fmt.Sprintf("#%02X%02X%02X", rgba.R, rgba.G, rgba.B)
}

// NiceTicks are at 1, 2 or 5 times a power of ten, with the units that people write.
type NiceTicks struct{}

// Ticks implements plot.Ticker.
func (NiceTicks) Ticks(low, high float64) (ticks []plot.Tick) {
	const most = 6
	if !(high > low) || math.IsInf(high-low, 0) {
		return []plot.Tick{{Value: low, Label: ShortNumber(low)}}
	}
	step := math.Pow(10, math.Floor(math.Log10((high-low)/most)))
	for _, times := range [...]float64{2, 5, 10} {
		if (high-low)/step <= most {
			break
		}
		step = times * math.Pow(10, math.Floor(math.Log10((high-low)/most)))
	}
	for i := math.Ceil(low/step - 1e-9); i*step <= high*(1+1e-9); i++ {
		v := i*step + 0 // and not -0
		ticks = append(ticks, plot.Tick{Value: v, Label: ShortNumber(v)})
	}
	return ticks
}

// LogTicks are at 1, 2 and 5 times each power of ten, or at powers alone when that are many.
type LogTicks struct{}

// Ticks implements plot.Ticker.
func (LogTicks) Ticks(low, high float64) (ticks []plot.Tick) {
	times := []float64{1, 2, 5}
	if high/low > 1000 {
		times = times[:1]
	}
	for power := math.Pow(10, math.Floor(math.Log10(low))); power <= high; power *= 10 {
		for _, t := range times {
			if v := t * power; v >= low*(1-1e-9) && v <= high*(1+1e-9) {
				ticks = append(ticks, plot.Tick{Value: v, Label: ShortNumber(v)})
			}
		}
	}
	return ticks
}

// ShortNumber is v with k or M for thousands and millions, and no more digits than needed.
func ShortNumber(v float64) string {
	unit := ""
	switch a := math.Abs(v); {
	case a >= 1e6:
		v, unit = v/1e6, "M"
	case a >= 1e4:
		v, unit = v/1e3, "k"
	}
	return strconv.FormatFloat(v, 'g', 4, 64) + unit
}
