package bench

import (
	"math"
	"strings"
)

// Load is how the load of a run was made, and what only an open loop measures.
type Load struct {
	Loop        string  `json:"loop"`             // closed, constant, poisson
	AskedPerSec float64 `json:"asked_per_second"` // of an open loop: --rate
	DuePerSec   float64 `json:"due_per_second"`   // in the window, by the schedule
	SentPerSec  float64 `json:"sent_per_second"`  // in the window
	Due         int     `json:"due"`
	Sent        int     `json:"sent"`

	// In an open loop latency_us counts from when a payment was due. These are from when it was sent, and between the two.
	ServiceUs   Latency     `json:"service_us"`
	SendDelayUs Percentiles `json:"send_delay_us"`

	WarmUpSteady bool `json:"warm_up_steady"` // the window began because the rate was steady

	Workload    string      `json:"workload"` // who is paid, and what goes with it
	Infos       int         `json:"infos"`    // info requests that were answered in the window
	InfosPerSec float64     `json:"infos_per_second"`
	InfoUs      Percentiles `json:"info_us"`
	Peer        string      `json:"peer,omitempty"` // command of the server that was measured, when it was not this program's
	LeftFastPay uint64      `json:"left_fastpay"`   // paid to the Primary over the whole run, by the audit
	InfoPercent float64     `json:"info_percent"`   // info requests asked for, for every hundred payments
}

const (
	// sentShare of the payments that were due must have been sent, or the generator is what was measured.
	sentShare = 0.99
	// answeredShare of the payments that were due must have been confirmed, or a queue grew all the time.
	answeredShare = 0.95
)

func (o *Options) open() bool { return o.Rate > 0 }

// loadMade is the Load of r.
func (r *measured) loadMade() *Load {
	m := r.meter
	l := &Load{Loop: "closed", WarmUpSteady: m.steadyWarmUp, Workload: r.Mix.String(), Peer: r.Peer, LeftFastPay: r.books.redeemed,
		InfoPercent: r.Info}
	if m.infos != nil {
		l.Infos, l.InfoUs = int(m.infos.TotalCount()), percentiles(m.infos)
		l.InfosPerSec = ratio(float64(l.Infos), m.window().Seconds())
	}
	if !r.open() {
		return l
	}
	l.Loop, l.AskedPerSec, l.Due, l.Sent = r.Arrival.String(), r.Rate, m.due, m.sent
	l.DuePerSec = ratio(float64(m.due), m.window().Seconds())
	l.SentPerSec = ratio(float64(m.sent), m.window().Seconds())
	l.ServiceUs = Latency{percentiles(m.orderServed), percentiles(m.settled)}
	l.SendDelayUs = percentiles(m.late)
	return l
}

// late reports that less was sent than was due.
func (l *Load) late() bool { return l.Loop != "closed" && float64(l.Sent) < sentShare*float64(l.Due) }

// overloaded reports that less was confirmed than was due, though it was sent.
func (l *Load) overloaded(confirmed int) bool {
	return l.Loop != "closed" && !l.late() && float64(confirmed) < answeredShare*float64(l.Due)
}

// expected is how many payments are due in so many seconds, with room for chance.
func (o *Options) expected(seconds float64) int {
	mean := o.Rate * seconds
	if o.Arrival == Poisson {
		mean += chance * math.Sqrt(mean)
	}
	return int(math.Ceil(mean)) + 1
}

// chance is beyond how many standard deviations a number of arrivals is not expected, in any run ever.
const chance = 8

// writeLoad is what a reader of an open loop's result must know: what was asked for, and the latency without the time
// that payments waited to be sent.
func (r *Result) writeLoad(b *strings.Builder) {
	l := r.Load
	if l == nil {
		return
	}
	if l.Infos > 0 {
		line(b, "Info requests", "%s/s answered: %s", grouped(int(l.InfosPerSec)), l.InfoUs)
	}
	if l.Loop == "closed" {
		return
	}
	line(b, "Open loop", "%s/s asked for, %s: %s/s due, %s/s sent (%.1f %%)", grouped(int(l.AskedPerSec)), l.Loop,
		grouped(int(l.DuePerSec)), grouped(int(l.SentPerSec)), 100*ratio(float64(l.Sent), float64(l.Due)))
	line(b, "... sent late by", "%s", l.SendDelayUs)
	line(b, "... from being sent", "%s: service time, to the confirmation", l.ServiceUs.Confirmation)
}

// workload says who is paid, for the line of the configuration.
func (r *Result) workload() string {
	if r.Load == nil || r.Load.Workload == "" || r.Load.Workload == (Mix{}).String() {
		return "accounts in a ring"
	}
	return "accounts, " + r.Load.Workload
}
