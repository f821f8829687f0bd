package bench

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReadSource: the points of a curve are no single runs, whether they lie beside each other or in one file.
func TestReadSource(t *testing.T) {
	dir := exampleRunDir(t)
	c := Curve{Name: rateCurve, Points: []Point{{Value: 2000, Result: openLoop(2000)}, {Value: 1000, Result: openLoop(1000)}}}
	if err := c.WriteFile(filepath.Join(dir, "one", "sweep.json")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"alone/in-flight-10.json", "others/other-1.json", "others/other-2.json"} {
		if err := example().WriteFile(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := readSource(io.Discard, dir)
	if err != nil {
		t.Fatal(err)
	}
	var runs, curves []string
	for _, f := range s.runs {
		runs = append(runs, f.path)
	}
	for _, c := range s.curves {
		curves = append(curves, c.where+" "+c.Name)
	}
	wantRuns := strings.Fields("alone/in-flight-10.json durability/snapshots.json durability/soak.json " +
		"durability/turns/4-1-none.json durability/turns/4-1-sync.json durability/turns/4-2-none.json durability/turns/4-2-sync.json " +
		"endurance/soak.json others/other-1.json others/other-2.json " +
		"throughput/confirmations-20.json throughput/orders-4.json throughput/tcp-4.json throughput/tcp-10.json")
	if !slices.Equal(runs, wantRuns) {
		t.Errorf("runs %q", runs)
	}
	if len(curves) != 1+len(CurveNames()) || !slices.Contains(curves, "one/sweep.json rate") || !slices.Contains(curves, "curves accounts") {
		t.Errorf("curves %q", curves)
	}
	for _, c := range s.curves {
		if !slices.IsSortedFunc(c.Points, func(a, b Point) int { return a.Value - b.Value }) || len(c.Points) < 2 {
			t.Errorf("%s: %+v", c.Name, c.Points)
		}
	}
	if s.transfers == nil || s.crypto == nil || len(s.papers) != 1 {
		t.Errorf("got %+v", s)
	}
}

func TestPageOfACurveAlone(t *testing.T) {
	dir := t.TempDir()
	for i, r := range []*Result{example(), openLoop(5000)} {
		if err := (Point{Value: 10 + i, Result: r}).write(dir, "in-flight"); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "page.html")
	if err := WritePage(file, io.Discard, dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"41,234", `id="curve-1-rate"`, `id="curve-1-latency"`, "Payments in flight"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestKnee(t *testing.T) {
	f := func(name string, want float64, points ...offered) {
		t.Helper()
		if got, ok := knee(points); got != want || ok != (want > 0) {
			t.Errorf("%s: got %v, %v", name, got, ok)
		}
	}
	at := func(asked, p99 float64) offered { return offered{asked: asked, p99: p99, kept: true} }
	lost := offered{asked: 20, p99: 1}
	f("flat", 30, at(10, 1), at(20, 1), at(30, 1))
	f("turns up", 20, at(10, 1), at(20, 5), at(30, 5.1), at(40, 1))
	f("slow at first", 30, at(10, 4), at(20, 1), at(30, 2))
	f("not kept", 10, at(10, 1), lost, at(30, 1))
	f("never", 0, lost, at(30, 1))
	f("slowest first", 0, at(10, 6), at(20, 1))
	names, sets := loadSets([]*Result{openLoop(50), example(), openLoop(20), nothing()})
	if len(names) != 1 || len(sets[names[0]]) != 2 || sets[names[0]][0].asked != 20 {
		t.Errorf("got %q, %+v", names, sets)
	}
	if names, _ := loadSets([]*Result{openLoop(50), openLoop(50)}); len(names) != 0 {
		t.Errorf("one rate is a sweep: %q", names)
	}
}
