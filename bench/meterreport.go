package bench

import (
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// loadReport is what a generator's process tells about its load in the end: its meter and what its payers saw.
type loadReport struct {
	Answers, Confirmed, Rejected, Lost int
	Reasons                            map[string]int
	NotFull, Began, Ended, CPU         time.Duration
	WarmedUp, Orders, Confirmations    int
	Bytes                              int64
	Series                             []int
	Due, Sent, Unseen                  int
	Histograms                         [][]byte // those of meter.histograms, then everyone

	Tallies []tally
	Stuck   int
	Unsafe  []string
	Settled uint64 // members
	Stopped string // why it ended early
}

// histograms are those of a meter; nil ones were not needed.
func (m *meter) histograms() []**hdrhistogram.Histogram {
	return []**hdrhistogram.Histogram{&m.order, &m.confirmation, &m.late, &m.orderServed, &m.settled, &m.infos, &m.credited,
		&m.creditedAll, &m.creditLag}
}

func (m *meter) report(everyone *hdrhistogram.Histogram) (*loadReport, error) {
	r := &loadReport{
		Answers: m.answers, Confirmed: m.confirmed, Rejected: m.rejected, Lost: m.lost, Reasons: m.reasons, NotFull: m.notFull,
		Began: m.began, Ended: m.ended, CPU: m.cpu, WarmedUp: m.warmedUp, Orders: m.orders, Confirmations: m.confirmations,
		Bytes: m.bytes, Series: m.series, Due: m.due, Sent: m.sent, Unseen: m.unseen,
	}
	for _, h := range append(m.histograms(), &everyone) {
		var b []byte
		if *h != nil {
			var err error
			if b, err = (*h).Encode(hdrhistogram.V2CompressedEncodingCookieBase); err != nil {
				return nil, fmt.Errorf("bench: generator: %w", err)
			}
		}
		r.Histograms = append(r.Histograms, b)
	}
	return r, nil
}

// add adds another generator's load to m, which then has the window of the longest, and latencies over all to everyone.
func (m *meter) add(r *loadReport, everyone *hdrhistogram.Histogram) error {
	m.answers += r.Answers
	m.confirmed += r.Confirmed
	m.rejected += r.Rejected
	m.lost += r.Lost
	for reason, n := range r.Reasons {
		m.reasons[reason] += n
	}
	m.notFull = max(m.notFull, r.NotFull)
	m.cpu += r.CPU
	if r.Ended-r.Began > m.ended-m.began {
		m.began, m.ended = r.Began, r.Ended
	}
	m.warmedUp += r.WarmedUp
	m.orders += r.Orders
	m.confirmations += r.Confirmations
	m.bytes += r.Bytes
	m.due += r.Due
	m.sent += r.Sent
	m.unseen += r.Unseen
	for i, n := range r.Series {
		if i == len(m.series) {
			m.series = append(m.series, 0)
		}
		m.series[i] += n
	}
	into := append(m.histograms(), &everyone)
	if len(r.Histograms) != len(into) {
		return fmt.Errorf("bench: a generator told %d histograms, expected %d", len(r.Histograms), len(into))
	}
	for i, b := range r.Histograms {
		if len(b) == 0 {
			continue
		}
		h, err := hdrhistogram.Decode(b)
		if err != nil {
			return fmt.Errorf("bench: generator: %w", err)
		}
		if *into[i] == nil {
			*into[i] = hdrhistogram.New(1, latencyMaxUs, latencyDigits)
		}
		(*into[i]).Merge(h)
	}
	return nil
}
