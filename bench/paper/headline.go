package paper

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
)

// HeadlineRow sets one rate that the paper is known for beside ours, as what it was.
type HeadlineRow struct {
	Claim       string // in the paper's words; "" where it has none about this phase
	Phase       string
	Authorities int
	Theirs      float64 // by the paper's data, a second
	How         string  // it comes from the data
	Ours        Summary // the best of our points; N is 0 when none was measured
}

// The paper's claims.
const (
	claim20 = "over 80,000 tx/s with 20 authorities"
	claim4  = "up to 160,000 tx/s"
)

// Headline compares the paper's headline with what is in the observations of our figures. A "tx" of the paper is an order of
// one phase; a payment needs one of each.
func Headline(ours []Observation) ([]HeadlineRow, error) {
	all, err := reference()
	if err != nil {
		return nil, err
	}
	theirs := Summarize(all)
	measured := Summarize(committeeFour(ours))
	between := func(phase string) float64 { return interpolate(theirs, phase, "75", 20) }
	four := committeeFour(all)
	best4 := Summarize(four)
	orders4, confirmations4 := best(best4, Paper, Orders, 4), best(best4, Paper, Confirmations, 4)
	// Of both phases at one point, not of the best of each.
	settled4 := 0.0
	for _, o := range four {
		for _, c := range four {
			if o.Phase == Orders && c.Phase == Confirmations && o.X == 4 && c.X == 4 && o.Series == c.Series {
				settled4 = max(settled4, Settled(o.Value, c.Value))
			}
		}
	}
	rows := []HeadlineRow{
		{claim20, Confirmations, 20, between(Confirmations), "between 19 and 22 authorities, 75 shards", Summary{}},
		{"", Orders, 20, between(Orders), "between 19 and 22 authorities, 75 shards", Summary{}},
		{"", Payments, 20, Settled(between(Orders), between(Confirmations)), "of both phases, as one after the other", Summary{}},
		{claim4, Orders, 4, orders4.Mean, "the best point", Summary{}},
		{claim4, Confirmations, 4, confirmations4.Mean, "the best point", Summary{}},
		{"", Payments, 4, settled4, "of both phases at the best point, as one after the other", Summary{}},
	}
	for i := range rows {
		rows[i].Ours = best(measured, Ours, rows[i].Phase, rows[i].Authorities)
	}
	return rows, nil
}

// committeeFour is rates with the committee's size as x, and all that a series is of as its name.
func committeeFour(all []Observation) (some []Observation) {
	of := Figure{Series: "shards"}
	for _, o := range all {
		if o.Measure != Rate {
			continue
		}
		if o.Figure == "7" {
			o.Series = of.seriesName(o.Series, Rate)
		} else {
			what := map[string]string{"5": "in flight", "6": "in flight", "11": "load", "12": "load"}[o.Figure]
			o.Series = fmt.Sprintf("%s, %s %s", of.seriesName(strconv.Itoa(o.X), Rate), what, Grouped(o.Series))
			o.X = 4
		}
		some = append(some, o)
	}
	return some
}

// best is the summary with the highest mean; N is 0 when there is none.
func best(all []Summary, source Source, phase string, authorities int) (most Summary) {
	for _, s := range all {
		if s.Source == source && s.Phase == phase && s.X == authorities && s.Measure == Rate && s.Mean > most.Mean {
			most = s
		}
	}
	return most
}

// interpolate is the paper's rate at x of a series of Figure 7, on a line between its neighbors.
func interpolate(all []Summary, phase, series string, x int) float64 {
	var below, above *Summary
	for i := range all {
		s := &all[i]
		if s.Phase != phase || s.Series != series || s.Source != Paper {
			continue
		}
		if s.X <= x && (below == nil || s.X > below.X) {
			below = s
		}
		if s.X >= x && (above == nil || s.X < above.X) {
			above = s
		}
	}
	switch {
	case below == nil || above == nil:
		return 0
	case below.X == above.X:
		return below.Mean
	}
	return below.Mean + (above.Mean-below.Mean)*float64(x-below.X)/float64(above.X-below.X)
}

// HeadlineMarkdown is the table, with what its words mean.
func HeadlineMarkdown(rows []HeadlineRow, machine string) string {
	var b strings.Builder
	b.WriteString("### The headline: what the paper's figures were, and ours as the same\n\n" +
		"| The paper says | which is | Authorities | The paper's data, a second | per core | Ours, a second | per core | Runs | " +
		"In all, ours to the paper's | Per core |\n|---|---|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, r := range rows {
		claim := "–"
		if r.Claim != "" {
			claim = "“" + r.Claim + "”"
		}
		perCore := r.Theirs / Cores
		fmt.Fprintf(&b, "| %s | %s | %d | %s (%s) | %s |", claim, headlinePhase(r.Phase), r.Authorities, rounded(r.Theirs), r.How,
			rounded(perCore))
		if r.Ours.N == 0 {
			b.WriteString(" not measured | – | – | – | – |\n")
			continue
		}
		fmt.Fprintf(&b, " %s (%s) | %s | %d | %s | %s |\n", r.Ours.spread(), r.Ours.Series, rounded(r.Ours.PerCore()), r.Ours.Runs,
			times(r.Ours.Mean, r.Theirs), times(r.Ours.PerCore(), perCore))
	}
	fmt.Fprintf(&b, "\nOne authority was measured, beside its load generator, with orders and certificates made before the clock. A payment "+
		"is order, vote, certificate, debit and credit. Ours: %s; the paper's: %s.\n", machine, Machine)
	return b.String()
}

func headlinePhase(phase string) string {
	switch phase {
	case Orders:
		return "transfer orders/s"
	case Confirmations:
		return "confirmation orders/s"
	}
	return "payments/s"
}

// HeadlineCSV is the table for programs.
func HeadlineCSV(rows []HeadlineRow) ([]byte, error) {
	lines := [][]string{{"claim", "phase", "authorities", "paper", "paper_per_core", "paper_how", "ours", "ours_std", "runs",
		"ours_cores", "ours_per_core", "ours_series"}}
	for _, r := range rows {
		lines = append(lines, []string{r.Claim, r.Phase, strconv.Itoa(r.Authorities), decimal(r.Theirs), decimal(r.Theirs / Cores), r.How,
			decimal(r.Ours.Mean), decimal(r.Ours.Std), strconv.Itoa(r.Ours.Runs), strconv.Itoa(r.Ours.Cores),
			decimal(r.Ours.PerCore()), r.Ours.Series})
	}
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(lines); err != nil {
		return nil, fmt.Errorf("paper: %w", err)
	}
	return b.Bytes(), nil
}
