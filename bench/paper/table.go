package paper

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Table is what a figure is rendered as text from.
type Table struct {
	Figure       Figure
	Observations []Observation // of both sources
	Summaries    []Summary     // instead of observations, where those were not kept
	Points       []Point       // of its experiment
	Notes        []string      // how its scale differs from the paper's
	Machine      string        // ours, on a line
}

// Markdown is the figure as a table, ours beside the paper's.
func (t *Table) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s: %s\n\n", t.Figure.Name(), t.Figure.Title)
	all := t.Summaries
	if all == nil {
		all = Summarize(t.Observations)
	}
	switch {
	case t.Figure.Experiment == Times:
		writeTimes(&b, all)
	case t.Figure.Experiment == WAN, t.Figure.Experiment == Crash:
		t.writeLatencies(&b, all)
	default:
		t.writeRates(&b, all)
	}
	b.WriteString("\n")
	for _, note := range t.Notes {
		fmt.Fprintf(&b, "- %s\n", note)
	}
	for _, p := range t.Points {
		if p.State == Failed {
			fmt.Fprintf(&b, "- failed: %s: %s\n", p.File, strings.ReplaceAll(p.Error, "\n", " "))
		}
	}
	fmt.Fprintf(&b, "- ours: %s; the paper's: %s\n", t.Machine, Machine)
	return b.String()
}

// writeRates has a row for each point of the phase that the figure draws.
func (t *Table) writeRates(b *strings.Builder, all []Summary) {
	f := &t.Figure
	fmt.Fprintf(b, "| %s | %s | Ours, %s | per core | Runs | The paper's | per core | Per core, ours to the paper's |",
		capital(f.Series), f.XLabel, f.Phase+"/s")
	for _, phase := range f.Phases[1:] {
		fmt.Fprintf(b, " Ours, %s/s |", phase)
	}
	b.WriteString("\n|---:|---:|---:|---:|---:|---:|---:|---:|" + strings.Repeat("---:|", len(f.Phases)-1) + "\n")
	m := newMatch(*f, all)
	for _, s := range pick(all, func(s *Summary) bool { return s.Source == Ours && s.Phase == f.Phase }) {
		fmt.Fprintf(b, "| %s | %d | %s | %s | %d | ", Grouped(s.Series), s.X, s.spread(), rounded(s.PerCore()), s.Runs)
		if theirs, how := m.of(&s); theirs != nil {
			if how != "" {
				how = " (" + how + ")"
			}
			fmt.Fprintf(b, "%s%s | %s | %s |", theirs.spread(), how, rounded(theirs.PerCore()), times(s.PerCore(), theirs.PerCore()))
		} else {
			b.WriteString("– | – | – |")
		}
		for _, phase := range f.Phases[1:] {
			other := pick(all, func(o *Summary) bool {
				return o.Source == Ours && o.Phase == phase && o.Series == s.Series && o.X == s.X
			})
			cell := "–"
			if len(other) == 1 {
				cell = other[0].spread()
			}
			fmt.Fprintf(b, " %s |", cell)
		}
		b.WriteString("\n")
	}
	if flagged := flagsOf(all); len(flagged) > 0 {
		fmt.Fprintf(b, "\nFlags of some runs: %s; the CSV file says which.\n", strings.Join(flagged, ", "))
	}
}

// flagsOf lists the flags of our runs, each once.
func flagsOf(all []Summary) (flags []string) {
	for _, s := range all {
		for _, flag := range s.Flags {
			if !slices.Contains(flags, flag) {
				flags = append(flags, flag)
			}
		}
	}
	slices.Sort(flags)
	return flags
}

// writeLatencies has a row for each point, with both measures.
func (t *Table) writeLatencies(b *strings.Builder, all []Summary) {
	fmt.Fprintf(b, "| Client in | %s | Ours, quorum: ms | median / p99 | Ours, all replied: ms | median / p99 | Orders | "+
		"The paper's, all replied: ms |\n|---|---:|---:|---:|---:|---:|---:|---:|\n", t.Figure.XLabel)
	ours := pick(all, func(s *Summary) bool { return s.Source == Ours && s.Measure == Quorum })
	for _, quorum := range ours {
		same := func(source Source) []Summary {
			return pick(all, func(s *Summary) bool {
				return s.Source == source && s.Measure == AllLive && s.Series == quorum.Series && s.X == quorum.X
			})
		}
		fmt.Fprintf(b, "| %s | %d | %s | %s |", quorum.Series, quorum.X, quorum.spreadMs(), quorum.percentiles())
		if live := same(Ours); len(live) == 1 {
			fmt.Fprintf(b, " %s | %s |", live[0].spreadMs(), live[0].percentiles())
		} else {
			b.WriteString(" – | – |")
		}
		theirs := "–"
		if paper := same(Paper); len(paper) == 1 {
			theirs = paper[0].spreadMs()
		}
		fmt.Fprintf(b, " %d | %s |\n", quorum.N, theirs)
	}
	told := make(map[string]bool)
	for _, p := range t.Points {
		key := p.Series + strconv.Itoa(p.X)
		if p.State == NoLiveness && !told[key] {
			told[key] = true
			fmt.Fprintf(b, "| %s | %d | no certificate: %s | | | | 0 | – |\n", p.Series, p.X, p.Error)
		}
	}
}

// writeTimes is Table 1.
func writeTimes(b *strings.Builder, all []Summary) {
	b.WriteString("| Measure | Ours, one: µs | Ours, of many at once: µs each | The paper's: µs | Paper's to ours, one | of many |\n" +
		"|---|---:|---:|---:|---:|---:|\n")
	find := func(source Source, operation, measure string) *Summary {
		for i := range all {
			if s := &all[i]; s.Source == source && s.Phase == operation && s.Measure == measure {
				return s
			}
		}
		return nil
	}
	for _, operation := range Operations {
		one, many, theirs := find(Ours, operation, Single), find(Ours, operation, Batched), find(Paper, operation, Single)
		row := []string{OperationName(operation), one.spreadMs(), many.spreadMs(), theirs.spreadMs(), "–", "–"}
		for i, s := range []*Summary{one, many} {
			if s != nil && theirs != nil {
				row[4+i] = times(theirs.Mean, s.Mean)
			}
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
	}
}

// spread is a rate: mean ± standard deviation.
func (s *Summary) spread() string {
	if s.N < 2 {
		return rounded(s.Mean)
	}
	return rounded(s.Mean) + " ± " + rounded(s.Std)
}

// spreadMs is a time with digits: mean ± standard deviation; a dash for none.
func (s *Summary) spreadMs() string {
	switch {
	case s == nil:
		return "–"
	case s.N < 2:
		return digits(s.Mean)
	}
	return digits(s.Mean) + " ± " + digits(s.Std)
}

func (s *Summary) percentiles() string {
	if s.P99 == 0 {
		return digits(s.Median) + " / –"
	}
	return digits(s.Median) + " / " + digits(s.P99)
}

// rounded is a whole number with commas.
func rounded(v float64) string { return Grouped(strconv.Itoa(int(math.Round(v)))) }

// digits is v with three of them that count, or all before the point.
func digits(v float64) string {
	switch {
	case v >= 100 || v == 0:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case v >= 1:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}

// times is how many times b fits in a; a dash when it is nothing.
func times(a, b float64) string {
	if b <= 0 {
		return "–"
	}
	return digits(a/b) + "×"
}

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
