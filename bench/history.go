package bench

import (
	"encoding/json"
	"fmt"
)

// DefaultHistory is where runs are recorded, below the current folder.
const DefaultHistory = "results/history.ndjson"

// historyLine is what the history keeps of a run: enough to see when a rate changed, and to repeat it. Names are those of
// Result where the field is.
type historyLine struct {
	At        string   `json:"at"` // RFC 3339, UTC
	Commit    string   `json:"commit"`
	Dirty     bool     `json:"dirty"`
	Benchmark string   `json:"benchmark"` // as in Go's benchmark format
	Phase     string   `json:"phase"`
	Rate      float64  `json:"rate_per_second"`
	PerCore   float64  `json:"rate_per_second_per_core"`
	Seconds   float64  `json:"seconds"`
	P50Us     *int64   `json:"p50_us"`
	P99Us     *int64   `json:"p99_us"`
	CPUUs     float64  `json:"cpu_us"` // of the authority, each
	Rejected  int      `json:"rejected"`
	Lost      int      `json:"lost"`
	Conserved bool     `json:"conserved"`
	Valid     bool     `json:"valid"`
	Flags     []string `json:"flags"`
	CPU       string   `json:"cpu"`
	Cores     int      `json:"cores"`
	Backend   string   `json:"crypto_backend"`
	Steal     float64  `json:"steal_percent"`
	Seed      uint64   `json:"seed"`
	Command   []string `json:"command"`
}

func (r *Result) historyLine() historyLine {
	e, l := &r.Environment, r.latency()
	return historyLine{
		At: e.RecordedAt, Commit: e.Commit, Dirty: e.Dirty, Benchmark: r.benchmarkName(), Phase: r.Phase, Rate: r.RatePerSec,
		PerCore: r.RatePerCore, Seconds: r.Seconds, P50Us: l.P50, P99Us: l.P99, CPUUs: r.CPUUsPerPayment.Node,
		Rejected: r.Rejected, Lost: r.Lost, Conserved: r.Conserved, Valid: r.Valid, Flags: r.Flags, CPU: e.CPU, Cores: e.Cores,
		Backend: e.CryptoBackend, Steal: e.StealPercent, Seed: r.Seed, Command: r.Command,
	}
}

// AppendHistory adds a line about r to the file, which is made when needed; the line is there whole or not at all.
func (r *Result) AppendHistory(file string) error {
	text, err := json.Marshal(r.historyLine())
	if err == nil {
		err = appendLine(file, text)
	}
	if err != nil {
		return fmt.Errorf("bench: history: %w", err)
	}
	return nil
}
