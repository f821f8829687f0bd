package bench

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"fastpay/bench/paper"
	"fastpay/crypto"
	"fastpay/perf"
)

// EvaluationOptions say what of the paper's evaluation is run.
type EvaluationOptions struct {
	Figures []paper.Figure
	Scale   string // of ScaleNames
	Dir     string // of the run: what is there of the same scale is completed
	Seed    uint64
	Command []string
}

// evaluation is a run of the paper's experiments into a folder.
type evaluation struct {
	EvaluationOptions
	scale    *evaluationScale
	manifest *paper.Manifest
	jobs     []evaluationJob
	points   map[paper.Place]*paper.Point // of the manifest
	runs     runner
	progress *estimate
	stderr   io.Writer
	worst    error // of the points that failed
}

// Evaluate runs what is not there yet, one run after the other, and writes each run's result, and then the figures. Canceling ctx
// ends it early: the run under way is lost, everything else is kept, and the figures are of what there is. A run that
// fails is told and the others go on; the error then is that of the worst. Nothing is run when the folder can't be used.
func Evaluate(ctx context.Context, o EvaluationOptions, stderr io.Writer) (*paper.Manifest, error) {
	e := &evaluation{EvaluationOptions: o, stderr: inTurns(stderr), points: make(map[paper.Place]*paper.Point),
		runs: runner{ring: new(keyRing)}}
	if err := e.prepare(); err != nil {
		return nil, err
	}
	if err := e.runAll(ctx); err != nil {
		return e.manifest, err
	}
	return e.manifest, e.conclude(ctx)
}

// prepare checks everything that can be wrong, and makes the plan.
func (e *evaluation) prepare() (err error) {
	if e.scale, err = newScale(e.Scale, len(perf.AllowedCPUs())); err != nil {
		return err
	}
	if e.jobs, err = evaluationPlan(e.Figures, e.scale, e.Seed); err != nil {
		return err
	}
	if err := checkWritable(e.Dir); err != nil {
		return err
	}
	old, err := paper.ReadManifest(e.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		old = nil
	case err != nil:
		return err
	case old.Scale != e.Scale || old.Seed != e.Seed:
		return fmt.Errorf("bench: %s has a run of scale %s with seed %d: take another folder, or remove it", e.Dir, old.Scale, old.Seed)
	}
	build, err := buildHash()
	if err != nil {
		return err
	}
	e.manifest = paper.NewManifest(e.Command, e.Scale, e.Seed, perf.NewEnvironment(crypto.Backend()), build)
	e.manifest.Repetitions, e.manifest.Notes = e.scale.repetitions, e.scale.notes(paper.Figures, e.manifest.Environment.Cores)
	e.adopt(old)
	return e.save()
}

// checkWritable makes dir, and tells whether files can be made in it.
func checkWritable(dir string) error {
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, ".new-*"); err == nil {
			err = errors.Join(f.Close(), os.Remove(f.Name()))
		}
	}
	if err != nil {
		return fmt.Errorf("bench: the folder for results can't be written: %w", err)
	}
	return nil
}

// buildHash tells one build of this program from another.
func buildHash() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("bench: %w", err)
	}
	f, err := os.Open(exe)
	if err != nil {
		return "", fmt.Errorf("bench: %w", err)
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	if err := errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("bench: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// adopt takes the points of an earlier call: those that this plan would make again in the same way, and those of other
// figures.
func (e *evaluation) adopt(old *paper.Manifest) {
	m := e.manifest
	planned := make(map[paper.Place]int)
	for i, j := range e.jobs {
		planned[j.Place] = i
		m.Points = append(m.Points, paper.Point{Place: j.Place, File: j.Place.File(), State: paper.Missing, Options: j.key()})
	}
	if old != nil {
		m.Started = old.Started
		for _, p := range old.Points {
			i, again := planned[p.Place]
			switch {
			case !again && !e.covers(p.Place):
				m.Points = append(m.Points, p)
				m.Seconds += p.Seconds
			case again && p.Made(m, e.jobs[i].key()) && exists(filepath.Join(e.Dir, p.File)):
				m.Points[i] = p
				m.Seconds += p.Seconds
			}
		}
	}
	for i := range m.Points {
		e.points[m.Points[i].Place] = &m.Points[i]
	}
	for _, f := range paper.Figures {
		asked := slices.ContainsFunc(e.Figures, func(other paper.Figure) bool { return other.ID == f.ID })
		if asked || old != nil && old.Figure(f.ID) != nil {
			m.Figures = append(m.Figures, paper.FigureState{ID: f.ID, Experiment: f.Experiment, Title: f.Title,
				CSV: f.File(".csv"), Markdown: f.File(".md"), Notes: e.scale.notes([]paper.Figure{f}, m.Environment.Cores)})
		}
	}
}

// covers reports whether the plan has all points of this one's phase and experiment.
func (e *evaluation) covers(p paper.Place) bool {
	return slices.ContainsFunc(e.jobs, func(j evaluationJob) bool { return j.Experiment == p.Experiment && j.Phase == p.Phase })
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func (e *evaluation) save() error {
	b, err := e.manifest.Encode()
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(e.Dir, paper.ManifestFile), b)
}

// runAll makes the runs that are missing. The error is one of writing.
func (e *evaluation) runAll(ctx context.Context) error {
	var missing []evaluationJob
	for _, j := range e.jobs {
		if e.points[j.Place].State == paper.Missing {
			missing = append(missing, j)
		}
	}
	if kept := len(e.jobs) - len(missing); kept > 0 {
		fmt.Fprintf(e.stderr, "%d of %d runs are there already\n", kept, len(e.jobs))
	}
	e.progress = newEstimate(missing)
	for i := range missing {
		if ctx.Err() != nil {
			return nil
		}
		j := &missing[i]
		began := time.Now()
		text, err := e.runOne(ctx, j)
		if ctx.Err() != nil { // whatever it wrote is not to be trusted
			*e.points[j.Place] = paper.Point{Place: j.Place, File: j.File(), State: paper.Missing, Options: j.key()}
			return nil
		}
		p := e.points[j.Place]
		p.Commit, p.Dirty, p.Build = e.manifest.Commit, e.manifest.Dirty, e.manifest.Build
		p.Seconds = time.Since(began).Seconds()
		e.manifest.Seconds += p.Seconds
		if err != nil {
			p.State, p.Error, text = paper.Failed, err.Error(), "FAILED: "+err.Error()
			e.worst = worse(e.worst, err)
		}
		fmt.Fprintf(e.stderr, "%s %s: %s\n", e.progress.done(j.estimate, time.Since(began)), j, text)
		if err := e.save(); err != nil {
			return err
		}
		if i+1 == len(missing) || missing[i+1].Experiment != j.Experiment {
			if err := e.renderExperiment(j.Experiment); err != nil {
				return err
			}
		}
	}
	return nil
}

// worse is the one of two errors whose exit code is higher; the first where they are alike.
func worse(a, b error) error {
	code := func(err error) int {
		if run, ok := errors.AsType[*RunError](err); ok {
			return run.Code
		}
		return 1
	}
	if a == nil || code(b) > code(a) {
		return b
	}
	return a
}

// runOne makes a run and writes its file; the text is what it measured.
func (e *evaluation) runOne(ctx context.Context, j *evaluationJob) (text string, err error) {
	p := e.points[j.Place]
	file := filepath.Join(e.Dir, p.File)
	place := j.Place
	p.State, p.Error = paper.Done, ""
	switch {
	case j.rate != nil:
		e.runs.least = j.least
		r, err := e.runs.run(ctx, *j.rate, io.Discard)
		if err != nil {
			return "", err
		}
		r.Paper = &place
		if err := errors.Join(r.Err(false), ctx.Err()); err != nil {
			return "", err
		}
		return fmt.Sprintf("%s %s%s", grouped(int(r.RatePerSec)), r.unit().perSecond, r.verdictButShort()), r.WriteFile(file)
	case j.latency != nil:
		r, err := RunLatency(ctx, *j.latency, io.Discard)
		if err != nil {
			return "", err
		}
		r.Paper, r.Command = &place, e.Command
		if r.NoLiveness != "" {
			p.State, p.Error = paper.NoLiveness, r.NoLiveness
			return "no certificate: " + r.NoLiveness, r.WriteFile(file)
		}
		return fmt.Sprintf("%d payments", len(r.Samples)), r.WriteFile(file)
	}
	t, err := RunOperations(e.Seed, j.operations)
	if err != nil {
		return "", err
	}
	t.Paper, t.Command = &place, e.Command
	return fmt.Sprintf("%d operations", len(t.Operations)), t.WriteFile(file)
}

// verdictButShort is the verdict without the flag that every run of an exact number of payments may have.
func (r *Result) verdictButShort() string {
	short := *r
	short.Flags = slices.DeleteFunc(slices.Clone(r.Flags), func(flag string) bool { return flag == FlagShortWindow })
	short.Valid = len(short.Flags) == 0
	return short.verdict()
}

// conclude renders everything, and says how it ended.
func (e *evaluation) conclude(ctx context.Context) error {
	m := e.manifest
	failed, missing := 0, 0
	for _, p := range m.Points {
		failed += btoi(p.State == paper.Failed)
		missing += btoi(p.State == paper.Missing)
	}
	m.State = paper.Complete
	if failed+missing > 0 {
		m.State = paper.Incomplete
	}
	if ctx.Err() != nil && missing > 0 {
		m.State = paper.Interrupted
	} else {
		m.Ended = time.Now().UTC().Format(time.RFC3339)
	}
	if err := e.renderAll(); err != nil {
		return err
	}
	switch {
	case m.State == paper.Interrupted:
		return fmt.Errorf("bench: %d of %d runs are done; the same command goes on: %w", len(m.Points)-missing-failed, len(m.Points),
			ctx.Err())
	case e.worst != nil:
		err := fmt.Errorf("bench: %d of %d runs failed, the worst: %w", failed, len(m.Points), e.worst)
		if run, ok := errors.AsType[*RunError](e.worst); ok {
			return &RunError{run.Code, err.Error()[len("bench: "):]}
		}
		return err
	}
	return nil
}
