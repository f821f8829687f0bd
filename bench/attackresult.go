package bench

import (
	"fmt"
	"io"
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
		fault("latency was back %s, expected %.0f s", o.Impatient, recoveryLimit.Seconds())
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
	r := new(AttackResult)
	if err := readJSON(name, r); err != nil {
		return nil, err
	}
	if len(r.Rows) == 0 {
		return nil, fmt.Errorf("bench: %s is not a result of attacks: it has no rows", name)
	}
	return r, nil
}

// WriteText writes r for a terminal.
func (r *AttackResult) WriteText(w io.Writer) error {
	var b strings.Builder
	renderRows(&b, r.Rows)
	_, err := io.WriteString(w, b.String())
	return err
}
