package bench

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Search is what FindMax did: the highest rate of an open loop that keeps an objective, to within searchWithin.
type Search struct {
	SLO   SLO
	Steps []SearchStep
	Max   int // payments a second; 0 when no rate that was tried keeps it
}

// SearchStep is one rate that was tried.
type SearchStep struct {
	Point
	Why string // it does not hold, "" when it does
}

const (
	// maxSearchSteps bounds a search; each step halves the range.
	maxSearchSteps = 10
	searchWithin   = 0.02
	// searchBeyond the rate of a closed loop no rate is tried.
	searchBeyond = 1.05
	// searchInFlight is what the closed loop has in flight that finds the range.
	searchInFlight = 1000
)

// FindMax searches by bisection. A run of the closed loop first tells where no rate can be kept any more. A rate holds when
// it was sent and confirmed, nothing was lost or rejected, and the latency from when each payment was due keeps the
// objective.
func FindMax(ctx context.Context, o Options, slo SLO, stderr io.Writer) (*Search, error) {
	s := &Search{SLO: slo}
	var runs runner
	closed := o
	closed.Rate, closed.MaxInFlight = 0, searchInFlight
	fmt.Fprintf(stderr, "\n== closed loop: what is the most?\n")
	r, err := runs.run(ctx, closed, stderr)
	if err == nil {
		err = r.Err(false)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return s, err
	}
	low, high := 0.0, searchBeyond*r.RatePerSec
	fmt.Fprintf(stderr, "%s %s%s\n", grouped(int(r.RatePerSec)), r.unit().perSecond, r.verdict())
	for len(s.Steps) < maxSearchSteps && high-low > searchWithin*high && high >= 2 {
		o.Rate = float64(int((low + high) / 2))
		fmt.Fprintf(stderr, "\n== %s: %s/s (step %d)\n", slo, grouped(int(o.Rate)), len(s.Steps)+1)
		step, err := s.try(ctx, &runs, o, stderr)
		if err != nil {
			return s, err
		}
		if step.Why == "" {
			low, s.Max = o.Rate, int(o.Rate)
		} else {
			high = o.Rate
		}
	}
	return s, s.err()
}

// try runs one step. An interruption is an error; a run that fails is a rate that does not hold.
func (s *Search) try(ctx context.Context, runs *runner, o Options, stderr io.Writer) (SearchStep, error) {
	step := SearchStep{Point: Point{Value: int(o.Rate)}}
	o.Command = append(slices.Clone(o.Command), fmt.Sprintf("--rate=%d", step.Value))
	r, err := runs.run(ctx, o, stderr)
	if ctx.Err() != nil {
		return step, ctx.Err()
	}
	if err != nil {
		return step, err
	}
	step.Result, step.Why = r, s.SLO.holds(r)
	s.Steps = append(s.Steps, step)
	fmt.Fprintln(stderr, step.verdict())
	return step, nil
}

// holds says why r is no proof that its rate can be kept, "" when it is.
func (slo SLO) holds(r *Result) string {
	if err := r.Err(false); err != nil {
		return err.Error()
	}
	for _, flag := range []string{FlagGeneratorBound, FlagOverloaded, FlagExhausted, FlagInterrupted} {
		if slices.Contains(r.Flags, flag) {
			return flag
		}
	}
	l := r.latency()
	return slo.broken(&l)
}

func (s *SearchStep) verdict() string {
	if s.Why == "" {
		return "holds"
	}
	return "does not hold: " + s.Why
}

func (s *Search) err() error {
	if s.Max > 0 {
		return nil
	}
	return &RunError{ExitFailed, fmt.Sprintf("no rate that was tried keeps %s", s.SLO)}
}

// Best is the run with the highest rate that holds, nil when there is none.
func (s *Search) Best() *Result {
	for i := range s.Steps {
		if s.Steps[i].Value == s.Max && s.Steps[i].Why == "" {
			return s.Steps[i].Result
		}
	}
	return nil
}

// WriteText prints each step, the highest rate that holds, and the benchmark line of its run.
func (s *Search) WriteText(out io.Writer) error {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "asked/s\tsent/s\tconfirmed/s\tp50 ms\tp90\tp99\tp99.9\tmax\tservice p99\tnode CPU µs\t")
	for _, step := range s.Steps {
		writePoint(w, step.Point)
		fmt.Fprintf(w, "\t\t\t\t\t\t\t\t\t\t %s\n", step.verdict())
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if best := s.Best(); best != nil {
		fmt.Fprintf(&b, "The highest rate that holds %s: %s %s, to within %.0f %%\n%s\n", s.SLO, grouped(s.Max), best.unit().perSecond,
			100*searchWithin, best.benchmarkLine())
	} else {
		fmt.Fprintf(&b, "No rate that was tried holds %s\n", s.SLO)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// WriteFile writes all steps into one file, as JSON.
func (s *Search) WriteFile(name string) error {
	f := curveFile{Schema: schemaVersion, Curve: rateCurve, SLO: s.SLO.String(), Max: s.Max}
	for i := range s.Steps {
		step := &s.Steps[i]
		held := step.Why == ""
		f.Points = append(f.Points, pointJSON{Value: step.Value, Held: &held, Result: step.Result})
	}
	return f.write(name)
}
