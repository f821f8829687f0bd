package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"fastpay/node"
	"fastpay/perf"
)

// AttackResult is what RunAttacks found. As JSON it is the source of every text about it.
type AttackResult struct {
	Schema        int      `json:"schema"`
	Command       []string `json:"command"`
	Seed          uint64   `json:"seed"`
	CommitteeSize int      `json:"committee_size"`
	NumShards     int      `json:"num_shards"`
	NumAccounts   int      `json:"num_accounts"`
	MaxInFlight   int      `json:"max_in_flight"`
	Durability    string   `json:"durability"`
	Rate          float64  `json:"rate"` // of honest payments; 0 is as many as the authority takes
	Hostile       int      `json:"hostile_connections"`
	TurnSeconds   float64  `json:"turn_seconds"`

	Environment perf.Environment `json:"environment"`
	Rows        []*AttackRow     `json:"rows"`
}

// AttackRow is one attack.
type AttackRow struct {
	Attack    string       `json:"attack"`
	What      string       `json:"what"`
	Least     float64      `json:"least"` // share of honest payments that must be left; 0: none is asked for
	Skipped   string       `json:"skipped,omitempty"`
	Pairs     []AttackPair `json:"pairs"` // in the order in which they were measured
	Share     float64      `json:"share"` // median rate with the attack, of the median rate without
	Attackers attackCounts `json:"attackers"`
	Overload  *OverloadRow `json:"overload,omitempty"`

	Rejected    int        `json:"rejected"` // honest requests
	Lost        int        `json:"lost"`     // honest payments
	Conserved   bool       `json:"conserved"`
	PeakWithout int64      `json:"peak_rss_without_bytes"` // of the authority's process, until the first attack
	PeakWith    int64      `json:"peak_rss_with_bytes"`    // over the whole row
	Node        node.Stats `json:"node"`                   // the authority's own counts
	Faults      []string   `json:"faults"`                 // what is wrong; none is good
}

// AttackPair is the honest payments of a turn without the attack, and of the next, with it.
type AttackPair struct {
	Without AttackTurn `json:"without"`
	With    AttackTurn `json:"with"`
}

// AttackTurn is the honest payments in some seconds: rate, and latency from sending to the confirmation.
type AttackTurn struct {
	PerSec float64 `json:"per_second"`
	P50Us  int64   `json:"p50_us"`
	P99Us  int64   `json:"p99_us"`
	MaxUs  int64   `json:"max_us"`
	CPUUs  float64 `json:"cpu_us"` // of the authority's process for each payment, with what it spent on the attack
}

func newAttackRow(a Attack) *AttackRow {
	return &AttackRow{Attack: a.String(), What: attacks[a].what, Least: attacks[a].least}
}

func without(p AttackPair) AttackTurn { return p.Without }
func with(p AttackPair) AttackTurn    { return p.With }

func (r *AttackRow) medianOf(side func(AttackPair) AttackTurn, figure func(AttackTurn) float64) float64 {
	var all []float64
	for _, p := range r.Pairs {
		all = append(all, figure(side(p)))
	}
	return median(all)
}

func (r *AttackRow) perSec(side func(AttackPair) AttackTurn) float64 {
	return r.medianOf(side, func(t AttackTurn) float64 { return t.PerSec })
}

func (r *AttackRow) p99(side func(AttackPair) AttackTurn) float64 {
	return r.medianOf(side, func(t AttackTurn) float64 { return float64(t.P99Us) / 1000 })
}

func (r *AttackRow) cpuUs(side func(AttackPair) AttackTurn) float64 {
	return r.medianOf(side, func(t AttackTurn) float64 { return t.CPUUs })
}

// spread is the least and the largest ratio of a pair.
func (r *AttackRow) spread() (low, high float64) {
	var all []float64
	for _, p := range r.Pairs {
		all = append(all, ratio(p.With.PerSec, p.Without.PerSec))
	}
	return slices.Min(all), slices.Max(all)
}

// judge says what is wrong.
func (r *AttackRow) judge() {
	r.Share = ratio(r.perSec(with), r.perSec(without))
	fault := func(format string, args ...any) { r.Faults = append(r.Faults, fmt.Sprintf(format, args...)) }
	if r.Share < r.Least {
		fault("%.1f %% of the honest payments are left, expected %.0f %%", 100*r.Share, 100*r.Least)
	}
	if r.Rejected+r.Lost > 0 {
		fault("%d honest requests were rejected, %d payments lost", r.Rejected, r.Lost)
	}
	if !r.Conserved {
		fault("the balances do not add up to what was minted")
	}
	if grown := r.PeakWith - r.PeakWithout; grown > node.MaxPeerBytes {
		fault("memory grew by %d MiB, peers may cause %d", grown>>20, node.MaxPeerBytes>>20)
	}
	if o := r.Overload; o != nil && (o.RecoverSeconds < 0 || o.RecoverSeconds > recoveryLimit.Seconds()) {
		fault("latency was back after %.1f s, expected %.0f", o.RecoverSeconds, recoveryLimit.Seconds())
	}
	if r.Overload == nil && r.Attackers.Messages+r.Attackers.Connections == 0 {
		fault("the attackers did nothing")
	}
}

// Err is the verdict: nil, or a *RunError.
func (r *AttackResult) Err() error {
	for _, row := range r.Rows {
		switch {
		case len(row.Faults) == 0:
		case !row.Conserved:
			return &RunError{ExitUnconserved, row.Attack + ": " + strings.Join(row.Faults, "; ")}
		default:
			return &RunError{ExitGate, row.Attack + ": " + strings.Join(row.Faults, "; ")}
		}
	}
	return nil
}

// WriteFile writes r as JSON; the file appears whole or not at all.
func (r *AttackResult) WriteFile(name string) error {
	return writeJSON(name, r)
}

// ReadAttackResult reads a file that WriteFile wrote.
func ReadAttackResult(name string) (*AttackResult, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	r := new(AttackResult)
	if err := json.Unmarshal(b, r); err != nil || len(r.Rows) == 0 {
		return nil, fmt.Errorf("bench: %s is not a result of attacks: %v", name, err)
	}
	return r, nil
}

// short is a row in a line.
func (r *AttackRow) short() string {
	if r.Skipped != "" {
		return "skipped: " + r.Skipped
	}
	text := fmt.Sprintf("%s/s without, %s/s with: %.1f %% left; %s", grouped(int(r.perSec(without))), grouped(int(r.perSec(with))),
		100*r.Share, r.did())
	if len(r.Faults) > 0 {
		text += "; " + strings.Join(r.Faults, "; ")
	}
	return text
}

// did is what the attackers did.
func (r *AttackRow) did() string {
	if o := r.Overload; o != nil {
		return fmt.Sprintf("%s/s offered; at half, latency back after %.1f s", grouped(int(o.OfferedPerSec)), o.RecoverSeconds)
	}
	c := &r.Attackers
	var parts []string
	for _, p := range []struct {
		n    int64
		what string
	}{{c.Connections, "connections"}, {c.Closed, "closed by the authority"}, {c.Failed, "failed"}, {c.Messages, "messages"},
		{c.Bytes >> 20, "MiB"}} {
		if p.n > 0 {
			parts = append(parts, grouped(int(p.n))+" "+p.what)
		}
	}
	return fmt.Sprintf("%s in %.0f s, %.0f %% of a CPU", strings.Join(parts, ", "), c.Seconds, 100*ratio(c.CPUSeconds, c.Seconds))
}

// WriteText writes r for a terminal.
func (r *AttackResult) WriteText(w io.Writer) error {
	_, err := io.WriteString(w, r.table())
	return err
}

// table is r in Markdown, which can be read as it is.
func (r *AttackResult) table() string {
	var b strings.Builder
	b.WriteString("| Attack | Honest payments/s without / with | Left (pairs) | p99, ms, without / with | CPU µs a payment, without / with | " +
		"What the attackers did | " +
		"Peak memory, MiB, without / with | Rejected / lost | Money conserved | Verdict |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, row := range r.Rows {
		if row.Skipped != "" {
			fmt.Fprintf(&b, "| %s | | | | | skipped: %s | | | | |\n", row.Attack, row.Skipped)
			continue
		}
		verdict := "good"
		if len(row.Faults) > 0 {
			verdict = "**" + strings.Join(row.Faults, "; ") + "**"
		}
		low, high := row.spread()
		fmt.Fprintf(&b, "| %s | %s / %s | %.1f %% (%.1f to %.1f) | %.1f / %.1f | %.2f / %.2f | %s | %d / %d | %d / %d | %s | %s |\n", row.Attack,
			grouped(int(row.perSec(without))), grouped(int(row.perSec(with))), 100*row.Share, 100*low, 100*high, row.p99(without),
			row.p99(with), row.cpuUs(without), row.cpuUs(with), row.did(), row.PeakWithout>>20, row.PeakWith>>20, row.Rejected, row.Lost, yesNo(row.Conserved), verdict)
	}
	return b.String()
}
