package bench

import (
	"fmt"
	"slices"
	"strings"

	"fastpay/bench/paper"
)

// paperRun is a run of the paper's experiments, in its folder or as it was kept.
type paperRun struct {
	dir      string
	manifest *paper.Manifest
	figures  []paperPart
	headline []paper.HeadlineRow
}

// paperPart is a figure of a run, with what was measured and the paper's.
type paperPart struct {
	paper.Figure
	state     *paper.FigureState
	summaries []paper.Summary
	points    []paper.Point
}

func readPaperRun(dir string) (*paperRun, error) {
	m, err := paper.ReadManifest(dir)
	if err != nil {
		return nil, err
	}
	p := &paperRun{dir: dir, manifest: m}
	var rates []paper.Observation
	for i := range m.Figures {
		state := &m.Figures[i]
		found, err := paper.FindFigures(state.ID)
		if err != nil {
			return nil, err
		}
		part := paperPart{Figure: found[0], state: state}
		if part.summaries, err = paper.ReadSummaries(dir, part.Figure); err != nil {
			return nil, err
		}
		for _, point := range m.Points {
			if point.Experiment == part.Experiment && (point.Phase == "" || slices.Contains(part.Phases, point.Phase)) {
				part.points = append(part.points, point)
			}
		}
		p.figures = append(p.figures, part)
		if state.CSV == part.File(".csv") {
			some, err := paper.ReadObservations(dir, part.ID)
			if err != nil {
				return nil, err
			}
			rates = append(rates, some...)
		}
	}
	p.headline, err = paper.Headline(rates)
	return p, err
}

func (p *paperRun) machine() string { return machineOf(&p.manifest.Environment) }

// commits are those at which a figure was measured.
func (p *paperRun) commits(part *paperPart) (builds []string) {
	if len(part.state.Commits) > 0 {
		return part.state.Commits
	}
	for _, point := range part.points {
		if build := buildOf(point.Commit, point.Dirty); point.State == paper.Done && !slices.Contains(builds, build) {
			builds = append(builds, build)
		}
	}
	return builds
}

// render is the part of a report with all figures that were run.
func (p *paperRun) render() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## The paper's figures and tables\n\n%s\n\n", p.about())
	b.WriteString(paper.HeadlineMarkdown(p.headline, p.machine()) + "\n")
	for i := range p.figures {
		part := &p.figures[i]
		b.WriteString(p.markdown(part) + "\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// markdown is a figure's table, with what it is from.
func (p *paperRun) markdown(part *paperPart) string {
	t := paper.Table{Figure: part.Figure, Summaries: part.summaries, Points: part.points, Notes: part.state.Notes, Machine: p.machine()}
	text := t.Markdown()
	if builds := p.commits(part); len(builds) > 0 {
		text += fmt.Sprintf("- measured at %s %s: `fastpay bench paper --figure %s --scale %s`\n", plural(len(builds), "commit"),
			strings.Join(builds, ", "), part.ID, p.manifest.Scale)
	}
	return text
}

// about says what was run, when, and how much of it is there.
func (p *paperRun) about() string {
	m := p.manifest
	text := fmt.Sprintf("Measured %.10s by `%s`, scale %s: %d %s of each point. `./bench.sh --paper` repeats it.", m.Started,
		strings.Join(m.Command, " "), m.Scale, m.Repetitions, plural(m.Repetitions, "run"))
	if m.State != paper.Complete {
		text += fmt.Sprintf(" **The run is %s.**", m.State)
	}
	return text
}
