package bench

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// renderDurability is the part of a report about what it costs that a payment survives a crash: each result beside the one of the
// same committee without a journal.
func renderDurability(results []*Result) string {
	modes := []string{"none", "async", "sync"}
	results = slices.SortedStableFunc(slices.Values(results), func(a, b *Result) int {
		return cmp.Or(a.CommitteeSize-b.CommitteeSize, slices.Index(modes, a.Durability)-slices.Index(modes, b.Durability))
	})
	memory := make(map[int]*Result) // by committee
	for _, r := range results {
		if r.Durability == "none" && r.RatePerSec > 0 {
			memory[r.CommitteeSize] = r
		}
	}
	var b strings.Builder
	b.WriteString("## Durability\n\n" + whatDurability + "\n\n| Committee | Durability | Payments/s | of the rate in memory | " +
		"Latency p50 / p99 / p99.9, ms | CPU µs a payment: authority | Journal, bytes a payment | Payments a sync | Rejected / lost | " +
		"Money conserved | Verdict |\n|---:|---|---:|---:|---|---:|---:|---:|---|---|---|\n")
	for _, r := range results {
		part, syncs, l := "-", "-", r.latency()
		if m := memory[r.CommitteeSize]; m != nil && m != r {
			part = fmt.Sprintf("%.0f %%", 100*r.RatePerSec/m.RatePerSec)
		}
		if r.SyncsPerPayment > 0 {
			syncs = grouped(int(1 / r.SyncsPerPayment))
		}
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %s / %s / %s | %.2f | %.0f | %s | %d / %d | %s | %s |\n", r.CommitteeSize, r.Durability,
			rateOrDash(r, r.RatePerSec), part, inMs(l.P50), inMs(l.P99), inMs(l.P999), r.CPUUsPerPayment.Node, r.JournalBytesPerPay, syncs,
			r.Rejected, r.Lost, yesNo(r.Conserved), verdictCell(r.Flags))
	}
	fmt.Fprintf(&b, "\n%s. `./bench.sh --durable` repeats it. Each line alone:\n\n", measuredAt(results...))
	renderCommands(&b, results)
	return strings.TrimRight(b.String(), "\n") + "\n"
}

const whatDurability = `With *sync* no reply leaves before its record is on the disk, and whatever a client was told survives a crash of the machine.
With *async* the journal is synced behind the replies. With *none* there is no journal, as in the paper. Runs of one committee follow each
other, on the disk of this machine.`
