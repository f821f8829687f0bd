package bench

import (
	"fmt"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"fastpay/node"
)

// SnapshotEffect is what making snapshots does to others, in one window: what was seen while one was being made, beside what
// was seen else. A confirmation counts for the time at which it came.
type SnapshotEffect struct {
	Made    int         `json:"made"`    // or begun, in the window
	Seconds float64     `json:"seconds"` // in which one was being made
	Bytes   int64       `json:"bytes"`   // of the largest
	During  Percentiles `json:"during_us"`
	Else    Percentiles `json:"else_us"`
	Loops   *LoopWaits  `json:"loops,omitempty"` // nil when the kernel does not tell
}

// slotStep is how finely it is told which replies came during a snapshot.
const slotStep = 20 * time.Millisecond

const (
	// slotDigits is how exact latencies are kept in a slot, to a hundredth: there are thousands of slots.
	slotDigits = 2
	slotMaxUs  = 10_000_000
	// maxSlots bounds them, ten minutes; what comes later is of the last one.
	maxSlots = 30_000
)

// latencySlots are the latencies of confirmations, by when they came. It is a part of a meter, in its thread.
type latencySlots struct {
	began time.Time // of the window
	slots []*hdrhistogram.Histogram
}

// add counts n confirmations so long after the window's begin.
func (l *latencySlots) add(at time.Duration, us int64, n int) {
	i := min(int(at/slotStep), maxSlots-1)
	for len(l.slots) <= i {
		l.slots = append(l.slots, nil)
	}
	if l.slots[i] == nil {
		l.slots[i] = hdrhistogram.New(1, slotMaxUs, slotDigits)
	}
	_ = l.slots[i].RecordValues(min(us, slotMaxUs), int64(n)) // fails for values out of range only
}

// effect tells the slots that touch a snapshot from the others. The clocks of two processes of a machine are the same.
func (l *latencySlots) effect(runs []node.SnapshotRun, loops *LoopWaits) *SnapshotEffect {
	e := &SnapshotEffect{Loops: loops}
	during := make([]bool, len(l.slots))
	end := time.Duration(len(l.slots)) * slotStep
	for _, run := range runs {
		from := run.Began.Sub(l.began)
		to := min(from+run.Took, end)
		if from = max(from, 0); from >= to {
			continue
		}
		e.Made++
		e.Seconds += (to - from).Seconds()
		e.Bytes = max(e.Bytes, run.Bytes)
		for i := int(from / slotStep); i < len(during) && time.Duration(i)*slotStep < to; i++ {
			during[i] = true
		}
	}
	parts := [2]*hdrhistogram.Histogram{}
	for i := range parts {
		parts[i] = hdrhistogram.New(1, slotMaxUs, slotDigits)
	}
	for i, slot := range l.slots {
		if slot != nil {
			parts[btoi(during[i])].Merge(slot)
		}
	}
	e.Else, e.During = percentiles(parts[0]), percentiles(parts[1])
	return e
}

// writeText says it in a few lines.
func (e *SnapshotEffect) writeText(b *strings.Builder) {
	line(b, "Snapshots", "%d, being made for %.1f s", e.Made, e.Seconds)
	line(b, "... replies meanwhile", "%s", e.During)
	line(b, "... and else", "%s", e.Else)
	if e.Loops != nil {
		line(b, "... loops wait for CPU", "%s; else %s", e.Loops.During, e.Loops.Else)
	}
}

// String is the longest wait, and how many were long.
func (p LoopWait) String() string {
	return fmt.Sprintf("%.1f ms at most, %d beyond %d ms", float64(p.LongestUs)/1e3, p.Long, longWait.Milliseconds())
}
