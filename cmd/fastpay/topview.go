package main

import (
	"fmt"
	"math"
	"strings"
	"time"
)

const (
	topHistory = 60 // intervals in a row of ticks
	topBar     = 30 // runes
	topShards  = 12 // lines
)

// topView is the live view of one process: what it was before, and its rates so far.
type topView struct {
	address string
	before  *scrape
	rates   []float64 // payments a second, the latest last
}

// next takes a new scrape, and returns what to show of the interval since the last one; "" for the first.
func (v *topView) next(now *scrape) string {
	before := v.before
	v.before = now
	if before == nil || now.value("fastpay_requests_total") < before.value("fastpay_requests_total") {
		return "" // the first, or the process has started again
	}
	seconds := now.at.Sub(before.at).Seconds()
	rate := func(name string) float64 { return (now.value(name) - before.value(name)) / seconds }
	v.rates = append(v.rates, rate("fastpay_certificates_total"))
	if extra := len(v.rates) - topHistory; extra > 0 {
		v.rates = v.rates[extra:]
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  signatures by %s, durability %s, commit %.12s\n", v.address, now.label("fastpay_build_info", "crypto_backend"),
		now.label("fastpay_build_info", "durability"), now.label("fastpay_build_info", "commit"))
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %-12s "+format+"\n", append([]any{name}, args...)...)
	}
	row("settled", "%s/s  %s", count(v.rates[len(v.rates)-1]), ticks(v.rates))
	row("orders", "%s/s, info requests %s/s, credits %s/s", count(rate("fastpay_orders_total")), count(rate("fastpay_infos_total")),
		count(rate("fastpay_credits_total")))
	row("refused", "%s/s, of these for a signature %s/s", count(rate("fastpay_rejected_total")), count(rate("fastpay_bad_signatures_total")))
	row("signatures", "%s/s checked, %s votes/s signed", count(rate("fastpay_signatures_checked_total")), count(rate("fastpay_votes_signed_total")))
	row("CPU", "%.2f in use, event loops in batches %.2f; memory %s MiB; %s", rate("process_cpu_seconds_total"), rate("fastpay_busy_seconds_total"),
		count(now.value("process_resident_memory_bytes")/(1<<20)), plural(int(now.value("fastpay_connections")), "connection"))
	row("traffic", "%.1f MB/s in, %.1f MB/s out; queued: replies %s KiB, requests %s KiB, credits %s KiB", rate("fastpay_received_bytes_total")/1e6,
		rate("fastpay_sent_bytes_total")/1e6, count(now.value("fastpay_queued_reply_bytes")/1024), count(now.value("fastpay_kept_request_bytes")/1024),
		count((now.value("fastpay_credit_queue_bytes")+now.value("fastpay_outbox_bytes"))/1024))
	if commits := rate("fastpay_journal_commits_total"); now.value("fastpay_journal_commits_total") > 0 {
		row("journal", "%.1f MB/s, %s syncs/s of %.2f ms, %s snapshots; %s batches parked", rate("fastpay_journal_bytes_total")/1e6, count(commits),
			1e3*rate("fastpay_journal_commit_seconds_total")/max(commits, 1e-9), count(now.value("fastpay_snapshots_total")),
			count(now.value("fastpay_parked_batches")))
	}
	batches := rate("fastpay_batches_total")
	row("batches", "%s/s of %s requests", count(batches), count(rate("fastpay_requests_total")/max(batches, 1)))
	v.spectrum(&b, before, now)
	shards(&b, now)
	return b.String()
}

// spectrum is how long the batches of the interval took.
func (v *topView) spectrum(b *strings.Builder, before, now *scrape) {
	bounds, counts := now.buckets("fastpay_batch_seconds")
	_, old := before.buckets("fastpay_batch_seconds")
	if len(counts) != len(old) {
		return
	}
	most, total := 0.0, 0.0
	for i := range counts {
		counts[i] -= old[i]
		most, total = max(most, counts[i]), total+counts[i]
	}
	for i, n := range counts {
		if n > 0 && !math.IsInf(bounds[i], 0) {
			took := time.Duration(bounds[i] * 1e9)
			fmt.Fprintf(b, "  %12s %s %.1f %%\n", "< "+rounded(took), bar(n/most), 100*n/total)
		}
	}
}

// rounded is a power of two of nanoseconds in the unit that people read.
func rounded(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Round(time.Microsecond).Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%.0f ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// shards is the load of each: its accounts, and orders that wait for their certificate.
func shards(b *strings.Builder, now *scrape) {
	labels, accounts := now.labelled("fastpay_accounts")
	_, pending := now.labelled("fastpay_pending_orders")
	most := 1.0
	for _, n := range accounts {
		most = max(most, n)
	}
	for i, shard := range labels {
		if i == topShards {
			fmt.Fprintf(b, "  ... and %d more shards\n", len(labels)-topShards)
			return
		}
		fmt.Fprintf(b, "  %12s %s %s accounts, %s pending\n", "shard "+shard, bar(accounts[shard]/most), count(accounts[shard]), count(pending[shard]))
	}
}

// count is n with commas between thousands.
func count(n float64) string {
	s := fmt.Sprintf("%.0f", n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// bar is a part of topBar, in eighths.
func bar(share float64) string {
	eighths := int(math.Round(min(1, max(0, share)) * topBar * 8))
	s := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		s += string([]rune(" ▏▎▍▌▋▊▉")[rest])
	}
	return s + strings.Repeat(" ", topBar-len([]rune(s)))
}

// ticks is a row of small bars, as high as the values are against the largest.
func ticks(values []float64) string {
	most := 1.0
	for _, v := range values {
		most = max(most, v)
	}
	var b strings.Builder
	for _, v := range values {
		b.WriteRune([]rune("▁▂▃▄▅▆▇█")[int(math.Round(7*max(0, v)/most))])
	}
	return b.String()
}
