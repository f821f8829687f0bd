package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"fastpay/bench/paper"
)

// KeepPaper puts what a report shows of a run of the paper's experiments into a run directory, in place of an earlier one: rates run
// by run, latencies as summaries, since they have many thousand samples, and a manifest without the points that are done. A run
// that is not over is an error.
func KeepPaper(from, dir string) error {
	m, err := paper.ReadManifest(from)
	if err != nil {
		return err
	}
	if m.State != paper.Complete && m.State != paper.Incomplete {
		return fmt.Errorf("bench: the run in %s is %s: 'fastpay bench paper' with the same options completes it", from, m.State)
	}
	kept := filepath.Join(dir, paperFolder)
	if err := os.RemoveAll(kept); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	for i := range m.Figures {
		if err := keepFigure(from, kept, m, &m.Figures[i]); err != nil {
			return err
		}
	}
	m.Points = slices.DeleteFunc(m.Points, func(p paper.Point) bool { return p.State == paper.Done })
	text, err := m.Encode()
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(kept, paper.ManifestFile), text)
}

func keepFigure(from, to string, m *paper.Manifest, state *paper.FigureState) error {
	found, err := paper.FindFigures(state.ID)
	if err != nil {
		return err
	}
	f := found[0]
	all, err := paper.ReadObservations(from, f.ID)
	if err != nil {
		return err
	}
	for _, p := range m.Points {
		if p.Experiment == f.Experiment && p.State == paper.Done {
			build := buildOf(p.Commit, p.Dirty)
			if !slices.Contains(state.Commits, build) {
				state.Commits = append(state.Commits, build)
			}
		}
	}
	slices.Sort(state.Commits)
	state.SVG, state.PaperSVG, state.Markdown = "", "", ""
	if f.Experiment == paper.WAN || f.Experiment == paper.Crash {
		text, err := paper.EncodeSummaries(paper.Summarize(all))
		if err != nil {
			return err
		}
		state.CSV = f.File(paper.SummarySuffix)
		return replaceFile(filepath.Join(to, state.CSV), text)
	}
	text, err := paper.EncodeCSV(all)
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(to, state.CSV), text)
}
