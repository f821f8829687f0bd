package bench

import (
	"fmt"
	"slices"
	"strings"

	"fastpay/node"
)

const whatDurability = `With *sync* no reply leaves before its record is on the disk, and whatever a client was told survives a crash of the
machine. With *async* the journal is synced behind the replies. With *none* there is no journal, as in the paper. Runs of one committee
take turns, snapshots included; figures are medians over the turns, and in brackets are the smallest and the largest ratio.`

// render is the part of a report about what it costs that a payment survives a crash.
func (d *durabilityRun) render() string {
	var b strings.Builder
	b.WriteString("## Durability\n\n")
	d.renderTurns(&b)
	d.renderTransfers(&b)
	d.renderSoak(&b)
	d.renderSnapshots(&b)
	d.renderStarts(&b)
	results := d.results()
	fmt.Fprintf(&b, "%s. `./bench.sh --durability` repeats it. Each line alone:\n\n", measuredAt(results...))
	renderCommands(&b, results)
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func (d *durabilityRun) renderTurns(b *strings.Builder) {
	if len(d.committees) == 0 {
		return
	}
	first := d.results()[0]
	fmt.Fprintf(b, "%s\nWindows of %.0f s, %s payments in flight.\n\n", whatDurability, first.Seconds, grouped(first.MaxInFlight))
	b.WriteString("| Committee | Durability | Turns | Payments/s | of the rate in memory | Latency p50 / p99 / p99.9, ms | " +
		"CPU µs a payment: authority | Journal, bytes a payment | Payments a sync | Rejected / lost | Money conserved | Verdict |\n" +
		"|---:|---|---:|---:|---|---|---:|---:|---:|---|---|---|\n")
	for _, c := range d.committees {
		for _, mode := range durabilityModes {
			if results := c.of(mode); len(results) > 0 {
				renderMode(b, mode, results, c.ratios(mode))
			}
		}
	}
	b.WriteString("\n")
}

func renderMode(b *strings.Builder, mode string, results []*Result, ratios []float64) {
	of := func(value func(*Result) float64) float64 {
		var values []float64
		for _, r := range results {
			values = append(values, value(r))
		}
		return median(values)
	}
	ms := func(p func(Percentiles) *int64) float64 {
		return of(func(r *Result) float64 { return msOrZero(p(r.latency())) })
	}
	ratio, syncs := "-", "-"
	if mode != string(node.DurabilityNone) && len(ratios) > 0 {
		ratio = fmt.Sprintf("**%.2f**", median(ratios))
		if len(ratios) > 1 {
			ratio += fmt.Sprintf(" (%.2f to %.2f)", slices.Min(ratios), slices.Max(ratios))
		}
	}
	if perPayment := of(func(r *Result) float64 { return r.SyncsPerPayment }); perPayment > 0 {
		syncs = grouped(int(1 / perPayment))
	}
	rejected, lost, conserved := 0, 0, true
	var flags []string
	for _, r := range results {
		rejected, lost, conserved = rejected+r.Rejected, lost+r.Lost, conserved && r.Conserved
		for _, f := range r.Flags {
			if !slices.Contains(flags, f) {
				flags = append(flags, f)
			}
		}
	}
	verdict := verdictCell(flags)
	if slices.Contains(flags, FlagShortWindow) { // which stands above the table
		verdict = curveVerdict(&Result{Flags: flags})
	}
	fmt.Fprintf(b, "| %d | %s | %d | %s | %s | %.1f / %.1f / %.1f | %.2f | %.0f | %s | %d / %d | %s | %s |\n", results[0].CommitteeSize, mode,
		len(results), grouped(int(of(func(r *Result) float64 { return r.RatePerSec }))), ratio,
		ms(func(p Percentiles) *int64 { return p.P50 }), ms(func(p Percentiles) *int64 { return p.P99 }),
		ms(func(p Percentiles) *int64 { return p.P999 }), of(func(r *Result) float64 { return r.CPUUsPerPayment.Node }),
		of(func(r *Result) float64 { return r.JournalBytesPerPay }), syncs, rejected, lost, yesNo(conserved), verdict)
}

// msOrZero is microseconds in milliseconds.
func msOrZero(us *int64) float64 {
	if us == nil {
		return 0
	}
	return float64(*us) / 1000
}

func (d *durabilityRun) renderTransfers(b *strings.Builder) {
	l := d.transfers
	certificate, settled, ok := 0.0, 0.0, false
	if l != nil {
		certificate, settled, ok = l.AddedSyncs()
	}
	if !ok {
		return
	}
	fmt.Fprintf(b, "### What a single transfer waits longer\n\nAt the median, on an idle authority; transfers with and without a journal take "+
		"turns, with tries of the disk in between (a write and sync of a block takes %.0f µs):\n\n"+
		"| | in memory, ms | with a journal, ms | added, in syncs of the disk, for each reply |\n|---|---:|---:|---:|\n"+
		"| Order to certificate | %.3f | %.3f | %.2f |\n| Order to settlement | %.3f | %.3f | %.2f |\n\n", l.Memory.SyncP50Us,
		msOrZero(l.Memory.Certificate.P50), msOrZero(l.Certificate.P50), certificate,
		msOrZero(l.Memory.Settled.P50), msOrZero(l.Settled.P50), settled)
}

func (d *durabilityRun) renderSoak(b *strings.Builder) {
	r := d.soak
	if r == nil {
		return
	}
	b.WriteString("### Memory\n\nOf a long run with a journal, its oldest segments removed on the way. The live heap is what a collection of garbage " +
		"leaves, between snapshots; its growth is the slope of a line through the points, and its standard error.\n\n" +
		"| Payments | Snapshots | Live heap, bytes a payment | Live heap at first / at last, MiB | Peak resident memory in the quarters " +
		"of the run, MiB | Payments/s | Rejected / lost | Money conserved |\n|---:|---:|---:|---|---|---:|---|---|\n")
	growth, ends := "-", "-"
	if h := r.LiveHeap; h != nil {
		growth = fmt.Sprintf("**%+.2f** ± %.2f", h.BytesPerPayment, h.StandardError)
		ends = fmt.Sprintf("%.1f / %.1f", float64(h.Points[0].LiveBytes)/(1<<20), float64(h.Points[len(h.Points)-1].LiveBytes)/(1<<20))
	}
	fmt.Fprintf(b, "| %s | %d | %s | %s | %s | %s | %d / %d | %s |\n\n", grouped(r.PaymentsOK), r.Node.Snapshots, growth, ends,
		strings.TrimSuffix(mebibytes(r.RSSQuartersBytes), " MiB"), rateOrDash(r, r.RatePerSec), r.Rejected, r.Lost, yesNo(r.Conserved))
}

func (d *durabilityRun) renderSnapshots(b *strings.Builder) {
	r := d.snapshots
	if r == nil || r.Snapshots == nil {
		return
	}
	e := r.Snapshots
	fmt.Fprintf(b, "### While a snapshot is made\n\nAt %s payments a second, with %s accounts: what replies took that came while a snapshot was being "+
		"made (%d of up to %.0f MiB, in %.1f s together), and the others. Event loops wait when they could run and something else "+
		"has their CPU, the load generator included.\n\n| | Reply p50 / p99 / p99.9 / longest, ms | A loop's longest wait for a CPU, ms | "+
		"Waits beyond %d ms |\n|---|---|---:|---:|\n", grouped(int(r.RatePerSec)), grouped(r.NumAccounts), e.Made, float64(e.Bytes)/(1<<20),
		e.Seconds, longWait.Milliseconds())
	for _, part := range []struct {
		name  string
		reply Percentiles
		wait  func(*LoopWaits) LoopWait
	}{{"while one is made", e.During, func(l *LoopWaits) LoopWait { return l.During }},
		{"else", e.Else, func(l *LoopWaits) LoopWait { return l.Else }}} {
		longest, long := "-", "-"
		if e.Loops != nil {
			w := part.wait(e.Loops)
			longest, long = fmt.Sprintf("%.1f", float64(w.LongestUs)/1e3), fmt.Sprint(w.Long)
		}
		p := part.reply
		fmt.Fprintf(b, "| %s | %s / %s / %s / %s | %s | %s |\n", part.name, inMs(p.P50), inMs(p.P99), inMs(p.P999), inMs(p.Max), longest, long)
	}
	b.WriteString("\n")
}

// renderStarts is what it takes to start again.
func (d *durabilityRun) renderStarts(b *strings.Builder) {
	var lines []string
	if r := d.snapshots; r != nil && r.Recovery != nil {
		t := r.Recovery
		lines = append(lines, fmt.Sprintf("- Killed under way and started again, %s: **%s records/s**, %.2f GB/s (%s records, %.0f MiB, in %.2f s, "+
			"what was read is durable in a new file then), after a snapshot of %s accounts in %.2f s. All balances were as before.",
			fromDisk(t.FromDisk), grouped(int(t.RecordsPerSec())), t.BytesPerSec()/1e9, grouped(int(t.Records)), float64(t.Bytes)/(1<<20),
			t.ReplaySeconds, grouped(r.NumAccounts), t.SnapshotSeconds))
		lines = append(lines, fmt.Sprintf("- A certificate that a client asks for is read from the disk: p50 / p99 %s / %s ms, of %s that were "+
			"chosen at random after that start and asked for one after the other; the same once more %s / %s ms; an account "+
			"without a certificate %s / %s ms.",
			inHundredths(t.ColdUs.P50), inHundredths(t.ColdUs.P99), grouped(t.Certificates), inHundredths(t.AgainUs.P50),
			inHundredths(t.AgainUs.P99), inHundredths(t.PlainUs.P50), inHundredths(t.PlainUs.P99)))
	}
	if r := d.restart; r != nil {
		lines = append(lines, fmt.Sprintf("- `server run` with %s accounts in a snapshot, in %d shards, %s: **%.2f s** from the start of the process "+
			"to the first reply on every port, %s MiB of memory at most. The very first start, without a snapshot: %.2f s.",
			grouped(r.Accounts), r.NumShards, fromDisk(r.FromDisk), r.Seconds, grouped(int(r.PeakRSSBytes>>20)), r.FirstSeconds))
	}
	if len(lines) > 0 {
		b.WriteString("### Starts, and reading back\n\n" + strings.Join(lines, "\n") + "\n\n")
	}
}

func inHundredths(us *int64) string {
	if us == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f", float64(*us)/1e3)
}
