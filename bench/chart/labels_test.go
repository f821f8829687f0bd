package chart

import (
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"pgregory.net/rapid"
)

// TestSpread: names keep their order, and cover neither each other nor what is outside as long as there is room.
func TestSpread(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 10).Draw(t, "names")
		heights := make([]vg.Length, n)
		for i := range heights {
			heights[i] = vg.Length(rapid.Float64Range(-50, 250).Draw(t, "height"))
		}
		slices.Sort(heights)
		before := slices.Clone(heights)
		spread(heights, 0, 200)
		apart := true
		for i, h := range heights {
			if h < -1e-9 || h > 200+1e-9 || i > 0 && h-heights[i-1] < labelHeight-1e-9 {
				t.Fatalf("%v became %v", before, heights)
			}
			apart = apart && before[i] >= 0 && before[i] <= 200 && (i == 0 || before[i]-before[i-1] >= labelHeight)
		}
		if apart && !slices.Equal(before, heights) {
			t.Fatalf("%v had room, and became %v", before, heights)
		}
	})
}

func TestLabelsAreWithinTheChart(t *testing.T) {
	p := New("x", "y")
	points := plotter.XYs{{X: 2, Y: 5}, {X: 1, Y: 3}}
	if err := AddLine(p, 0, points); err != nil {
		t.Fatal(err)
	}
	var labels Labels
	labels.Name(0, points, "a name & more")
	labels.Name(1, nil, "nowhere")
	if len(labels) != 1 || labels[0].X != 2 || labels[0].Y != 5 {
		t.Fatalf("got %+v", labels)
	}
	p.Add(labels, Mark{1.5, "knee"})
	text, err := SVG(p, "test")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{">a name &amp; more</text>", ">knee</text>", "stroke-dasharray"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if x := p.X.Norm(2); x != 1 {
		t.Errorf("the names widen the axis: %v", x)
	}
}
