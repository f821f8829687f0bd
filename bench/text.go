package bench

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"fastpay/node"
)

const rule = "-----------------------------------------------------------------------------"

// WriteText prints r as one block that fits a screen, in the manner of BFT papers' tools. The last line of a run that did not
// fail is in Go's benchmark format.
func (r *Result) WriteText(w io.Writer) error {
	var b strings.Builder
	r.writeConfig(&b)
	if r.counted() == 0 {
		r.writeNothing(&b)
	} else {
		r.writeResults(&b)
	}
	r.writeTrust(&b)
	r.Budget.writeText(&b)
	for _, hint := range r.Profiles {
		line(&b, "Profile", "%s", hint)
	}
	fmt.Fprintln(&b, rule)
	if r.counted() > 0 {
		fmt.Fprintf(&b, "Total time: %dus, items: %d, %s: %.1f%s\n", int64(r.Seconds*1e6), r.counted(), r.unit().perSecond,
			r.RatePerSec, r.verdict())
	}
	if r.Err(false) == nil {
		fmt.Fprintln(&b, r.benchmarkLine())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func line(b *strings.Builder, name, format string, args ...any) {
	fmt.Fprintf(b, " %-22s ", name+":")
	fmt.Fprintf(b, format, args...)
	b.WriteByte('\n')
}

func (r *Result) writeConfig(b *strings.Builder) {
	e := &r.Environment
	fmt.Fprintf(b, "%s\n CONFIG\n", rule)
	if r.Committee != nil {
		r.writeWhole(b)
	} else {
		line(b, "Authority", "1 of %d, over %s on loopback, durability %s", r.CommitteeSize, strings.ToUpper(r.Protocol), r.Durability)
	}
	line(b, "Shards", "%d on %d workers", r.NumShards, r.Workers)
	line(b, "Load", "%s %s, %s in flight, seed %d", grouped(r.NumAccounts), r.workload(), grouped(r.MaxInFlight), r.Seed)
	line(b, "Machine", "%s, %d cores, signatures by %s", e.CPU, e.Cores, e.CryptoBackend)
	dirty := ""
	if e.Dirty {
		dirty = " with changes"
	}
	line(b, "Build", "%s, commit %.12s%s, GOMAXPROCS %d, GOGC %s", e.Go, e.Commit, dirty, e.GOMAXPROCS, e.GOGC)
}

func (r *Result) writeNothing(b *strings.Builder) {
	fmt.Fprintf(b, "\n RESULTS\n")
	line(b, "Nothing was measured", "no %s was answered in the window%s", r.unit().one, r.verdict())
	r.writeFailures(b)
}

func (r *Result) writeResults(b *strings.Builder) {
	u := r.unit()
	fmt.Fprintf(b, "\n RESULTS (%s: %s)\n", u.many, u.what)
	line(b, strings.ToUpper(u.many[:1])+u.many[1:], "%s %s, %s per core%s", grouped(int(r.RatePerSec)), u.perSecond,
		grouped(int(r.RatePerCore)), r.verdict())
	r.writeFailures(b)
	line(b, "Window", "%.2f s after %.1f s of warm-up: %s %s", r.Seconds, r.WarmUp.Seconds, grouped(r.counted()), u.many)
	r.writeLoad(b)
	if r.Phase == Payments.String() {
		line(b, "Latency of orders", "%s", r.LatencyUs.Order)
		line(b, "... of confirmations", "%s", r.LatencyUs.Confirmation)
	} else {
		line(b, "Latency", "%s", r.latency())
	}
	r.writeCommittee(b)
	line(b, u.cost, "%.2f µs authority, %.2f µs generator", r.CPUUsPerPayment.Node, r.CPUUsPerPayment.Generator)
	line(b, "Authority", "%.2f signatures, %.0f bytes, %.3f allocations a %s; %.0f requests a batch",
		r.SignaturesPerPay, r.BytesPerPayment, r.AllocsPerPayment, u.one, r.MeanBatch)
	r.writeJournal(b)
	line(b, "Memory", "%.0f MiB at most, %d GC cycles, %.2f ms of GC pauses", float64(r.PeakRSSBytes)/(1<<20), r.GCCycles,
		r.GCPauseUs/1e3)
	line(b, "... by quarters", "%s; started in %.2f s", mebibytes(r.RSSQuartersBytes), r.StartSeconds)
	if r.LiveHeap != nil {
		line(b, "... live", "%s", r.LiveHeap)
	}
	if r.Snapshots != nil {
		r.Snapshots.writeText(b)
	}
	if r.Recovery != nil {
		r.Recovery.writeText(b)
	}
}

// writeJournal is what durability costs; of a committee there is no one distribution of how long a sync takes.
func (r *Result) writeJournal(b *strings.Builder) {
	n := &r.Node
	if n.Commits == 0 {
		return
	}
	slowest := ""
	if n.CommitP999Ns > 0 {
		slowest = fmt.Sprintf(", p99.9 %.2f ms", float64(n.CommitP999Ns)/1e6)
	}
	line(b, "Journal", "%.0f bytes, %.5f syncs a %s; %.0f records a sync, %.2f ms each%s", r.JournalBytesPerPay, r.SyncsPerPayment,
		r.unit().one, ratio(float64(n.JournalRecords), float64(n.Commits)), ratio(float64(n.JournalNs)/1e6, float64(n.Commits)), slowest)
}

// mebibytes is a list of sizes.
func mebibytes(sizes []int64) string {
	parts := make([]string, len(sizes))
	for i, n := range sizes {
		parts[i] = fmt.Sprintf("%.0f", float64(n)/(1<<20))
	}
	return strings.Join(parts, ", ") + " MiB"
}

// verdict stands on the line of the rate, so that the rate is not quoted without it.
func (r *Result) verdict() string {
	if r.Valid {
		return ""
	}
	return "  NOT VALID: " + strings.Join(r.Flags, ", ")
}

// writeFailures stands below the rate: what was sent and did not succeed.
func (r *Result) writeFailures(b *strings.Builder) {
	line(b, "Rejected, lost, resent", "%d requests, %d payments, %d requests", r.Rejected, r.Lost, r.Retransmitted)
	for _, reason := range r.Rejections {
		line(b, "... because", "%s", reason)
	}
	line(b, "Replies verified", "all: %s votes, %s confirmations in the window; %s came twice", grouped(r.OrdersOK),
		grouped(r.ConfirmationsOK), grouped(r.Duplicates))
}

// writeTrust is what a reader needs to believe the result, or not to.
func (r *Result) writeTrust(b *strings.Builder) {
	if r.Stopped != "" {
		line(b, "Ended early", "%s", r.Stopped)
	}
	conserved := "no: the balances do not add up to what was minted"
	if r.Conserved {
		conserved = "yes, read over the wire"
	}
	line(b, "Money conserved", "%s", conserved)
	valid := "yes: long enough, steady, and not limited by the generator"
	if !r.Valid {
		valid = "no: " + strings.Join(r.Flags, ", ")
	}
	line(b, "Valid", "%s", valid)
	e := &r.Environment
	line(b, "Machine's state", "load %.2f before, %.1f %% of CPU time stolen, %s", e.LoadBefore, e.StealPercent, e.Kernel)
	for _, note := range r.Notes {
		line(b, "Note", "%s", note)
	}
}

// String is the percentiles that there are, in milliseconds.
func (p Percentiles) String() string {
	var parts []string
	for _, v := range [...]struct {
		name string
		us   *int64
	}{{"p50", p.P50}, {"p90", p.P90}, {"p99", p.P99}, {"p99.9", p.P999}, {"max", p.Max}} {
		if v.us != nil {
			parts = append(parts, fmt.Sprintf("%s %.2f", v.name, float64(*v.us)/1e3))
		}
	}
	if len(parts) == 0 {
		return "too few samples"
	}
	return strings.Join(parts, ", ") + " ms"
}

// benchmarkLine is r in Go's benchmark format, for benchstat.
func (r *Result) benchmarkLine() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Benchmark%s-%d %d %.1f ns/op %.1f %s/s", r.benchmarkName(), r.Environment.Cores, r.counted(),
		r.Seconds*1e9/float64(r.counted()),
		r.RatePerSec, strings.ReplaceAll(r.unit().many, " ", "-"))
	fmt.Fprintf(&b, " %.2f node-cpu-µs/op %.2f generator-cpu-µs/op", r.CPUUsPerPayment.Node, r.CPUUsPerPayment.Generator)
	if p := r.latency().P99; p != nil {
		fmt.Fprintf(&b, " %d p99-µs", *p)
	}
	return b.String()
}

// benchmarkName is what is measured, in the manner of Go's benchmarks: results with one name are runs of one configuration.
func (r *Result) benchmarkName() string {
	name := fmt.Sprintf("%s/protocol=%s/committee=%d/shards=%d/in-flight=%d", r.unit().benchmark, strings.ToLower(r.Protocol),
		r.CommitteeSize, r.NumShards, r.MaxInFlight)
	if r.Connections > 1 {
		name += fmt.Sprintf("/connections=%d", r.Connections)
	}
	if l := r.Load; l != nil && l.AskedPerSec > 0 {
		name += fmt.Sprintf("/rate=%.0f/arrival=%s", l.AskedPerSec, l.Loop)
	}
	if c := r.Committee; c != nil {
		name += "/topology=" + WholeCommittee.String()
		if len(c.Faults) > 0 {
			name += "/faults=" + strings.Join(c.Faults, ",")
		}
	}
	if l := r.Load; l != nil && l.Workload != "" && l.Workload != (Mix{}).String() {
		name += "/workload=" + inOneWord.Replace(l.Workload)
	}
	if l := r.Load; l != nil && l.InfoPercent > 0 {
		name += fmt.Sprintf("/info=%g", l.InfoPercent)
	}
	if r.Durability != "" && r.Durability != string(node.DurabilityNone) {
		name += "/durability=" + r.Durability
	}
	if l := r.Load; l != nil && l.Peer != "" {
		program, _, _ := strings.Cut(l.Peer, " ")
		name += "/peer=" + filepath.Base(program)
	}
	return name
}

// inOneWord writes a workload as a part of a name, which has no spaces.
var inOneWord = strings.NewReplacer(", ", "+", " % ", "%-", " ", "-")

// authorities says how many of the committee were measured.
func (r *Result) authorities() string {
	if r.Committee != nil {
		return fmt.Sprintf("all %d authorities", r.CommitteeSize)
	}
	return fmt.Sprintf("1 of %d authorities", r.CommitteeSize)
}

// grouped is n with commas between thousands.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
