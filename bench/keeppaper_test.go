package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fastpay/bench/paper"
)

// examplePaperRun is a run's folder with every figure, two repetitions of each point, many samples of a latency, and the point
// that has no certificate.
func examplePaperRun(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	e := example().Environment
	m := paper.NewManifest([]string{"fastpay", "bench", "paper"}, "quick", 42, e, "build")
	m.State, m.Repetitions = paper.Complete, 2
	crash := paper.Place{Experiment: paper.Crash, Series: paper.UK, X: 4, Repetition: 1}
	m.Points = append(m.Points, paper.Point{Place: crash, File: crash.File(), State: paper.NoLiveness,
		Error: "6 of 10 authorities vote, a certificate takes 7", Commit: e.Commit})
	for i, f := range paper.Figures {
		theirs, err := paper.Reference(f)
		if err != nil {
			t.Fatal(err)
		}
		ours := exampleObservations(f, theirs, float64(i+2))
		table, err := paper.EncodeCSV(append(ours, theirs...))
		if err != nil {
			t.Fatal(err)
		}
		if err := replaceFile(filepath.Join(dir, f.File(".csv")), table); err != nil {
			t.Fatal(err)
		}
		m.Figures = append(m.Figures, paper.FigureState{ID: f.ID, Experiment: f.Experiment, Title: f.Title, Points: 2, Done: 2,
			CSV: f.File(".csv"), Notes: []string{"it took 17 shards"}})
		if f.Experiment != paper.Crash {
			p := paper.Place{Experiment: f.Experiment, Series: "1000", X: i, Repetition: 1}
			m.Points = append(m.Points, paper.Point{Place: p, File: p.File(), State: paper.Done, Commit: e.Commit, Dirty: i == 0})
		}
	}
	text, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := replaceFile(filepath.Join(dir, paper.ManifestFile), text); err != nil {
		t.Fatal(err)
	}
	return dir
}

// exampleObservations are the paper's, some times as much; of latencies 150 samples.
func exampleObservations(f paper.Figure, theirs []paper.Observation, times float64) (ours []paper.Observation) {
	for _, o := range theirs {
		o.Source, o.N, o.Std, o.Cores, o.Commit = paper.Ours, 1, 0, 2, "0123456789abcdef"
		samples := 1
		if o.Unit == "ms" {
			o.Cores, samples = 0, 150
		}
		for repetition := range 2 {
			for sample := range samples {
				o.Repetition, o.Sample = repetition+1, sample
				o.Value = o.Value*1.001 + times/10
				for _, measure := range []string{o.Measure, paper.Quorum} {
					if measure == o.Measure || o.Unit == "ms" {
						o := o
						o.Measure = measure
						ours = append(ours, o)
					}
				}
			}
		}
	}
	return ours
}

// TestKeepPaper: what is kept of a run makes the same text as the run itself.
func TestKeepPaper(t *testing.T) {
	from, dir := examplePaperRun(t), t.TempDir()
	stale := filepath.Join(dir, paperFolder, "figure99.csv")
	if err := replaceFile(stale, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := KeepPaper(from, dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); err == nil {
		t.Error("a file of an earlier run is there")
	}
	whole, err := readPaperRun(from)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := readPaperRun(filepath.Join(dir, paperFolder))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := lines(kept.render()), lines(whole.render()); !slices.Equal(got, want) {
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				t.Errorf("kept: %s\nrun:  %s", got[i], want[i])
			}
		}
	}
	var size int64
	err = filepath.Walk(dir, func(_ string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			size += info.Size()
		}
		return err
	})
	if err != nil || size > 300<<10 {
		t.Errorf("%d bytes are kept, %v", size, err)
	}
	text := kept.render()
	for _, want := range []string{"### Table 1:", "### Figure 12:", "no certificate: 6 of 10", "“over 80,000 tx/s with 20 authorities”",
		"measured at commit 0123456789ab+: `fastpay bench paper --figure table1 --scale quick`", "it took 17 shards"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

func TestKeepPaperRefuses(t *testing.T) {
	from := examplePaperRun(t)
	name := filepath.Join(from, paper.ManifestFile)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(strings.Replace(string(text), `"complete"`, `"interrupted"`, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := KeepPaper(from, dir); err == nil || !strings.Contains(err.Error(), "is interrupted") {
		t.Errorf("a run that was interrupted is kept: %v", err)
	}
	if err := KeepPaper(t.TempDir(), dir); err == nil {
		t.Error("an empty folder is kept")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("left %v, %v", fmt.Sprint(entries), err)
	}
}
