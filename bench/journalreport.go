package bench

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"fastpay/node"
)

// journalRun is what a journal costs: runs with and without one, in turn, and what else of a run directory's folder
// journal is about it.
type journalRun struct {
	pairs     []journalPair // in the order of their files
	soak      []*Result     // long runs with a journal
	transfers *TransferLatency
	restart   *RestartTime
}

// journalPair are runs that differ in nothing but durability, in turn.
type journalPair struct {
	group        string // pairs of one configuration have the same; their files' names begin so
	memory, sync *Result
}

// Files of the folder: runs in turn are below pairs, long ones below soak.
const (
	journalPairs   = "pairs"
	journalSoak    = "soak"
	journalRestart = "restart.json"
)

func readJournal(dir string, r *Report) error {
	run, err := within(dir, journalFolder, readJournalRun)
	if err == nil {
		r.journal = run
	}
	return err
}

func readJournalRun(dir string) (*journalRun, error) {
	run := new(journalRun)
	files, err := within(dir, journalPairs, readFolder)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(files, func(a, b resultFile) int { return naturally(a.path, b.path) })
	for i := 0; i < len(files); i += 2 {
		if i+1 == len(files) || files[i].result.Durability != string(node.DurabilityNone) ||
			files[i+1].result.Durability != string(node.DurabilitySync) {
			return nil, fmt.Errorf("bench: %s: expected runs with durability none and sync in turn, by the names of their files",
				filepath.Join(dir, journalPairs, files[i].path))
		}
		group, _, _ := strings.Cut(files[i].path, "-")
		run.pairs = append(run.pairs, journalPair{group, files[i].result, files[i+1].result})
	}
	soak, err := within(dir, journalSoak, readFolder)
	if err != nil {
		return nil, err
	}
	run.soak = resultsOf(soak)
	if run.transfers, err = within(dir, transfersFile, ReadTransferLatency); err != nil {
		return nil, err
	}
	run.restart, err = within(dir, journalRestart, ReadRestartTime)
	return run, err
}

func (d *journalRun) results() (all []*Result) {
	for _, p := range d.pairs {
		all = append(all, p.memory, p.sync)
	}
	return append(all, d.soak...)
}

const whatJournal = `What it costs that nothing leaves the authority before it is on the disk, snapshots included. Runs in memory and with a
journal take turns; the ratio is the median over pairs, with the smallest and the largest in brackets. Everything else is
as under Throughput.`

// render is the part of a report about the journal.
func (d *journalRun) render() string {
	var b strings.Builder
	b.WriteString("## Journal\n\n" + whatJournal + "\n\n")
	d.renderPairs(&b)
	if len(d.soak) > 0 {
		b.WriteString("Memory of long runs with a journal, resident, peaks of the quarters of a run:\n\n" +
			"| Payments | Snapshots | Peak memory in the quarters of the run, MiB | Last quarter against the second | Payments/s | Longest reply, ms |\n" +
			"|---:|---:|---|---:|---:|---:|\n")
		for _, r := range d.soak {
			fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | %s |\n", grouped(r.PaymentsOK), r.Node.Snapshots,
				strings.TrimSuffix(mebibytes(r.RSSQuartersBytes), " MiB"), r.growth(), rateOrDash(r, r.RatePerSec), inMs(r.latency().Max))
		}
		b.WriteString("\n")
	}
	d.renderTransfers(&b)
	if r := d.restart; r != nil {
		from := "from the disk"
		if !r.FromDisk {
			from = "maybe from the kernel's cache"
		}
		fmt.Fprintf(&b, "A start with %s accounts from a snapshot, in %d shards, %s: **%.2f s** to all ports accepting, %s MiB of memory.\n\n",
			grouped(r.Accounts), r.NumShards, from, r.Seconds, grouped(int(r.PeakRSSBytes>>20)))
	}
	if results := d.results(); len(results) > 0 {
		fmt.Fprintf(&b, "%s. ", measuredAt(results...))
	}
	b.WriteString("`./bench.sh --journal` repeats it. Each line alone:\n\n")
	results := d.results()
	if l := d.transfers; l != nil {
		results = append(results, &Result{Environment: l.Environment, Command: l.Command})
	}
	if r := d.restart; r != nil {
		results = append(results, &Result{Environment: r.Environment, Command: r.Command})
	}
	renderCommands(&b, results)
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func (d *journalRun) renderPairs(b *strings.Builder) {
	if len(d.pairs) == 0 {
		return
	}
	b.WriteString("| Committee | Payments/s in memory | with a journal | Ratio | Journal, bytes a payment | Syncs a payment | " +
		"Latency p99, ms: in memory / with a journal | Rejected / lost | Money conserved |\n|---:|---:|---:|---|---:|---:|---|---|---|\n")
	for rest := d.pairs; len(rest) > 0; {
		n := slices.IndexFunc(rest, func(p journalPair) bool { return p.group != rest[0].group })
		if n < 0 {
			n = len(rest)
		}
		pairs := rest[:n]
		rest = rest[n:]
		of := func(value func(journalPair) float64) (values []float64) {
			for _, p := range pairs {
				values = append(values, value(p))
			}
			return values
		}
		ratios := of(func(p journalPair) float64 { return p.sync.RatePerSec / max(p.memory.RatePerSec, 1) })
		refused, conserved := [2]int{}, true
		for _, p := range pairs {
			refused[0] += p.memory.Rejected + p.sync.Rejected
			refused[1] += p.memory.Lost + p.sync.Lost
			conserved = conserved && p.memory.Conserved && p.sync.Conserved
		}
		fmt.Fprintf(b, "| %d | %s | %s | **%.2f** (%.2f to %.2f) | %.0f | %.4f | %.1f / %.1f | %d / %d | %s |\n", pairs[0].sync.CommitteeSize,
			grouped(int(median(of(func(p journalPair) float64 { return p.memory.RatePerSec })))),
			grouped(int(median(of(func(p journalPair) float64 { return p.sync.RatePerSec })))),
			median(ratios), slices.Min(ratios), slices.Max(ratios),
			median(of(func(p journalPair) float64 { return p.sync.JournalBytesPerPay })),
			median(of(func(p journalPair) float64 { return p.sync.SyncsPerPayment })),
			median(of(func(p journalPair) float64 { return msOrZero(p.memory.latency().P99) })),
			median(of(func(p journalPair) float64 { return msOrZero(p.sync.latency().P99) })),
			refused[0], refused[1], yesNo(conserved))
	}
	b.WriteString("\n")
}

// msOrZero is microseconds in milliseconds.
func msOrZero(us *int64) float64 {
	if us == nil {
		return 0
	}
	return float64(*us) / 1000
}

func (d *journalRun) renderTransfers(b *strings.Builder) {
	l := d.transfers
	certificate, settled, ok := 0.0, 0.0, false
	if l != nil {
		certificate, settled, ok = l.AddedSyncs()
	}
	if !ok {
		return
	}
	fmt.Fprintf(b, "What a journal adds to a single transfer, at the median, on an idle authority; transfers with and without one take turns, "+
		"with tries of the disk in between (a write and sync of a block takes %.0f µs):\n\n"+
		"| | in memory, ms | with a journal, ms | added, in syncs of the disk, for each reply |\n|---|---:|---:|---:|\n"+
		"| Order to certificate | %.3f | %.3f | %.2f |\n| Order to settlement | %.3f | %.3f | %.2f |\n\n", l.Memory.SyncP50Us,
		msOrZero(l.Memory.Certificate.P50), msOrZero(l.Certificate.P50), certificate,
		msOrZero(l.Memory.Settled.P50), msOrZero(l.Settled.P50), settled)
}
