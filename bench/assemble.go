package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"fastpay/node"
)

// result draws the conclusions.
func (r *measured) result() *Result {
	m := r.meter
	window := m.window()
	res := &Result{
		Schema:          schemaVersion,
		Command:         r.Command,
		Seed:            r.Seed,
		Protocol:        strings.ToLower(r.Protocol.String()),
		CommitteeSize:   r.CommitteeSize,
		NumShards:       r.NumShards,
		NumAccounts:     r.NumAccounts,
		MaxInFlight:     r.MaxInFlight,
		Durability:      r.Durability,
		Seconds:         window.Seconds(),
		OrdersOK:        m.orders,
		ConfirmationsOK: m.confirmations,
		Rejected:        m.rejected,
		Lost:            m.lost,
		Retransmitted:   m.retransmitted,
		Conserved:       r.audited == nil && r.balanced && r.books.confirmed >= uint64(m.confirmed),
		LatencyUs:       Latency{percentiles(m.order), percentiles(m.confirmation)},
		BytesPerPayment: ratio(float64(m.bytes), float64(m.counted())),
		Environment:     r.environ,
		PerSecond:       m.perSecond(),
		WarmUp:          WarmUp{m.began.Seconds(), m.warmedUp},
		Prepare:         Preparing{r.made.total, r.made.cached, r.made.elapsed.Seconds()},
		InProcess:       r.InProcess,
		Workers:         r.workers,
		Duplicates:      m.duplicates,
		Rejections:      m.topReasons(),
		ConfirmedAll:    m.confirmed,
		Profiles:        append([]string{}, r.after.Hints...),
	}
	res.Phase = r.Phase.String()
	res.RatePerSec = ratio(float64(m.counted()), window.Seconds())
	res.RatePerCore = ratio(res.RatePerSec, float64(r.environ.Cores))
	res.Connections = r.Connections
	res.StartSeconds = r.started.Seconds()
	if r.Phase == Payments {
		res.PaymentsOK, res.PaymentsPerSec, res.PerCore = m.confirmations, res.RatePerSec, res.RatePerCore
	}
	res.WindowNotFullPercent = 100 * ratio(m.notFull.Seconds(), window.Seconds())
	res.Environment.StealPercent = r.stolen
	if errors.Is(r.stopped, context.Canceled) {
		res.Stopped = "interrupted"
	} else if r.stopped != nil {
		res.Stopped = r.stopped.Error()
	}
	r.addNode(res)
	res.LiveHeap = newLiveHeap(r.after.Heap)
	if m.slots != nil && m.hasBegun() {
		res.Snapshots = m.slots.effect(r.after.Snapshots, r.after.Loops)
	}
	res.Load, res.Committee = r.loadMade(), r.whole
	res.Flags, res.Notes = r.flags(res), r.notes()
	res.Valid = len(res.Flags) == 0
	return res
}

// addNode fills in what the authority itself counted. Its window is between its two snapshots, and a little longer than
// the generator's.
func (r *measured) addNode(res *Result) {
	d := r.after.since(r.before)
	for _, o := range r.outside {
		d = d.since(o)
	}
	res.Environment.GOMAXPROCS = d.GOMAXPROCS
	s := d.Stats
	res.Node = s
	counted := float64(s.Certificates)
	if r.Phase == Orders {
		counted = float64(s.Orders)
	}
	if r.whole != nil || r.Peer != "" { // the counts are those of all authorities together, or unknown
		counted = float64(r.meter.counted())
	}
	cpu := d.CPU
	if r.InProcess {
		cpu -= r.meter.cpu
	}
	res.CPUUsPerPayment = CPUUse{
		Node:      ratio(us(cpu), counted),
		Generator: ratio(us(r.meter.cpu), float64(r.meter.counted())),
	}
	res.SignaturesPerPay = ratio(float64(s.Signatures), counted)
	res.JournalBytesPerPay = ratio(float64(s.JournalBytes), counted)
	res.SyncsPerPayment = ratio(float64(s.Commits), counted)
	res.MeanBatch = ratio(float64(s.Requests), float64(s.Batches))
	res.PeakRSSBytes, res.RSSQuartersBytes = d.PeakRSS, append([]int64{}, d.RSS...)
	res.GCCycles = int(d.GCCycles)
	res.GCPauseUs = us(d.GCPause)
	res.AllocsPerPayment = ratio(float64(d.Mallocs), counted)
	res.BatchP999Us = float64(s.BatchP999Ns) / 1e3
	busy := ratio((cpu + d.QueueWait).Seconds(), d.At.Seconds()*float64(d.Workers))
	res.NodeIdlePercent = 100 * min(1, max(0, 1-busy))
}

func us(d time.Duration) float64 { return float64(d) / 1e3 }

// ratio is a/b, and 0 when there is nothing to divide by.
func ratio(a, b float64) float64 {
	if b <= 0 {
		return 0
	}
	return a / b
}

// statsSince is what was counted between two moments; what is no count is as it was at the later one.
func statsSince(now, before node.Stats) node.Stats {
	d := now
	d.Orders -= before.Orders
	d.Certificates -= before.Certificates
	d.Infos -= before.Infos
	d.Rejected -= before.Rejected
	d.Votes -= before.Votes
	d.Signatures -= before.Signatures
	d.BadSignatures -= before.BadSignatures
	d.Credits -= before.Credits
	d.CrossShardRefused -= before.CrossShardRefused
	d.OutboxFull -= before.OutboxFull
	d.LinksRefused -= before.LinksRefused
	d.Batches -= before.Batches
	d.Requests -= before.Requests
	d.BusyNs -= before.BusyNs
	d.BytesIn -= before.BytesIn
	d.BytesOut -= before.BytesOut
	d.Refused -= before.Refused
	d.Timeouts -= before.Timeouts
	d.SlowReaders -= before.SlowReaders
	d.Oversized -= before.Oversized
	d.DatagramsDropped -= before.DatagramsDropped
	d.Commits -= before.Commits
	d.JournalRecords -= before.JournalRecords
	d.JournalBytes -= before.JournalBytes
	d.JournalNs -= before.JournalNs
	d.Snapshots -= before.Snapshots
	return d
}

const (
	// windowSlack forgives the window's end the length of a step.
	windowSlack = 4 * maxStep
	// boundPercent is how long the window may be not full, while the authority idles as long, before the generator is
	// what was measured.
	boundPercent = 5
	// judgeWindow is the shortest window in which idle time is told from the moments at its ends.
	judgeWindow = time.Second
)

// flags says what is wrong with a result.
func (r *measured) flags(res *Result) []string {
	flags := []string{}
	window := r.meter.window()
	for _, f := range [...]struct {
		raised bool
		flag   string
	}{
		{r.meter.counted() == 0, FlagNothing},
		{res.Rejected > 0, FlagRejected},
		{res.Lost > 0, FlagLost},
		{r.whole != nil && len(r.whole.Violations) > 0, FlagUnsafe},
		{r.audited != nil, FlagNotAudited},
		{r.audited == nil && !res.Conserved, FlagNotConserved},
		{errors.Is(r.stopped, context.Canceled), FlagInterrupted},
		{errors.Is(r.stopped, errExhausted), FlagExhausted},
		{window < minWindow-windowSlack, FlagShortWindow},
		{!steady(res.PerSecond), FlagUnsteady},
		{res.Load.late(), FlagGeneratorBound},
		{res.Load.overloaded(r.meter.counted()), FlagOverloaded},
		{!r.open() && window >= judgeWindow && res.WindowNotFullPercent > boundPercent && res.NodeIdlePercent > boundPercent, FlagGeneratorBound},
	} {
		if f.raised {
			flags = append(flags, f.flag)
		}
	}
	return flags
}

// notes says what a reader should know, though nothing is wrong.
func (r *measured) notes() []string {
	notes := []string{}
	if r.generator < 0 {
		notes = append(notes, fmt.Sprintf("shared-cores: the generator runs on the authority's %d cores", r.environ.Cores))
	}
	if r.Phase == Orders {
		notes = append(notes, fmt.Sprintf("rounds: the window is the sum of %d, each of at most an order an account; "+
			"certificates go between them", len(r.outside)+1))
	}
	if r.Metrics != "" {
		notes = append(notes, "metrics: the authority served them during the run")
	}
	if r.InProcess {
		notes = append(notes, "in-process: authority and generator share one process and its memory")
	}
	if len(r.made.voters) >= r.CommitteeSize {
		notes = append(notes, "small-committee: certificates hold the measured authority's own vote, which it need not check")
	}
	return notes
}
