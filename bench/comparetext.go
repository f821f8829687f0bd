package bench

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// WriteText prints c as a table for each configuration, with the verdict last.
func (c *Comparison) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "A: %s\nB: %s\n", c.A, c.B)
	for _, note := range c.Notes {
		fmt.Fprintf(&b, "differs in %s\n", note)
	}
	for i := range c.Groups {
		c.Groups[i].writeText(&b)
	}
	for _, name := range c.OnlyA {
		fmt.Fprintf(&b, "\nonly in A: %s\n", name)
	}
	for _, name := range c.OnlyB {
		fmt.Fprintf(&b, "\nonly in B: %s\n", name)
	}
	for _, g := range c.Gates {
		word := "holds"
		if g.Failed {
			word = "FAILED"
		}
		fmt.Fprintf(&b, "\ngate '%s' %s: %s (%s)\n", g.Condition, word, g.Because, g.Benchmark)
	}
	b.WriteByte('\n')
	for i := range c.Groups {
		fmt.Fprintf(&b, "Verdict: %s\n", c.Groups[i].summary())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s ComparedSide) String() string {
	return fmt.Sprintf("%s, %d %s, commit %s", s.Name, s.Runs, plural(s.Runs, "run"), strings.Join(s.Commits, ", "))
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

func (g *ComparedGroup) writeText(b *strings.Builder) {
	fmt.Fprintf(b, "\n%s\n", g.Benchmark)
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\tA\tB\tB/A\t95 %% interval\tnoise\tverdict\t\n")
	for _, row := range g.rows() {
		fmt.Fprintf(t, "%s\t\n", strings.Join(row, "\t"))
	}
	_ = t.Flush() // to memory
	for _, note := range g.Notes {
		fmt.Fprintf(b, "  %s\n", note)
	}
}

// rows are the cells of the group's table. What is zero on both sides has none.
func (g *ComparedGroup) rows() (rows [][]string) {
	for i := range g.Metrics {
		m := &g.Metrics[i]
		def, err := findMetric(m.Name)
		if err != nil || m.A.Median == 0 && m.B.Median == 0 {
			continue
		}
		name := def.name
		if i == 0 {
			name = g.Unit
		}
		rows = append(rows, []string{name, def.text(m.A.Median), def.text(m.B.Median), m.ratio(), m.interval(),
			fmt.Sprintf("%.1f %%", m.NoisePercent), m.Verdict})
	}
	return rows
}

func (m *ComparedMetric) ratio() string {
	if m.Ratio == nil {
		return "-"
	}
	return fmt.Sprintf("%.3fx", *m.Ratio)
}

func (m *ComparedMetric) interval() string {
	if m.Low == nil && min(m.A.Runs, m.B.Runs) > 1 {
		return "-" // zeros are in it
	}
	if m.Low == nil {
		return "one run"
	}
	return fmt.Sprintf("%.3f to %.3f", *m.Low, *m.High)
}

// summary is the verdict on the rate with what it rests on, and what to do when it is none.
func (g *ComparedGroup) summary() string {
	m, err := g.metric(metrics[0].name)
	if err != nil {
		return fmt.Sprintf("not comparable: %s of one side measured nothing (%s)", g.Unit, g.Benchmark)
	}
	s := fmt.Sprintf("%s: %s %s", g.Verdict, g.Unit, m.ratio())
	if m.Low != nil {
		s += fmt.Sprintf(" (%s)", m.interval())
	}
	s += fmt.Sprintf(", noise %.1f %%, %d and %d runs", m.NoisePercent, m.A.Runs, m.B.Runs)
	if min(m.A.Runs, m.B.Runs) < fewRuns {
		noise := "measured, of few runs"
		if m.NoiseAssumed {
			noise = "assumed"
		}
		s += fmt.Sprintf("; noise is %s: %d runs a side would tell", noise, fewRuns)
	}
	return s
}

// WriteFile writes c as JSON; the file appears whole or not at all.
func (c *Comparison) WriteFile(file string) error {
	return writeJSON(file, c)
}

// WriteMarkdown writes c as tables to quote; the file appears whole or not at all.
func (c *Comparison) WriteMarkdown(file string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "A: %s  \nB: %s\n", cell(c.A.String()), cell(c.B.String()))
	for i := range c.Groups {
		g := &c.Groups[i]
		fmt.Fprintf(&b, "\n**%s**\n\n`%s`\n\n| | A | B | B/A | 95 %% interval | Noise | Verdict |\n|---|---:|---:|---:|---|---:|---|\n",
			g.summary(), g.Benchmark)
		for _, row := range g.rows() {
			fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		}
		for _, note := range g.Notes {
			fmt.Fprintf(&b, "- %s\n", cell(note))
		}
	}
	for _, note := range c.Notes {
		fmt.Fprintf(&b, "- differs in %s\n", cell(note))
	}
	for _, name := range slices.Concat(c.OnlyA, c.OnlyB) {
		fmt.Fprintf(&b, "- only one side measured `%s`\n", name)
	}
	for _, g := range c.Gates {
		fmt.Fprintf(&b, "- gate `%s` failed: %t, %s\n", g.Condition, g.Failed, cell(g.Because))
	}
	return replaceFile(file, []byte(b.String()))
}
