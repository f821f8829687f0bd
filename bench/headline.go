package bench

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// besideRow is a rate of ours beside the paper's of the same phase and committee.
type besideRow struct {
	Committee string
	RateOf    string
	Claim     string // the paper's headline that this is, "" when it is none
	Paper     string // a second, on 48 cores
	PaperCore string
	Ours      string
	Protocol  string
	OursCore  string
	Ratio     string // per core
	cores     int    // ours
}

// headlines are what the paper says of itself, as what it was: a rate of one phase, of a size of committee.
var headlines = []struct {
	committee int
	phase     Phase
	text      string
}{
	{4, Orders, `"160,000"`},
	{20, Confirmations, `"over 80,000 tx/s with 20 authorities"`},
}

// besidePaper sets results beside the paper's Figure 7: by committee, then each phase alone, then whole payments. Results
// that are wrong, and committees that the paper does not have, are left out; of several of one kind the longest valid one stands.
func besidePaper(results []*Result) (rows []besideRow, err error) {
	points, err := paperPoints()
	if err != nil {
		return nil, err
	}
	phases := []string{Orders.String(), Confirmations.String(), Payments.String()}
	sorted := slices.SortedStableFunc(slices.Values(results), func(a, b *Result) int {
		return cmp.Or(a.CommitteeSize-b.CommitteeSize, cmp.Compare(a.Protocol, b.Protocol),
			slices.Index(phases, a.Phase)-slices.Index(phases, b.Phase), btoi(b.Valid)-btoi(a.Valid), cmp.Compare(b.Seconds, a.Seconds))
	})
	sorted = slices.CompactFunc(sorted, func(a, b *Result) bool {
		return a.CommitteeSize == b.CommitteeSize && a.Protocol == b.Protocol && a.Phase == b.Phase
	})
	for _, r := range sorted {
		p, ok := paperAt(points, r.CommitteeSize)
		if !ok || r.Err(false) != nil || r.counted() == 0 || r.Committee != nil {
			continue
		}
		paper := map[string]float64{phases[0]: p.orders, phases[1]: p.confirmations, phases[2]: p.payments()}[r.Phase]
		row := besideRow{
			Committee: grouped(r.CommitteeSize), RateOf: r.unit().many, Paper: grouped(int(paper)),
			PaperCore: grouped(int(paper / paperCores)), Ours: grouped(int(r.RatePerSec)), Protocol: strings.ToUpper(r.Protocol),
			OursCore: grouped(int(r.RatePerCore)), Ratio: fmt.Sprintf("%.0f", r.RatePerCore/(paper/paperCores)), cores: r.Environment.Cores,
		}
		if p.interpolated {
			row.Paper += " (between its points)"
		}
		for _, h := range headlines {
			if h.committee == r.CommitteeSize && h.phase.String() == r.Phase {
				row.Claim = h.text
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// renderPaper sets the paper's rates beside ours.
func renderPaper(b *strings.Builder, results []*Result) error {
	rows, err := besidePaper(results)
	if err != nil || len(rows) == 0 {
		return err
	}
	fmt.Fprintf(b, "### Beside the paper\n\n"+whatPaper+"\n\n"+
		"| Committee | Rate of | The paper's headline | Paper, a second | per core of 48 | Ours, a second | per core of %d | "+
		"Ours / paper, per core |\n|---:|---|---|---:|---:|---:|---:|---:|\n", rows[0].cores)
	for _, r := range rows {
		ours := r.Ours + " " + r.Protocol
		if r.RateOf == units[Payments].many {
			ours = "**" + r.Ours + "** " + r.Protocol
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", r.Committee, r.RateOf, r.Claim, r.Paper, r.PaperCore, ours, r.OursCore,
			r.Ratio)
	}
	fmt.Fprintf(b, "\nOurs: %s by the commands [below](#to-repeat-it).\n\n", strings.ToLower(measuredAt(results...)))
	return nil
}

const whatPaper = `The paper's "over 80,000 tx/s with 20 authorities" and "160,000" are rates of one phase: transfer orders alone, or
confirmation orders alone, on 48 cores (Figure 7, 75 shards, UDP, one million in all, 1,000 in flight; means of 9 runs from the
published logs). A payment needs one of each, hence its rate is 1/(1/orders + 1/confirmations). Its replies were counted and not
checked, and credits to other shards were not awaited. Its machine is older and larger than this one: the ratio per core
compares two machines along with two programs.`
