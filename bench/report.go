package bench

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

const reportTitle = "# Results\n\n"

// Report is what a Markdown report is rendered from. Each of its parts, the results with what belongs to them,
// the paper's figures, curves, endurance, signatures, records and attacks, is rewritten only when it is there.
type Report struct {
	Results   []*Result
	Transfers *TransferLatency // nil: not measured
	Curves    []Curve
	Endurance []*Result
	Crypto    *SignatureTimes // nil: not measured
	Attacks   []*AttackResult

	paper   *paperRun             // nil: not run
	durable *durabilityRun        // nil: not measured
	Records map[reportPart]string // parts that are kept as Markdown, of a run directory; what was measured goes before
}

// reportPart is a part of the file between two marker lines. The rest of the file is other people's.
type reportPart string

const (
	partResults   reportPart = "bench"
	partPaper     reportPart = "paper"
	partCurves    reportPart = "curves"
	partEndurance reportPart = "endurance"
	partDurable   reportPart = "durability"
	partCrypto    reportPart = "crypto"
	partAttacks   reportPart = "attacks"

	partReliability reportPart = "reliability"
)

// reportParts are all parts, in the order of a whole report.
var reportParts = []reportPart{partResults, partPaper, partCurves, partEndurance, partDurable, partCrypto,
	partAttacks, partReliability}

func (p reportPart) begin() string {
	return fmt.Sprintf("<!-- %s:begin - written by 'fastpay bench results', do not edit up to %s:end -->", p, p)
}

func (p reportPart) end() string { return fmt.Sprintf("<!-- %s:end -->", p) }

// Update renders r into the Markdown file, which is made when it is not there.
func (r *Report) Update(file string) error {
	if r.empty() {
		return errors.New("bench: a report needs at least one result")
	}
	content, err := r.renderInto(file)
	if err != nil {
		return err
	}
	return replaceFile(file, []byte(content))
}

// empty reports whether no part is there.
func (r *Report) empty() bool {
	return len(r.Results)+len(r.Curves)+len(r.Endurance)+len(r.Attacks)+len(r.Records) == 0 && r.Crypto == nil && r.paper == nil &&
		r.durable == nil
}

// renderInto returns what file will hold.
func (r *Report) renderInto(file string) (string, error) {
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("bench: %w", err)
	}
	content := string(old)
	for _, part := range reportParts {
		section, err := r.section(part)
		if err != nil {
			return "", err
		}
		if section == "" {
			continue
		}
		if content, err = part.splice(content, section); err != nil {
			return "", fmt.Errorf("bench: %s: %w", file, err)
		}
	}
	return content, nil
}

// section is what stands between the markers of a part; "" when it is not there.
func (r *Report) section(part reportPart) (string, error) {
	switch {
	case part == partResults && len(r.Results) > 0:
		return r.renderResults()
	case part == partPaper && r.paper != nil:
		return r.paper.render(), nil
	case part == partCurves && len(r.Curves) > 0:
		return renderCurves(r.Curves), nil
	case part == partEndurance && len(r.Endurance) > 0:
		return renderEndurance(r.Endurance), nil
	case part == partDurable && r.durable != nil:
		return r.durable.render(), nil
	case part == partCrypto && r.Crypto != nil:
		return r.Crypto.render(), nil
	case part == partAttacks && len(r.Attacks) > 0:
		return renderAttacks(r.Attacks), nil
	}
	return r.Records[part], nil
}

// splice puts section between the markers of old, or at its end when it has none.
func (p reportPart) splice(old, section string) (string, error) {
	section = p.begin() + "\n\n" + section + "\n" + p.end() + "\n"
	before, rest, begins := strings.Cut(old, p.begin())
	_, after, ends := strings.Cut(rest, p.end()+"\n")
	switch {
	case begins != ends:
		return "", fmt.Errorf("only one of the lines %s:begin and %s:end is there", p, p)
	case begins:
		return before + section + after, nil
	case old == "":
		return reportTitle + section, nil
	}
	return strings.TrimRight(old, "\n") + "\n\n" + section, nil
}

func (r *Report) renderResults() (string, error) {
	var b strings.Builder
	results, alone := byPhase(r.Results)
	if len(results) == 0 {
		return "", errors.New("bench: a report needs at least one result of whole payments")
	}
	b.WriteString("## Throughput of one authority\n\n" + whatRate + "\n\n")
	renderOurs(&b, results)
	renderAlone(&b, alone)
	renderTransfers(&b, r.Transfers)
	if err := renderPaper(&b, r.Results); err != nil {
		return "", err
	}
	renderEnvironment(&b, results)
	b.WriteString("### To repeat it\n\n`./bench.sh` runs all of it and rewrites this part of the file. Each line alone, with its commit:\n\n")
	renderCommands(&b, r.Results)
	renderBudget(&b, results)
	return strings.TrimRight(b.String(), "\n") + "\n", nil
}

// byPhase separates results of whole payments from those of one phase alone.
func byPhase(all []*Result) (payments, alone []*Result) {
	for _, r := range all {
		if r.Phase == Payments.String() {
			payments = append(payments, r)
		} else {
			alone = append(alone, r)
		}
	}
	return payments, alone
}

// renderCommands lists the command of each line of a table, with the commit that it was of.
func renderCommands(b *strings.Builder, results []*Result) {
	for _, r := range results {
		fmt.Fprintf(b, "    %s  # %s\n", strings.Join(r.Command, " "), r.build())
	}
	b.WriteString("\n")
}

// measuredAt says when and at which commits the results of a table were measured.
func measuredAt(results ...*Result) string {
	days := distinct(results, func(r *Result) string { return fmt.Sprintf("%.10s", r.Environment.RecordedAt) })
	builds := distinct(results, (*Result).build)
	return fmt.Sprintf("Measured %s at %s %s", strings.Join(days, ", "), plural(len(builds), "commit"), strings.Join(builds, ", "))
}

// renderAlone is the table of phases that were measured alone; nothing, when none was.
func renderAlone(b *strings.Builder, results []*Result) {
	if len(results) == 0 {
		return
	}
	b.WriteString("### One phase alone\n\n" + whatAlone + "\n\n| Committee | Protocol | Rate of | a second | per core | " +
		"Latency p50 / p99, ms | CPU µs each: authority / generator | Signatures checked each | " +
		"Rejected / lost / sent again | Money conserved | Verdict |\n|---:|---|---|---:|---:|---|---|---:|---|---|---|\n")
	for _, r := range results {
		p := r.latency()
		fmt.Fprintf(b, "| %d | %s | %s | %s | %s | %s / %s | %.2f / %.2f | %.2f | %d / %d / %d | %s | %s |\n", r.CommitteeSize,
			strings.ToUpper(r.Protocol), r.unit().many, rateOrDash(r, r.RatePerSec), rateOrDash(r, r.RatePerCore), inMs(p.P50),
			inMs(p.P99), r.CPUUsPerPayment.Node, r.CPUUsPerPayment.Generator, r.SignaturesPerPay, r.Rejected, r.Lost,
			r.Retransmitted, yesNo(r.Conserved), verdictCell(r.Flags))
	}
	fmt.Fprintf(b, "\n%s by the commands [below](#to-repeat-it).\n\n", measuredAt(results...))
}

const whatAlone = `These are **not payments**: a transfer order is answered with a vote and moves no money, and a confirmation order here is
of an order that this authority never saw alone. They are what the paper's figures show. An account can have one order
pending, so the window of orders is the sum of many, between which certificates settle them outside of the measurement.`

func rateOrDash(r *Result, rate float64) string {
	if r.counted() == 0 {
		return "-"
	}
	return grouped(int(rate))
}

func verdictCell(flags []string) string {
	if len(flags) == 0 {
		return "valid"
	}
	return "**" + strings.Join(flags, ", ") + "**"
}

const whatRate = `The rate is **payments per second**: a payment is a transfer order that was answered with the authority's vote, and the
certificate of a quorum of other authorities that was answered with the account's new sequence number. Both are in the
measured window, and the debit and credit they cause too. Every reply was compared with the only correct one. Orders and
certificates were made before; one authority runs, beside its load generator, over loopback, as in the paper. Latency is
from the write that carried a request to the read that brought its reply, with the whole window in flight.`

// renderOurs is the table of what was measured.
func renderOurs(b *strings.Builder, results []*Result) {
	b.WriteString("| Committee | Protocol | Payments/s | per core | Latency p50 / p99 / p99.9, ms | " +
		"CPU µs a payment: authority / generator | Signatures checked a payment | Requests a batch | Peak memory, MiB | " +
		"Rejected / lost / sent again | Money conserved | Verdict |\n")
	b.WriteString("|---:|---|---:|---:|---|---|---:|---:|---:|---|---|---|\n")
	for _, r := range results {
		rate, perCore := "-", "-"
		if r.PaymentsOK > 0 {
			rate, perCore = "**"+grouped(int(r.PaymentsPerSec))+"**", grouped(int(r.PerCore))
		}
		p := r.LatencyUs.Confirmation
		fmt.Fprintf(b, "| %d | %s | %s | %s | %s / %s / %s | %.2f / %.2f | %.2f | %.0f | %.0f | %d / %d / %d | %s | %s |\n",
			r.CommitteeSize, strings.ToUpper(r.Protocol), rate, perCore, inMs(p.P50), inMs(p.P99), inMs(p.P999),
			r.CPUUsPerPayment.Node, r.CPUUsPerPayment.Generator, r.SignaturesPerPay, r.MeanBatch, float64(r.PeakRSSBytes)/(1<<20),
			r.Rejected, r.Lost, r.Retransmitted, yesNo(r.Conserved), verdictCell(r.Flags))
	}
	first := results[0]
	fmt.Fprintf(b, "\n%d shards, %s accounts, %s payments in flight, windows of %.0f s, seed %d, durability %s. Per core counts\n"+
		"all %d cores; the load generator runs on them too. %s by the commands [below](#to-repeat-it).\n\n", first.NumShards,
		grouped(first.NumAccounts), grouped(first.MaxInFlight), first.Seconds, first.Seed, first.Durability, first.Environment.Cores,
		measuredAt(results...))
}

// renderTransfers is what a single payer waits for; nothing, when that was not measured.
func renderTransfers(b *strings.Builder, l *TransferLatency) {
	if l == nil {
		return
	}
	fmt.Fprintf(b, "### A single transfer\n\nOn an idle committee of %d over %s on loopback, %s transfers one after the other, all in one "+
		"process:\n\n"+
		"| | |\n|---|---|\n| Order to certificate | %s |\n| Order to settlement by a quorum | %s |\n\n", l.CommitteeSize,
		strings.ToUpper(l.Protocol), grouped(l.Transfers), l.Certificate, l.Settled)
	r := &Result{Environment: l.Environment, Command: l.Command}
	b.WriteString(measuredAt(r) + ":\n\n")
	renderCommands(b, []*Result{r})
}

func inMs(us *int64) string {
	if us == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f", float64(*us)/1e3)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "**no**"
}

func renderEnvironment(b *strings.Builder, results []*Result) {
	e := results[0].Environment
	dirty := ""
	if e.Dirty {
		dirty = ", with changes that are not committed"
	}
	b.WriteString("### Environment\n\n| | |\n|---|---|\n")
	for _, row := range [...][2]string{
		{"CPU", fmt.Sprintf("%s, %d cores", e.CPU, e.Cores)},
		{"Instruction sets", strings.Join(e.Features, " ")},
		{"Signatures", "backend " + e.CryptoBackend},
		{"Kernel, memory", fmt.Sprintf("%s, %.1f GiB", e.Kernel, float64(e.MemoryBytes)/(1<<30))},
		{"Go", fmt.Sprintf("%s, GOMAXPROCS %d, GOGC %s", e.Go, e.GOMAXPROCS, e.GOGC)},
		{"Commit of the first line", e.Commit + dirty},
		{"Load before, steal", fmt.Sprintf("%.2f, at most %.1f %%", e.LoadBefore, mostStolen(results))},
	} {
		fmt.Fprintf(b, "| %s | %s |\n", row[0], row[1])
	}
	b.WriteString("\n")
}

func mostStolen(results []*Result) (percent float64) {
	for _, r := range results {
		percent = max(percent, r.Environment.StealPercent)
	}
	return percent
}
