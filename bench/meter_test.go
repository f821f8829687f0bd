package bench

import (
	"slices"
	"testing"
	"time"

	"fastpay/codec"
)

func TestMeterCountsTheWindowAlone(t *testing.T) {
	m := newMeter(Payments)
	m.answered(50*time.Millisecond, time.Millisecond, 5, 5)
	m.transferred(100)
	m.begin(100 * time.Millisecond)
	m.answered(150*time.Millisecond, 2*time.Millisecond, 3, 2)
	m.answered(1150*time.Millisecond, 4*time.Millisecond, 0, 1)
	m.transferred(10)
	m.end(2300 * time.Millisecond)
	m.answered(2400*time.Millisecond, time.Millisecond, 1, 1)
	m.transferred(1)
	if m.confirmed != 9 || m.warmedUp != 5 || m.orders != 3 || m.confirmations != 3 || m.bytes != 10 {
		t.Errorf("confirmed %d, before %d, orders %d, confirmations %d, bytes %d", m.confirmed, m.warmedUp, m.orders, m.confirmations, m.bytes)
	}
	if got := m.perSecond(); !slices.Equal(got, []int{2, 1}) {
		t.Errorf("per second %v", got)
	}
	if n := m.order.TotalCount(); n != 3 {
		t.Errorf("%d latencies of orders", n)
	}
	if got := m.confirmation.Max(); got < 3990 || got > 4010 {
		t.Errorf("largest latency %d µs", got)
	}
}

func TestMeterDoesNotAllocate(t *testing.T) {
	m := newMeter(Payments)
	m.begin(0)
	now := time.Duration(0)
	if n := testing.AllocsPerRun(1000, func() {
		now += 10 * time.Millisecond
		m.answered(now, time.Millisecond, 100, 100)
		m.transferred(1000)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestReasonsAreBounded(t *testing.T) {
	m := newMeter(Payments)
	wants := 1
	for code := range codec.ErrorCode(26) {
		if code == codec.PreviousTransferMustBeConfirmedFirst { // names an order
			continue
		}
		wants += int(code) + 1
		for range code + 1 {
			m.refuse("order", codec.AppendError(nil, &codec.Error{Code: code}))
		}
	}
	m.refuse("order", []byte("rubbish"))
	if len(m.reasons) > maxReasons+1 || m.rejected != wants {
		t.Errorf("%d reasons, %d rejected", len(m.reasons), m.rejected)
	}
	if top := m.topReasons(); top[0] != "others" || m.reasons[top[1]] < m.reasons[top[2]] {
		t.Errorf("not in order: %v", top)
	}
}

func TestSteady(t *testing.T) {
	f := func(want bool, perSecond ...int) {
		t.Helper()
		if got := steady(perSecond); got != want {
			t.Errorf("%v: steady %v", perSecond, got)
		}
	}
	f(true, 100, 101, 99, 100, 102, 98, 100, 100, 100, 100)
	f(true)                                                    // too short to judge: flagged as short
	f(true, 1, 100)                                            // ditto
	f(false, 1, 100, 3)                                        // short, and plainly unsteady
	f(false, 100, 100, 100, 100, 100, 49, 100, 100, 100, 100)  // a dip
	f(true, 100, 100, 100, 100, 100, 60, 100, 100, 100, 110)   // a small one
	f(false, 200, 180, 160, 150, 140, 130, 120, 110, 100, 100) // slower and slower
	f(false, 100, 100, 100, 100, 100, 120, 120, 120, 120, 120) // was not warm
	f(false, 0, 0, 0, 0, 0)                                    // nothing
}

func TestPercentilesNeedSamples(t *testing.T) {
	f := func(n int64, wants ...bool) {
		t.Helper()
		m := newMeter(Payments)
		m.begin(0)
		for i := range n {
			m.answered(0, time.Duration(i+1)*time.Millisecond, 0, 1)
		}
		p := percentiles(m.confirmation)
		for i, v := range []*int64{p.P50, p.P90, p.P99, p.P999, p.Max} {
			if (v != nil) != wants[i] {
				t.Errorf("%d samples: percentile %d is there: %v", n, i, v != nil)
			}
		}
	}
	f(0, false, false, false, false, false)
	f(19, false, false, false, false, true)
	f(20, true, false, false, false, true)
	f(100, true, true, false, false, true)
	f(1000, true, true, true, false, true)
	f(10000, true, true, true, true, true)
}

func TestPlacement(t *testing.T) {
	f := func(cpus []int, shards, workers int, want placement) {
		t.Helper()
		if got := place(cpus, shards, workers); got != want {
			t.Errorf("CPUs %v, %d shards, %d workers: got %+v, want %+v", cpus, shards, workers, got, want)
		}
	}
	f([]int{0}, 2, 0, placement{1, "auto", -1})
	f([]int{0, 1}, 2, 0, placement{2, "auto", -1})
	f([]int{0, 1}, 1, 0, placement{1, "0", 1})
	f([]int{0, 1}, 4, 1, placement{1, "0", 1})
	f([]int{0, 2, 1, 3}, 2, 0, placement{2, "0,2", 3})
	f([]int{0, 2, 1, 3}, 16, 0, placement{3, "0,2,1", 3})
	f([]int{0, 2, 1, 3}, 16, 4, placement{4, "auto", -1})
}
