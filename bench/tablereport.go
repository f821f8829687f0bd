package bench

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// partTable is a short table of whole payments in another file, as the README's.
const partTable reportPart = "measured"

// UpdateTable writes the results of whole payments, as a short table, between the markers of partTable in file, which must be there.
// A report without results leaves the file as it is.
func (r *Report) UpdateTable(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	content, err := r.renderTable(string(text))
	if err != nil {
		return fmt.Errorf("bench: %s: %w", file, err)
	}
	return replaceFile(file, []byte(content))
}

// renderTable is text with the table in it.
func (r *Report) renderTable(text string) (string, error) {
	results, _ := byPhase(r.Results)
	if len(results) == 0 {
		return text, nil
	}
	if !strings.Contains(text, partTable.begin()) {
		return "", errors.Join(errors.New("there is no line "+partTable.begin()), fs.ErrNotExist)
	}
	var b strings.Builder
	first := results[0]
	e := &first.Environment
	fmt.Fprintf(&b, "%s on %d cores (%s), which the load generator shares; %d shards, %s accounts, %s in flight, windows of %.0f s:\n\n",
		measuredAt(results...), e.Cores, e.CPU, first.NumShards, grouped(first.NumAccounts), grouped(first.MaxInFlight), first.Seconds)
	b.WriteString("| Authorities | Protocol | Payments/s | p50 / p99, ms | CPU µs a payment, authority |\n|---:|---|---:|---|---:|\n")
	for _, r := range results {
		l := r.latency()
		rate := rateOrDash(r, r.RatePerSec)
		if !r.Valid {
			rate += " (" + strings.Join(r.Flags, ", ") + ")"
		}
		fmt.Fprintf(&b, "| %d | %s | %s | %s / %s | %.2f |\n", r.CommitteeSize, strings.ToUpper(r.Protocol), rate, inMs(l.P50), inMs(l.P99),
			r.CPUUsPerPayment.Node)
	}
	return partTable.splice(text, b.String())
}
