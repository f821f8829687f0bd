package bench

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// renderCurves is the part of a report with a table for each curve.
func renderCurves(curves []Curve) string {
	var b strings.Builder
	first := firstResult(curves)
	b.WriteString("## Curves\n\n")
	if first != nil {
		e := first.Environment
		fmt.Fprintf(&b, whatCurves+"\n\n", first.Seconds, e.CPU, e.Cores, e.CryptoBackend)
	}
	for _, c := range curves {
		c.render(&b)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

const whatCurves = `Whole payments, with all replies verified, in windows of **%.0f s**: short, for the shape and not for quoting. Within
a table all other options are equal. %s, %d cores with the load generator on them, signatures by %s.
` + "`./bench.sh --curves` repeats them; each line is a JSON file, whose command and commit are below its table."

const whatAccounts = `All accounts are funded, and their balances are read after the run. No more of them pay than the
window has payments.`

func firstResult(curves []Curve) *Result {
	for _, c := range curves {
		for _, p := range c.Points {
			if p.Result != nil {
				return p.Result
			}
		}
	}
	return nil
}

func (c *Curve) render(b *strings.Builder) {
	kind, err := findCurve(c.Name)
	if err != nil {
		return // not of this version
	}
	axis := kind.axis
	fmt.Fprintf(b, "### %s\n\n", axis)
	if first := firstResult([]Curve{*c}); first != nil {
		fmt.Fprintf(b, "%s.", c.fixed(first))
		if c.Name == "accounts" {
			b.WriteString(" " + whatAccounts)
		}
		b.WriteString("\n\n")
	}
	fmt.Fprintf(b, "| %s | Payments/s | per core | Latency p50 / p99, ms | CPU µs a payment: authority / generator | "+
		"Requests a batch | Peak memory, MiB | Start, s | Money conserved | Verdict |\n"+
		"|---:|---:|---:|---|---|---:|---:|---:|---|---|\n", axis)
	var results []*Result
	for _, p := range c.Points {
		r := p.Result
		if r == nil {
			fmt.Fprintf(b, "| %s | - | - | - | - | - | - | - | - | %s |\n", grouped(p.Value), cell(p.LeftOut))
			continue
		}
		results = append(results, r)
		l := r.latency()
		fmt.Fprintf(b, "| %s | %s | %s | %s / %s | %.2f / %.2f | %.0f | %.0f | %.2f | %s | %s |\n", grouped(kind.get(r)),
			rateOrDash(r, r.RatePerSec), rateOrDash(r, r.RatePerCore), inMs(l.P50), inMs(l.P99), r.CPUUsPerPayment.Node,
			r.CPUUsPerPayment.Generator, r.MeanBatch, float64(r.PeakRSSBytes)/(1<<20), r.StartSeconds, yesNo(r.Conserved),
			curveVerdict(r))
	}
	b.WriteString("\n")
	if len(results) > 0 {
		b.WriteString(measuredAt(results...) + ":\n\n")
	}
	renderCommands(b, results)
}

// fixed says what the runs of a curve have in common.
func (c *Curve) fixed(r *Result) string {
	inFlight := grouped(r.MaxInFlight) + " payments in flight"
	if c.Name == rateCurve {
		inFlight = "at most " + inFlight
	}
	all := [...]struct{ name, text string }{
		{"committee", fmt.Sprintf("%d authorities", r.CommitteeSize)},
		{"shards", fmt.Sprintf("%d %s", r.NumShards, plural(r.NumShards, "shard"))},
		{"", fmt.Sprintf("%d %s", r.Workers, plural(r.Workers, "worker"))},
		{"accounts", grouped(r.NumAccounts) + " accounts"},
		{"in-flight", inFlight},
		{"connections", fmt.Sprintf("connections to each shard: %d", r.Connections)},
		{"", "over " + strings.ToUpper(r.Protocol)},
	}
	var parts []string
	for _, a := range all {
		if a.name != c.Name {
			parts = append(parts, a.text)
		}
	}
	s := strings.Join(parts, ", ")
	return strings.ToUpper(s[:1]) + s[1:]
}

// curveVerdict leaves out that the window is short, which stands above the tables.
func curveVerdict(r *Result) string {
	other := slices.DeleteFunc(slices.Clone(r.Flags), func(flag string) bool { return flag == FlagShortWindow })
	if len(other) == 0 {
		return "no other flag"
	}
	return verdictCell(other)
}

// cell makes text fit into a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", "/", "\n", " ").Replace(text)
}

// renderEndurance is the part of a report about memory over long runs, and about starting with many accounts.
func renderEndurance(results []*Result) string {
	var b strings.Builder
	b.WriteString("## Endurance\n\n" + whatEndurance + "\n\n| Payments | Accounts | Start, s | " +
		"Peak memory in the quarters of the run, MiB | Last quarter against the second | Payments/s | GC cycles | " +
		"Rejected / lost | Money conserved | Verdict |\n" +
		"|---:|---:|---:|---|---:|---:|---:|---|---|---|\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %s | %.2f | %s | %s | %s | %d | %d / %d | %s | %s |\n", grouped(r.PaymentsOK),
			grouped(r.NumAccounts), r.StartSeconds, strings.TrimSuffix(mebibytes(r.RSSQuartersBytes), " MiB"),
			r.growth(), rateOrDash(r, r.RatePerSec), r.GCCycles, r.Rejected, r.Lost, yesNo(r.Conserved), verdictCell(r.Flags))
	}
	fmt.Fprintf(&b, "\n%s. `./bench.sh --soak` repeats it. Each line alone:\n\n", measuredAt(results...))
	renderCommands(&b, results)
	return strings.TrimRight(b.String(), "\n") + "\n"
}

const whatEndurance = `Resident memory of the authority's process, read ten times a second, and the time from its start,
which begins with reading all accounts, to every port accepting. The archive of settled certificates is a ring of bounded size: once it has gone
around, nothing grows with the number of payments.`

// longRun is how many payments go around the archive before the second quarter of a run, with room to spare.
const longRun = 2_000_000

// growth is how the last quarter of a long run compares with the second: in the first the archive fills.
func (r *Result) growth() string {
	rss := r.RSSQuartersBytes
	if len(rss) != quarters || rss[1] == 0 || r.PaymentsOK < longRun {
		return "-"
	}
	percent := math.Round(1000*(float64(rss[3])/float64(rss[1])-1)) / 10
	return fmt.Sprintf("%+.1f %%", percent)
}
