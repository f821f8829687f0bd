package bench

import (
	"fmt"
	"slices"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"

	"fastpay/bench/paper"
	"fastpay/node"
	"fastpay/perf"
)

// schemaVersion is Result.Schema. Fields are added at the end of their object; none is changed or removed.
const schemaVersion = 1

// Result is one run. As JSON it is the source of every text about the run.
type Result struct {
	Schema           int      `json:"schema"`
	Command          []string `json:"command"`
	Seed             uint64   `json:"seed"`
	Protocol         string   `json:"protocol"`
	CommitteeSize    int      `json:"committee_size"`
	NumShards        int      `json:"num_shards"`
	NumAccounts      int      `json:"num_accounts"`
	MaxInFlight      int      `json:"max_in_flight"`
	Durability       string   `json:"durability"`
	Seconds          float64  `json:"seconds"` // of the window
	PaymentsOK       int      `json:"payments_ok"`
	PaymentsPerSec   float64  `json:"payments_per_second"`
	OrdersOK         int      `json:"orders_ok"`
	ConfirmationsOK  int      `json:"confirmations_ok"`
	Rejected         int      `json:"rejected"`      // requests, over the whole run
	Lost             int      `json:"lost"`          // payments, over the whole run
	Retransmitted    int      `json:"retransmitted"` // requests, over the whole run
	Conserved        bool     `json:"conserved"`
	Valid            bool     `json:"valid"`
	Flags            []string `json:"flags"`
	LatencyUs        Latency  `json:"latency_us"`
	CPUUsPerPayment  CPUUse   `json:"cpu_us_per_payment"`
	SignaturesPerPay float64  `json:"signatures_per_payment"` // checked by the authority
	MeanBatch        float64  `json:"mean_batch"`             // requests the authority handled at once
	BytesPerPayment  float64  `json:"bytes_per_payment"`      // both ways, without network headers
	PeakRSSBytes     int64    `json:"peak_rss_bytes"`         // of the authority's process in the window
	GCCycles         int      `json:"gc_cycles"`              // of the authority's process in the window

	Environment perf.Environment `json:"environment"`

	PerSecond            []int      `json:"per_second"` // payments confirmed in each whole second of the window
	WarmUp               WarmUp     `json:"warm_up"`
	Prepare              Preparing  `json:"prepare"`
	InProcess            bool       `json:"in_process"`
	Workers              int        `json:"workers"`
	PerCore              float64    `json:"payments_per_second_per_core"` // of all cores that the process may use
	WindowNotFullPercent float64    `json:"window_not_full_percent"`      // time from reading replies to sending what they allow
	NodeIdlePercent      float64    `json:"node_idle_percent"`            // of its workers' time: neither running nor waiting for a CPU
	AllocsPerPayment     float64    `json:"allocs_per_payment"`           // by the authority's process
	GCPauseUs            float64    `json:"gc_pause_us"`                  // in the window, all together
	BatchP999Us          float64    `json:"batch_p99_9_us"`               // how long the authority works on a batch
	Duplicates           int        `json:"duplicates"`                   // replies that came again
	Rejections           []string   `json:"rejections"`                   // why, the most frequent first
	ConfirmedAll         int        `json:"confirmed_with_warm_up"`
	Stopped              string     `json:"stopped"` // why the run ended early
	Notes                []string   `json:"notes"`   // true of the run, and no fault of it
	Profiles             []string   `json:"profiles"`
	Node                 node.Stats `json:"node"` // the authority's own counts in the window

	// Where Phase is not payments, payments_ok and payments_per_second are 0, and figures "per payment" are per what it counts.
	Phase       string  `json:"phase"`                    // what is counted: payments, orders, confirmations
	RatePerSec  float64 `json:"rate_per_second"`          // of what the phase counts
	RatePerCore float64 `json:"rate_per_second_per_core"` // of all cores that the process may use
	Connections int     `json:"connections"`              // over TCP, to each shard

	StartSeconds     float64 `json:"start_seconds"`      // of the authority: from reading its accounts to every port accepting
	RSSQuartersBytes []int64 `json:"rss_quarters_bytes"` // peak of the authority's resident memory in each quarter of the window
	Budget           *Budget `json:"budget"`             // with a CPU profile

	JournalBytesPerPay float64 `json:"journal_bytes_per_payment"` // written, padding included; 0 without a journal
	SyncsPerPayment    float64 `json:"syncs_per_payment"`         // of the disk, one for each group of the journal

	Load      *Load         `json:"load,omitempty"`      // how the load was made; nil in results of older versions
	Committee *CommitteeRun `json:"committee,omitempty"` // of a whole committee
	Paper     *paper.Place  `json:"paper,omitempty"`     // of a run of the paper's evaluation: where it belongs

	LiveHeap  *LiveHeap       `json:"live_heap,omitempty"` // with --watch memory
	Snapshots *SnapshotEffect `json:"snapshots,omitempty"` // with --watch pauses
	Recovery  *RecoveryTime   `json:"recovery,omitempty"`  // with --restart
}

// Latency is that of requests. In an open loop it counts from when the payment was due, to the vote and to the confirmation;
// in a closed loop from the write that carried the request to the read that brought the reply.
// Over TCP order and certificate are sent together, so both count from the same moment.
type Latency struct {
	Order        Percentiles `json:"order"`
	Confirmation Percentiles `json:"confirmation"`
}

// Percentiles are in µs; nil where there are too few samples for one.
type Percentiles struct {
	P50  *int64 `json:"p50"`
	P90  *int64 `json:"p90"`
	P99  *int64 `json:"p99"`
	P999 *int64 `json:"p99_9"`
	Max  *int64 `json:"max"`
}

// CPUUse is CPU time in µs.
type CPUUse struct {
	Node      float64 `json:"node"`
	Generator float64 `json:"generator"`
}

// WarmUp is what came before the window.
type WarmUp struct {
	Seconds  float64 `json:"seconds"`
	Payments int     `json:"payments"`
}

// Preparing is what came before the run.
type Preparing struct {
	Payments int     `json:"payments"`
	Cached   int     `json:"cached"`
	Seconds  float64 `json:"seconds"`
}

// Flags of a result; each makes it not valid.
const (
	FlagShortWindow    = "short-window"    // less than minWindow
	FlagUnsteady       = "unsteady"        // the rate changed within the window
	FlagGeneratorBound = "generator-bound" // the authority waited for the generator
	FlagInterrupted    = "interrupted"     // by the user: partial
	FlagRejected       = "rejected"
	FlagLost           = "lost"
	FlagNotConserved   = "not-conserved"
	FlagNotAudited     = "not-audited" // the balances could not be read after the run
	FlagNothing        = "nothing-measured"
	FlagExhausted      = "exhausted"  // the prepared payments ran out before the window's end
	FlagOverloaded     = "overloaded" // in an open loop less was confirmed than was due: latencies grow with the window
)

// percentiles leaves out what has less than ten samples beyond it.
func percentiles(h *hdrhistogram.Histogram) (p Percentiles) {
	n := h.TotalCount()
	for _, want := range [...]struct {
		to      **int64
		percent float64
		samples int64
	}{{&p.P50, 50, 20}, {&p.P90, 90, 100}, {&p.P99, 99, 1000}, {&p.P999, 99.9, 10_000}} {
		if n >= want.samples {
			v := h.ValueAtQuantile(want.percent)
			*want.to = &v
		}
	}
	if n > 0 {
		v := h.Max()
		p.Max = &v
	}
	return p
}

// Exit codes of a run, part of the interface. 1 is any other failure and 2 a mistake on the command line.
const (
	ExitFailed      = 3 // nothing measured, or payments rejected or lost
	ExitNotValid    = 4 // a flagged result, with --require-valid
	ExitUnconserved = 5 // money appeared or vanished
	ExitUnsafe      = 6 // two authorities or accounts tell what can't be true together
	ExitGate        = 7 // a comparison went beyond its --fail-if
)

// RunError is a verdict: the result is there, and can't be trusted as a measurement or is not good enough.
type RunError struct {
	Code int
	Text string
}

func (e *RunError) Error() string { return "bench: " + e.Text }

// ExitCode is what the process should end with.
func (e *RunError) ExitCode() int { return e.Code }

// Err is the run's verdict: nil, or a *RunError. Flags alone are an error only if valid is required.
func (r *Result) Err(requireValid bool) error {
	has := func(flag string) bool { return slices.Contains(r.Flags, flag) }
	switch {
	case has(FlagUnsafe):
		return &RunError{ExitUnsafe, "safety violated: " + r.Committee.firstViolation()}
	case has(FlagNotConserved):
		return &RunError{ExitUnconserved, "not conserved: the balances do not add up to what was minted"}
	case has(FlagNothing):
		return &RunError{ExitFailed, "nothing was measured" + because(r.Stopped) + because(strings.Join(r.Rejections, "; "))}
	case has(FlagRejected), has(FlagLost):
		return &RunError{ExitFailed, fmt.Sprintf("%d requests rejected, %d payments lost", r.Rejected, r.Lost) +
			because(strings.Join(r.Rejections, "; "))}
	case has(FlagNotAudited):
		return &RunError{ExitFailed, "the balances could not be read after the run"}
	case requireValid && !r.Valid:
		return &RunError{ExitNotValid, "the result is not valid: " + strings.Join(r.Flags, ", ")}
	}
	return nil
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// WriteFile writes r as JSON; the file appears whole or not at all.
func (r *Result) WriteFile(name string) error {
	return writeJSON(name, r)
}

// ReadResult reads a file that WriteFile wrote, of this version or a later one.
func ReadResult(name string) (*Result, error) {
	r := new(Result)
	if err := readJSON(name, r); err != nil {
		return nil, err
	}
	if r.Schema < schemaVersion {
		return nil, fmt.Errorf("bench: %s is not a result: schema %d", name, r.Schema)
	}
	if r.Phase == "" { // an older version, which had payments only
		r.Phase, r.RatePerSec, r.RatePerCore = Payments.String(), r.PaymentsPerSec, r.PerCore
	}
	return r, nil
}

// counted is how many of its unit a result counts.
func (r *Result) counted() int {
	switch r.Phase {
	case Orders.String():
		return r.OrdersOK
	case Confirmations.String():
		return r.ConfirmationsOK
	}
	return r.PaymentsOK
}

// latency is that of what a result counts.
func (r *Result) latency() Percentiles {
	if r.Phase == Orders.String() {
		return r.LatencyUs.Order
	}
	return r.LatencyUs.Confirmation
}

// unit names what a result counts.
func (r *Result) unit() unit {
	p, err := ParsePhase(r.Phase)
	if err != nil {
		p = Payments
	}
	return units[p]
}
