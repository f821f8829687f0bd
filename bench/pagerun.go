package bench

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// pageRow is a run in the table.
type pageRow struct {
	Number                               int
	File, Short                          string
	What, Where, Load                    string
	Rate, PerCore                        string
	P50, P99, P999                       string
	NodeCPU, GeneratorCPU, Memory, Batch string
	Failures, Conserved, Verdict         string
	Valid                                bool
	Notes                                []string
	Command, At, Build                   string
	result                               *Result
}

func newPageRow(number int, f resultFile) pageRow {
	r := f.result
	l := r.latency()
	row := pageRow{
		Number: number, File: f.path, Short: strings.TrimSuffix(filepath.ToSlash(f.path), ".json"), What: r.unit().many,
		Where: fmt.Sprintf("%s, %d %s, %s", r.authorities(), r.NumShards, plural(r.NumShards, "shard"),
			strings.ToUpper(r.Protocol)),
		Load: fmt.Sprintf("%s in flight, %s accounts, %.1f s", grouped(r.MaxInFlight), grouped(r.NumAccounts), r.Seconds),
		Rate: rateOrDash(r, r.RatePerSec), PerCore: rateOrDash(r, r.RatePerCore), P50: inMs(l.P50), P99: inMs(l.P99), P999: inMs(l.P999),
		NodeCPU: fmt.Sprintf("%.2f", r.CPUUsPerPayment.Node), GeneratorCPU: fmt.Sprintf("%.2f", r.CPUUsPerPayment.Generator),
		Memory: fmt.Sprintf("%.0f", float64(r.PeakRSSBytes)/(1<<20)), Batch: fmt.Sprintf("%.0f", r.MeanBatch),
		Failures: fmt.Sprintf("%d / %d / %d", r.Rejected, r.Lost, r.Retransmitted), Conserved: "no", Verdict: "valid", Valid: r.Valid,
		Notes: slices.Concat(r.Rejections, r.Notes), Command: strings.Join(r.Command, " "), At: r.Environment.RecordedAt,
		Build: r.build(), result: r,
	}
	if load := r.Load; load != nil && load.AskedPerSec > 0 {
		row.Load = fmt.Sprintf("open loop, %s/s asked for (%s), %.1f s", grouped(int(load.AskedPerSec)), load.Loop, r.Seconds)
	}
	if c := r.Committee; c != nil && len(c.Faults) > 0 {
		row.Where += ", faults: " + strings.Join(c.Faults, ", ")
	}
	if r.Conserved {
		row.Conserved = "yes"
	}
	if !r.Valid {
		row.Verdict = strings.Join(r.Flags, ", ")
	}
	return row
}

// nameRows shortens the runs' names as far as they stay different, for charts, where there is little room.
func nameRows(rows []pageRow) (names []string) {
	const widest = 16 // characters
	seen := make(map[string]int)
	for _, r := range rows {
		name := filepath.Base(r.Short)
		seen[name]++
		names = append(names, name)
	}
	for i, r := range rows {
		if seen[names[i]] > 1 || len(names[i]) > widest {
			names[i] = fmt.Sprintf("run %d", r.Number)
		}
		if !r.Valid {
			names[i] += "*"
		}
	}
	return names
}

// measuredRows leaves out runs that measured nothing.
func measuredRows(rows []pageRow) (some []pageRow) {
	for _, r := range rows {
		if r.result.counted() > 0 {
			some = append(some, r)
		}
	}
	return some
}

// tile is a figure to be seen first.
type tile struct{ Value, Unit, About string }

// tiles are about the best valid run of whole payments, or of the best one at all.
func tiles(rows []pageRow) []tile {
	if len(rows) == 0 {
		return nil
	}
	best := slices.MaxFunc(rows, func(a, b pageRow) int {
		rank := func(r pageRow) int {
			n := 0
			if r.result.Valid {
				n += 2
			}
			if r.result.Phase == Payments.String() {
				n++
			}
			return n
		}
		return cmp.Or(rank(a)-rank(b), cmp.Compare(a.result.RatePerSec, b.result.RatePerSec))
	})
	r := best.result
	if r.counted() == 0 {
		return []tile{{"nothing", "", "was measured by any run"}}
	}
	about := fmt.Sprintf("run %d: %s, %s", best.Number, best.Where, best.Load)
	if !r.Valid {
		about += "; NOT VALID: " + best.Verdict
	}
	return []tile{
		{best.Rate, r.unit().many + " a second", about},
		{best.PerCore, "a second and core", fmt.Sprintf("all %d cores count, those of the load generator too", r.Environment.Cores)},
		{best.P50 + " / " + best.P99, "ms, p50 / p99", r.latencyOf()},
		{best.NodeCPU, "µs of CPU each", "of the authority's process"},
	}
}

// latencyOf says from when to when a latency is.
func (r *Result) latencyOf() string {
	if r.Load != nil && r.Load.AskedPerSec > 0 {
		return "from when it was due to the verified reply"
	}
	return "from sending to the verified reply, with " + grouped(r.MaxInFlight) + " in flight"
}

// waitTiles are what a single payer waits for, on a committee that does nothing else.
func waitTiles(l *TransferLatency) []tile {
	if l == nil {
		return nil
	}
	ms := func(us *int64) string { return fmt.Sprintf("%.2f", float64(*us)/1e3) }
	return []tile{{ms(l.Certificate.P50) + " / " + ms(l.Settled.P50), "ms for one transfer",
		fmt.Sprintf("median until there is a certificate, and until a quorum has settled it; an idle committee of %d on this machine",
			l.CommitteeSize)}}
}
