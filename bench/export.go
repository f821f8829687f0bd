package bench

import (
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	"fastpay/perf"
)

// csvHeader names the columns of results as CSV, one line a run. Columns are added at the end; none is changed or removed.
var csvHeader = []string{"recorded_at", "commit", "benchmark", "phase", "protocol", "committee_size", "num_shards", "num_accounts",
	"max_in_flight", "connections", "seconds", "rate_per_second", "rate_per_second_per_core", "latency_p50_us", "latency_p90_us",
	"latency_p99_us", "latency_p99_9_us", "latency_max_us", "node_cpu_us", "generator_cpu_us", "signatures", "mean_batch", "bytes",
	"allocations", "peak_rss_bytes", "rejected", "lost", "retransmitted", "conserved", "valid", "flags", "cpu", "cores",
	"crypto_backend", "durability", "seed", "journal_bytes", "syncs",
	"settled_all_p50_us", "settled_all_p99_us", "credited_p50_us", "credited_p99_us", "credited_all_p50_us", "credited_all_p99_us",
	"credits_watched"}

func (r *Result) csvRow() []string {
	e, l := &r.Environment, r.latency()
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }
	micro := func(us *int64) string {
		if us == nil {
			return ""
		}
		return strconv.FormatInt(*us, 10)
	}
	row := []string{e.RecordedAt, e.Commit, r.benchmarkName(), r.Phase, r.Protocol, strconv.Itoa(r.CommitteeSize),
		strconv.Itoa(r.NumShards), strconv.Itoa(r.NumAccounts), strconv.Itoa(r.MaxInFlight), strconv.Itoa(r.Connections),
		number(r.Seconds), number(r.RatePerSec), number(r.RatePerCore), micro(l.P50), micro(l.P90), micro(l.P99), micro(l.P999),
		micro(l.Max), number(r.CPUUsPerPayment.Node), number(r.CPUUsPerPayment.Generator), number(r.SignaturesPerPay),
		number(r.MeanBatch), number(r.BytesPerPayment), number(r.AllocsPerPayment), strconv.FormatInt(r.PeakRSSBytes, 10),
		strconv.Itoa(r.Rejected), strconv.Itoa(r.Lost), strconv.Itoa(r.Retransmitted), strconv.FormatBool(r.Conserved),
		strconv.FormatBool(r.Valid), strings.Join(r.Flags, " "), e.CPU, strconv.Itoa(e.Cores), e.CryptoBackend, r.Durability,
		strconv.FormatUint(r.Seed, 10), number(r.JournalBytesPerPay), strconv.FormatFloat(r.SyncsPerPayment, 'f', 6, 64)}
	c := r.Committee
	if c == nil {
		return append(row, "", "", "", "", "", "", "")
	}
	return append(row, micro(c.SettledAllUs.P50), micro(c.SettledAllUs.P99), micro(c.CreditedUs.P50), micro(c.CreditedUs.P99),
		micro(c.CreditedAllUs.P50), micro(c.CreditedAllUs.P99), strconv.Itoa(c.CreditsWatched))
}

// WriteCSV writes results as a table, one line each; the file appears whole or not at all.
func WriteCSV(file string, results ...*Result) error {
	var b strings.Builder
	rows := [][]string{csvHeader}
	for _, r := range results {
		rows = append(rows, r.csvRow())
	}
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return replaceFile(file, []byte(b.String()))
}

// WriteMarkdown writes results as a table to quote, with what must not be left out when they are; the file appears whole or
// not at all.
func WriteMarkdown(file string, results ...*Result) error {
	var b strings.Builder
	b.WriteString("| Rate of | a second | per core | Latency p50 / p99 / p99.9, ms | CPU µs each: authority / generator | " +
		"Configuration | Rejected / lost / sent again | Money conserved | Verdict |\n|---|---:|---:|---|---|---|---|---|---|\n")
	for _, r := range results {
		l := r.latency()
		fmt.Fprintf(&b, "| %s | %s | %s | %s / %s / %s | %.2f / %.2f | %s, %d shards, %s, %s in flight, durability %s | "+
			"%d / %d / %d | %s | %s |\n", r.unit().many, rateOrDash(r, r.RatePerSec), rateOrDash(r, r.RatePerCore), inMs(l.P50),
			inMs(l.P99), inMs(l.P999), r.CPUUsPerPayment.Node, r.CPUUsPerPayment.Generator, r.authorities(), r.NumShards,
			strings.ToUpper(r.Protocol), grouped(r.MaxInFlight), r.Durability, r.Rejected, r.Lost, r.Retransmitted,
			yesNo(r.Conserved), verdictCell(r.Flags))
	}
	b.WriteString("\n")
	for _, r := range results {
		if c := r.Committee; c != nil && c.CreditsWatched > 0 {
			fmt.Fprintf(&b, "- credit in another shard: p50 %s ms, p99 %s ms to a quorum, %s and %s to all; watched for one of %d, %s payments\n",
				inMs(c.CreditedUs.P50), inMs(c.CreditedUs.P99), inMs(c.CreditedAllUs.P50), inMs(c.CreditedAllUs.P99), c.CreditsOneOf,
				grouped(c.CreditsWatched))
		}
		fmt.Fprintf(&b, "- %s: %s. `%s`\n", r.unit().many, r.unit().what, strings.Join(r.Command, " "))
	}
	if len(results) > 0 {
		fmt.Fprintf(&b, "- %s\n", cell(results[0].machine()))
	}
	return replaceFile(file, []byte(b.String()))
}

// machine says on one line what the result was measured on.
func (r *Result) machine() string {
	e := &r.Environment
	dirty := ""
	if e.Dirty {
		dirty = " with changes"
	}
	return fmt.Sprintf("%s, commit %.12s%s, steal %.1f %%", machineOf(e), e.Commit, dirty, e.StealPercent)
}

// machineOf is a machine without what is each run's own: the commit, of which the runs of a figure may have several, and
// stolen time.
func machineOf(e *perf.Environment) string {
	return fmt.Sprintf("%s, %d cores, signatures by %s, %s, %s", e.CPU, e.Cores, e.CryptoBackend, e.Kernel, e.Go)
}
