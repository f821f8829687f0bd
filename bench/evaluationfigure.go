package bench

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"fastpay/bench/paper"
)

// renderExperiment writes the figures of an experiment.
func (e *evaluation) renderExperiment(experiment string) error {
	for i := range e.manifest.Figures {
		if state := &e.manifest.Figures[i]; state.Experiment == experiment {
			if err := e.renderFigure(state); err != nil {
				return err
			}
		}
	}
	return nil
}

// renderAll writes all figures, the headline, and the manifest.
func (e *evaluation) renderAll() error {
	var rates []paper.Observation
	for i := range e.manifest.Figures {
		state := &e.manifest.Figures[i]
		if err := e.renderFigure(state); err != nil {
			return err
		}
		ours, err := paper.ReadObservations(e.Dir, state.ID)
		if err != nil {
			return err
		}
		rates = append(rates, ours...)
	}
	rows, err := paper.Headline(rates)
	if err != nil {
		return err
	}
	table, err := paper.HeadlineCSV(rows)
	if err != nil {
		return err
	}
	if err := replaceFile(filepath.Join(e.Dir, "headline.csv"), table); err != nil {
		return err
	}
	text := paper.HeadlineMarkdown(rows, e.machine())
	if err := replaceFile(filepath.Join(e.Dir, "headline.md"), []byte(text)); err != nil {
		return err
	}
	return e.save()
}

// machine is what the runs were made on.
func (e *evaluation) machine() string { return machineOf(&e.manifest.Environment) }

// renderFigure writes the files of a figure from the runs that are done.
func (e *evaluation) renderFigure(state *paper.FigureState) error {
	found, err := paper.FindFigures(state.ID)
	if err != nil {
		return err
	}
	f := found[0]
	var points []paper.Point
	state.Points, state.Done, state.Failed = 0, 0, 0
	for _, p := range e.manifest.Points {
		if p.Experiment != f.Experiment || p.Phase != "" && !slices.Contains(f.Phases, p.Phase) {
			continue
		}
		points = append(points, p)
		state.Points++
		state.Done += btoi(p.State == paper.Done || p.State == paper.NoLiveness)
		state.Failed += btoi(p.State == paper.Failed)
	}
	ours, err := e.observe(f, points)
	if err != nil {
		return err
	}
	theirs, err := paper.Reference(f)
	if err != nil {
		return err
	}
	all := append(ours, theirs...)
	table, err := paper.EncodeCSV(all)
	if err != nil {
		return err
	}
	if err := replaceFile(filepath.Join(e.Dir, state.CSV), table); err != nil {
		return err
	}
	text := paper.Table{Figure: f, Observations: all, Points: points, Notes: state.Notes, Machine: e.machine()}
	if err := replaceFile(filepath.Join(e.Dir, state.Markdown), []byte(text.Markdown())); err != nil {
		return err
	}
	if state.SVG, err = e.draw(f, all, paper.Ours, ".svg"); err == nil {
		state.PaperSVG, err = e.draw(f, all, paper.Paper, "-paper.svg")
	}
	return err
}

// draw writes the figure of one source, and returns the file's name: "" when there is nothing to draw.
func (e *evaluation) draw(f paper.Figure, all []paper.Observation, source paper.Source, suffix string) (string, error) {
	svg, err := paper.Draw(f, all, source)
	if err != nil || svg == "" {
		return "", err
	}
	return f.File(suffix), replaceFile(filepath.Join(e.Dir, f.File(suffix)), []byte(svg))
}

// observe reads what was measured at the points that are done.
func (e *evaluation) observe(f paper.Figure, points []paper.Point) (all []paper.Observation, err error) {
	for _, p := range points {
		if p.State != paper.Done {
			continue
		}
		some, err := observePoint(f, p, filepath.Join(e.Dir, p.File))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// observePoint is what one run's file has for a figure.
func observePoint(f paper.Figure, p paper.Point, file string) (all []paper.Observation, err error) {
	o := paper.Observation{Figure: f.ID, Source: paper.Ours, Phase: p.Phase, Series: p.Series, X: p.X, Repetition: p.Repetition, N: 1,
		File: filepath.ToSlash(p.File), Commit: p.Commit}
	switch f.Experiment {
	case paper.Times:
		t, err := ReadOperationTimes(file)
		if err != nil {
			return nil, err
		}
		return operationObservations(o, t), nil
	case paper.WAN, paper.Crash:
		r, err := ReadLatencyRun(file)
		if err != nil {
			return nil, err
		}
		return latencyObservations(o, f.Phase, r), nil
	}
	r, err := ReadResult(file)
	if err != nil {
		return nil, err
	}
	if r.counted() == 0 {
		return nil, fmt.Errorf("bench: %s has no rate", file)
	}
	o.Measure, o.Value, o.Unit, o.Cores = paper.Rate, r.RatePerSec, paper.UnitOf(p.Phase), r.Environment.Cores
	flags := slices.DeleteFunc(slices.Clone(r.Flags), func(flag string) bool { return flag == FlagShortWindow })
	o.Flags = strings.Join(flags, " ")
	return []paper.Observation{o}, nil
}

func operationObservations(o paper.Observation, t *OperationTimes) (all []paper.Observation) {
	o.Unit, o.Series = "µs", ""
	for _, row := range t.Operations {
		o.Phase, o.Measure, o.Value = row.Name, paper.Single, row.SingleUs
		all = append(all, o)
		if row.BatchedUs != nil {
			o.Measure, o.Value = paper.Batched, *row.BatchedUs
			all = append(all, o)
		}
	}
	return all
}

// latencyObservations has the two latencies of each payment's order or certificate.
func latencyObservations(o paper.Observation, phase string, r *LatencyRun) (all []paper.Observation) {
	o.Phase, o.Unit = phase, "ms"
	for i, s := range r.Samples {
		quorum, live := s.OrderQuorum, s.OrderAll
		if phase == paper.Confirmation {
			quorum, live = s.CertificateQuor, s.CertificateAll
		}
		o.Sample = i + 1
		o.Measure, o.Value = paper.Quorum, float64(quorum)/1e3
		all = append(all, o)
		o.Measure, o.Value = paper.AllLive, float64(live)/1e3
		all = append(all, o)
	}
	return all
}
