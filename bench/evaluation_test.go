package bench

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fastpay/bench/paper"
)

func allFigures(t *testing.T, list string) []paper.Figure {
	t.Helper()
	figures, err := paper.FindFigures(list)
	if err != nil {
		t.Fatal(err)
	}
	return figures
}

// TestPlansHaveEveryFigure: at each scale, on machines of any size, every phase of every figure; no two runs in one file.
func TestPlansHaveEveryFigure(t *testing.T) {
	for _, name := range ScaleNames() {
		for _, cpus := range []int{1, 2, 3, 8, 96} {
			s, err := newScale(name, cpus)
			if err != nil {
				t.Fatal(err)
			}
			jobs, err := evaluationPlan(paper.Figures, s, 42)
			if err != nil {
				t.Fatal(err)
			}
			files, samples := make(map[string]bool), make(map[string]int)
			for _, j := range jobs {
				if file := j.File(); files[file] || strings.Contains(file, " ") || j.estimate <= 0 || j.key() == "" {
					t.Fatalf("%s on %d: %s, estimate %v", name, cpus, file, j.estimate)
				}
				files[j.File()] = true
				if j.latency != nil {
					samples[j.String()[:strings.LastIndex(j.String(), ",")]] += j.latency.Samples
				}
			}
			for point, n := range samples {
				if name != "smoke" && n < leastSamples {
					t.Errorf("%s: %d samples of %s", name, n, point)
				}
			}
			for _, f := range paper.Figures {
				for _, phase := range f.Phases {
					if !slices.ContainsFunc(jobs, func(j evaluationJob) bool {
						return j.Experiment == f.Experiment && (j.Phase == phase || j.latency != nil)
					}) {
						t.Errorf("%s on %d: %s has no %s", name, cpus, f.Name(), phase)
					}
				}
			}
			if notes := s.notes(paper.Figures, cpus); len(notes) != 6 {
				t.Errorf("%q", notes)
			}
		}
	}
}

// TestFullScaleHasThePapersAxes: its loads, windows, committees and shards, and nine runs.
func TestFullScaleHasThePapersAxes(t *testing.T) {
	s, err := newScale("full", 96)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.shards, paperShards) || !slices.Equal(s.series, paperSeries) || !slices.Equal(s.inFlight, paperInFlight) ||
		s.repetitions != 9 || s.load(paperLoad) != paperLoad {
		t.Errorf("%+v", s)
	}
	for _, committee := range paperCommittees {
		if !slices.Contains(s.committees, committee) || s.loadOf(paperLoad, quorum(committee)) != paperLoad {
			t.Errorf("a committee of %d has a load of %d", committee, s.loadOf(paperLoad, quorum(committee)))
		}
	}
}

// evaluate runs figures at the smoke scale.
func evaluate(ctx context.Context, t *testing.T, dir, figures string) (*paper.Manifest, string, error) {
	t.Helper()
	var log bytes.Buffer
	m, err := Evaluate(ctx, EvaluationOptions{Figures: allFigures(t, figures), Scale: "smoke", Dir: dir, Seed: 80,
		Command: []string{"fastpay", "bench", "paper"}}, &log)
	return m, log.String(), err
}

// TestEvaluationGoesOn: what is there is kept, what is missing is made, what is in the way is told and the others go on.
func TestEvaluationGoesOn(t *testing.T) {
	dir := t.TempDir()
	m, log, err := evaluate(context.Background(), t, dir, "table1,7")
	if err != nil || m.State != paper.Complete || len(m.Figures) != 2 || m.Seconds <= 0 || m.Ended == "" {
		t.Fatalf("%v %+v\n%s", err, m, log)
	}
	if n := strings.Count(log, " left]"); n != len(m.Points) {
		t.Errorf("%d lines of progress for %d runs:\n%s", n, len(m.Points), log)
	}
	first := filepath.Join(dir, m.Points[len(m.Points)-1].File)
	r, err := ReadResult(first)
	if err != nil || r.Paper == nil || *r.Paper != m.Points[len(m.Points)-1].Place || !r.Conserved || r.counted() == 0 {
		t.Fatalf("%v %+v", err, r)
	}
	kept, err := os.Stat(first)
	if err != nil {
		t.Fatal(err)
	}

	// Another figure: those before stay. A run's file is lost, another can't be written.
	if err := os.Remove(filepath.Join(dir, m.Points[1].File)); err != nil {
		t.Fatal(err)
	}
	blocked := filepath.Join(dir, m.Points[2].File)
	if err := errors.Join(os.Remove(blocked), os.MkdirAll(filepath.Join(blocked, "x"), 0o755)); err != nil {
		t.Fatal(err)
	}
	m.Points[2].State = paper.Failed
	text, err := m.Encode()
	if err := errors.Join(err, os.WriteFile(filepath.Join(dir, paper.ManifestFile), text, 0o644)); err != nil {
		t.Fatal(err)
	}
	m, log, err = evaluate(context.Background(), t, dir, "7")
	if err == nil || !strings.Contains(err.Error(), "1 of 11 runs failed") || m.State != paper.Incomplete {
		t.Errorf("%v %+v\n%s", err, m, log)
	}
	if !strings.HasPrefix(log, "8 of 10 runs are there already\n[1/2, ") || !strings.Contains(log, "FAILED: ") {
		t.Error(log)
	}
	now, err := os.Stat(first)
	if err != nil || !now.ModTime().Equal(kept.ModTime()) || m.Figure("table1") == nil || m.Figure("7").Failed != 1 {
		t.Errorf("%v %+v", err, m.Figures)
	}
	all, err := paper.ReadObservations(dir, "7")
	if err != nil || len(all) != 9+36 { // and the paper's
		t.Errorf("%d observations, %v", len(all), err)
	}
}

// TestEvaluationInterrupted: what was done before is whole, and the same command goes on.
func TestEvaluationInterrupted(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a dozen processes")
	}
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	var log bytes.Buffer
	o := EvaluationOptions{Figures: allFigures(t, "table1,7"), Scale: "smoke", Dir: dir, Seed: 81}
	m, err := Evaluate(ctx, o, writerFunc(func(b []byte) (int, error) {
		if log.Write(b); strings.Contains(log.String(), "[3/") {
			time.AfterFunc(30*time.Millisecond, cancel) // in the next run, or the one after it
		}
		return len(b), nil
	}))
	if !errors.Is(err, context.Canceled) || m.State != paper.Interrupted || m.Ended != "" {
		t.Fatalf("%v %+v", err, m)
	}
	read, err := paper.ReadManifest(dir)
	if err != nil || read.State != paper.Interrupted || read.Figure("7").Done < 2 {
		t.Fatalf("%v %+v", err, read)
	}
	if m, log, err := evaluate(context.Background(), t, dir, "7"); err == nil {
		t.Errorf("another seed in the same folder: %v %s", m, log)
	}
	m, err = Evaluate(context.Background(), o, writerFunc(func(b []byte) (int, error) { return len(b), nil }))
	if err != nil || m.State != paper.Complete || m.Started != read.Started {
		t.Errorf("%v %+v", err, m)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// TestEvaluationSaysFirst: what can't work is told before anything is run.
func TestEvaluationSaysFirst(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, log, err := evaluate(context.Background(), t, filepath.Join(file, "dir"), "all"); err == nil ||
		!strings.Contains(err.Error(), "the folder for results can't be written") || log != "" {
		t.Error(err, log)
	}
	if _, err := Evaluate(context.Background(), EvaluationOptions{Scale: "huge"}, &bytes.Buffer{}); err == nil ||
		!strings.Contains(err.Error(), "quick, full, smoke") {
		t.Error(err)
	}
}

// TestLatencyThroughTheProxy: nothing is faster than the way, and a quorum is not later than all.
func TestLatencyThroughTheProxy(t *testing.T) {
	o := LatencyOptions{CommitteeSize: 4, Crashed: 1, RoundTrip: 20 * time.Millisecond, Samples: 7, Clients: 3, Seed: 82}
	r, err := RunLatency(context.Background(), o, &bytes.Buffer{})
	if err != nil || len(r.Samples) != 7 || r.NoLiveness != "" || r.Quorum != 3 {
		t.Fatalf("%v %+v", err, r)
	}
	for _, s := range r.Samples {
		if s.OrderQuorum < 20_000 || s.CertificateQuor < 20_000 || s.OrderAll < s.OrderQuorum || s.CertificateAll < s.CertificateQuor {
			t.Errorf("%+v", s)
		}
	}
	file := filepath.Join(t.TempDir(), "r.json")
	if err := r.WriteFile(file); err != nil {
		t.Fatal(err)
	}
	if again, err := ReadLatencyRun(file); err != nil || !slices.Equal(again.Samples, r.Samples) {
		t.Errorf("%v %+v", err, again)
	}
	if _, err := ReadOperationTimes(file); err == nil {
		t.Error("latencies are no times of operations")
	}
}

// TestNoLivenessIsSaid: with fewer than a quorum there is no certificate, and no sample.
func TestNoLivenessIsSaid(t *testing.T) {
	o := LatencyOptions{CommitteeSize: 4, Crashed: 2, Samples: 7, Clients: 3, Seed: 83}
	r, err := RunLatency(context.Background(), o, &bytes.Buffer{})
	if err != nil || r.NoLiveness != "2 of 4 authorities vote, a certificate takes 3" || len(r.Samples) != 0 {
		t.Errorf("%v %+v", err, r)
	}
	for _, wrong := range []LatencyOptions{{}, {CommitteeSize: 4, Crashed: 4, Samples: 1, Clients: 1},
		{CommitteeSize: 4, Samples: 1, Clients: 2}, {CommitteeSize: 4, Samples: 1, Clients: 1, RoundTrip: -1}} {
		if _, err := RunLatency(context.Background(), wrong, &bytes.Buffer{}); err == nil {
			t.Errorf("%+v", wrong)
		}
	}
}

// TestOperationsAreTimed: all rows of Table 1; a certificate is written without a signature made, and not read without some checked.
func TestOperationsAreTimed(t *testing.T) {
	r, err := RunOperations(84, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	us := make(map[string]float64)
	for i, row := range r.Operations {
		if row.Name != paper.Operations[i] || row.SingleUs <= 0 || (row.BatchedUs == nil) != (row.Name == "create certificate") {
			t.Errorf("row %d: %+v", i, row)
		}
		us[row.Name] = row.SingleUs
	}
	if us["check certificate"] < us["create certificate"] || us["create certificate"] > us["create order"] {
		t.Errorf("%v", us)
	}
}

// TestOperationsNoticeWrongMessages: what is timed does check.
func TestOperationsNoticeWrongMessages(t *testing.T) {
	o, err := newOperations(85)
	if err != nil {
		t.Fatal(err)
	}
	last := tableBatch - 1
	for name, c := range map[string]struct {
		message []byte
		one     func(int) bool
		many    func() bool
	}{
		"order":       {o.orders[last], o.checkOrder, o.checkOrders},
		"vote":        {o.votes[last], o.checkVote, o.checkVotes},
		"certificate": {o.certificates[last], o.checkCertificate, o.checkCertificates},
	} {
		if !c.one(last) || !c.many() {
			t.Fatalf("a good %s is refused", name)
		}
		c.message[len(c.message)-1] ^= 0x80 // of the last signature
		if c.one(last) || c.many() {
			t.Errorf("a bad %s is taken", name)
		}
	}
}
