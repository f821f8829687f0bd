package bench

import (
	"slices"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"fastpay/codec"
	"fastpay/perf"
)

// meter counts what a driver sees. What can be wrong is counted over the whole run, warm-up included, so that nothing
// bad hides outside the window; what is measured is counted between begin and end. It belongs to the driver's goroutine.
type meter struct {
	phase Phase // what the series counts

	// Over the whole run.
	answers       int // requests that were answered as expected
	confirmed     int // payments, verified
	rejected      int // requests that were answered with an error, or with anything but the expected reply
	lost          int // payments that were never answered
	retransmitted int // requests that were sent again
	duplicates    int // replies that came again
	reasons       map[string]int
	notFull       time.Duration // in the window: replies were read and what they allow was not sent yet

	live *live // tells about the run while it goes on; may be nil

	// In the window.
	measuring     bool
	began, ended  time.Duration
	pausedAt      time.Duration
	skipped       time.Duration // between began and ended: pauses that are over
	warmedUp      int           // payments confirmed before the window
	steadyWarmUp  bool          // the window began because the rate was steady
	cpu           time.Duration // of the driver's thread
	orders        int
	confirmations int
	bytes         int64 // sent and received, without the network's headers
	order         *hdrhistogram.Histogram
	confirmation  *hdrhistogram.Histogram
	series        []int         // what the phase counts, in each seriesStep
	slots         *latencySlots // nil: nobody asks

	// Of an open loop, in the window.
	due         int                     // payments that were due
	sent        int                     // payments that were begun
	late        *hdrhistogram.Histogram // from when a payment was due to when it was sent
	orderServed *hdrhistogram.Histogram // from sending to the reply, as order and confirmation are from when it was due
	settled     *hdrhistogram.Histogram

	infos *hdrhistogram.Histogram // of info requests, in the window; nil in a load without

	// Of a committee, in the window: payments whose credit was watched. nil when none is.
	credited    *hdrhistogram.Histogram // from when a payment was due to its credit at a quorum
	creditedAll *hdrhistogram.Histogram // ... at all authorities
	creditLag   *hdrhistogram.Histogram // at one authority, from the reply about the debit to the credit
	unseen      int                     // over the whole run: payments whose credit no quorum showed in time
}

const (
	seriesStep = 100 * time.Millisecond
	maxReasons = 16

	// Latencies are kept to three digits from 1 µs to 100 s.
	latencyMaxUs  = 100_000_000
	latencyDigits = 3
)

func newMeter(phase Phase) *meter {
	return &meter{
		phase:        phase,
		reasons:      make(map[string]int),
		order:        hdrhistogram.New(1, latencyMaxUs, latencyDigits),
		confirmation: hdrhistogram.New(1, latencyMaxUs, latencyDigits),
		series:       make([]int, 0, 1024),
	}
}

// begin starts the window at now, time since the driver's start. It is called from the driver's thread, as end is.
func (m *meter) begin(now time.Duration) {
	m.measuring, m.began, m.warmedUp = true, now, m.confirmed
	if m.slots != nil {
		m.slots.began = time.Now()
	}
	m.cpu = -perf.ThreadUsage().CPU
}

func (m *meter) hasBegun() bool { return m.ended > 0 }

// pause interrupts the window: until resume, or end, nothing is measured and no time passes.
func (m *meter) pause(now time.Duration) {
	m.measuring, m.pausedAt = false, now
	m.cpu += perf.ThreadUsage().CPU
}

func (m *meter) resume(now time.Duration) {
	m.measuring = true
	m.skipped += now - m.pausedAt
	m.cpu -= perf.ThreadUsage().CPU
}

// end ends the window, also one that is paused.
func (m *meter) end(now time.Duration) {
	if m.measuring {
		m.pause(now)
	}
	m.ended = m.pausedAt
	if n := int((m.window() + seriesStep - 1) / seriesStep); n > len(m.series) {
		m.series = append(m.series, make([]int, n-len(m.series))...)
	}
}

// elapsed is how much of the window has passed at now, when it is not paused.
func (m *meter) elapsed(now time.Duration) time.Duration { return now - m.began - m.skipped }

// window is its length, once it has ended.
func (m *meter) window() time.Duration { return m.elapsed(m.ended) }

// counted is what the phase counts in the window.
func (m *meter) counted() int {
	if m.phase == Orders {
		return m.orders
	}
	return m.confirmations
}

// answered counts n votes and n confirmed payments that were read at now, and sent latency ago.
func (m *meter) answered(now, latency time.Duration, orders, confirmations int) {
	m.answers += orders + confirmations
	m.confirmed += confirmations
	us := microseconds(latency)
	if m.phase == Orders {
		m.live.took(us, orders)
	} else {
		m.live.took(us, confirmations)
	}
	if !m.measuring {
		return
	}
	if orders > 0 {
		m.orders += orders
		_ = m.order.RecordValues(us, int64(orders)) // fails for values out of range only
	}
	if confirmations > 0 {
		m.confirmations += confirmations
		_ = m.confirmation.RecordValues(us, int64(confirmations))
		if m.slots != nil {
			m.slots.add(m.elapsed(now), us, confirmations)
		}
	}
	count := confirmations
	if m.phase == Orders {
		count = orders
	}
	step := int(m.elapsed(now) / seriesStep)
	for step >= len(m.series) {
		m.series = append(m.series, 0)
	}
	m.series[step] += count
}

// opened makes room for what only an open loop measures.
func (m *meter) opened() { room(&m.late, &m.orderServed, &m.settled) }

func room(histograms ...**hdrhistogram.Histogram) {
	for _, h := range histograms {
		*h = hdrhistogram.New(1, latencyMaxUs, latencyDigits)
	}
}

// microseconds is a latency as histograms keep it.
func microseconds(d time.Duration) int64 { return min(max(1, d.Microseconds()), latencyMaxUs) }

// begun counts a payment of an open loop that was sent so long after it was due.
func (m *meter) begun(late time.Duration) {
	if m.measuring {
		_ = m.late.RecordValue(microseconds(late))
	}
}

// served counts replies of an open loop that came so long after their requests were sent.
func (m *meter) served(after time.Duration, orders, confirmations int) {
	if !m.measuring {
		return
	}
	us := microseconds(after)
	if orders > 0 {
		_ = m.orderServed.RecordValues(us, int64(orders))
	}
	if confirmations > 0 {
		_ = m.settled.RecordValues(us, int64(confirmations))
	}
}

// informed counts an info request that was answered after so long.
func (m *meter) informed(after time.Duration) {
	if m.measuring {
		_ = m.infos.RecordValue(microseconds(after))
	}
}

// credit counts that one more authority shows the credit of a payment: so long after it said that it has debited, and after the
// payment was due. quorum and all say which authority that makes it.
func (m *meter) credit(lag, due time.Duration, quorum, all bool) {
	if !m.measuring {
		return
	}
	_ = m.creditLag.RecordValue(microseconds(lag))
	if quorum {
		_ = m.credited.RecordValue(microseconds(due))
	}
	if all {
		_ = m.creditedAll.RecordValue(microseconds(due))
	}
}

// transferred counts bytes that were sent or received.
func (m *meter) transferred(n int) {
	if m.measuring {
		m.bytes += int64(n)
	}
}

// refuse counts a reply that is not the expected one; request names what it answers.
func (m *meter) refuse(request string, message []byte) {
	m.refuseFor(request + ": " + describeReply(message))
}

func (m *meter) refuseFor(reason string) {
	m.rejected++
	if _, known := m.reasons[reason]; known || len(m.reasons) < maxReasons {
		m.reasons[reason]++
	} else {
		m.reasons["others"]++
	}
}

// describeReply says in a few words what message is instead of the expected reply.
func describeReply(message []byte) string {
	var m codec.Message
	switch {
	case !m.Decode(message):
		return "not a message"
	case m.Kind == codec.KindError:
		text, _, _ := strings.Cut((&codec.Error{Code: m.ErrorCode()}).Error(), ":") // without its particulars
		return text
	case m.Kind != codec.KindInfoResponse:
		return "not an answer"
	case m.InfoResponse().Pending.IsZero():
		return "account info that does not confirm it"
	}
	return "wrong vote"
}

// topReasons lists why requests were rejected, the most frequent first.
func (m *meter) topReasons() []string {
	reasons := make([]string, 0, len(m.reasons))
	for r := range m.reasons {
		reasons = append(reasons, r)
	}
	slices.SortFunc(reasons, func(a, b string) int {
		if m.reasons[a] != m.reasons[b] {
			return m.reasons[b] - m.reasons[a]
		}
		if a < b {
			return -1
		}
		return 1
	})
	return reasons
}

// perSecond is the series per whole second of the window.
func (m *meter) perSecond() []int {
	const steps = int(time.Second / seriesStep)
	rates := make([]int, 0, len(m.series)/steps)
	for s := m.series; len(s) >= steps; s = s[steps:] {
		sum := 0
		for _, n := range s[:steps] {
			sum += n
		}
		rates = append(rates, sum)
	}
	return rates
}

// A window is steady when its halves differ by at most steadyDrift of the mean, and no second is below steadyDip of the
// median. Both leave room for the noise of a shared machine.
const (
	steadyDrift = 0.10
	steadyDip   = 0.50
	// fewer than fewSeconds are too few to judge; such a window is flagged as short.
	fewSeconds = 3
)

func steady(perSecond []int) bool {
	n := len(perSecond)
	if n < fewSeconds {
		return true
	}
	half := n / 2
	first, second := sum(perSecond[:half]), sum(perSecond[n-half:])
	if diff := float64(first - second); max(diff, -diff) > steadyDrift*float64(first+second)/2 {
		return false
	}
	sorted := slices.Sorted(slices.Values(perSecond))
	return sorted[n/2] > 0 && float64(sorted[0]) >= steadyDip*float64(sorted[n/2])
}

func sum(v []int) (total int) {
	for _, n := range v {
		total += n
	}
	return total
}
