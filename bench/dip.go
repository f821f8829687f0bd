package bench

import (
	"slices"
	"time"
)

// Dip is what a fault did to the rate. Times are counted in steps of StepSeconds.
type Dip struct {
	FaultEvent
	StepSeconds   float64  `json:"step_seconds"`
	Before        float64  `json:"before_per_second"` // median rate of the steps before
	Lowest        float64  `json:"lowest_per_second"` // rate of the worst step until it recovered
	RecoverySecs  *float64 `json:"recovery_seconds"`  // until back at recovered of the rate before; nil: not in the window
	LowestPercent float64  `json:"lowest_percent"`    // of the rate before
}

// recovered is the share of the rate before a fault at which it counts as over.
const recovered = 0.95

// dips looks for what each event did to the series, which has one number for each step. An event before the first whole
// step has nothing to be compared with.
func dips(series []int, step time.Duration, events []FaultEvent) (all []Dip) {
	for i, e := range events {
		at := int(e.Seconds / step.Seconds())
		if e.What != killed || at < 1 || at >= len(series) {
			continue
		}
		from := 0
		if i > 0 { // the rate before is that since the last event
			if last := int(events[i-1].Seconds/step.Seconds()) + 1; last < at {
				from = last
			}
		}
		before := slices.Clone(series[from:at])
		slices.Sort(before)
		d := Dip{FaultEvent: e, StepSeconds: step.Seconds(), Before: float64(before[len(before)/2]) / step.Seconds()}
		lowest, below := series[at], false
		for k := at; k < len(series); k++ {
			lowest = min(lowest, series[k])
			if float64(series[k]) < recovered*float64(before[len(before)/2]) {
				below = true
			} else if below || k > at { // the step of the event itself may end before its effect
				after := max(0, float64(k)*step.Seconds()-e.Seconds)
				if !below {
					after = 0
				}
				d.RecoverySecs = &after
				break
			}
		}
		if !below {
			d.RecoverySecs = new(float64)
		}
		d.Lowest = float64(lowest) / step.Seconds()
		d.LowestPercent = 100 * ratio(d.Lowest, d.Before)
		all = append(all, d)
	}
	return all
}

const killed = "killed" // FaultEvent.What

// dipSeries is the series to look for dips in: by seconds, or by seriesStep in windows that are short.
func (m *meter) dipSeries() (series []int, step time.Duration) {
	if m.window() >= fewSeconds*2*time.Second {
		return m.perSecond(), time.Second
	}
	return m.series, seriesStep
}
