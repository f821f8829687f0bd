package bench

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"fastpay/node/committee"
)

func TestPhaseNames(t *testing.T) {
	for p := range numPhases {
		if got, err := ParsePhase(p.String()); err != nil || got != p {
			t.Errorf("%s: got %v, %v", p, got, err)
		}
	}
	for _, bad := range []string{"", "payment", "Orders"} {
		if _, err := ParsePhase(bad); err == nil {
			t.Errorf("%q is a phase", bad)
		}
	}
}

// TestPhasesAlone runs each phase against the authority, by number and by time, over several connections.
func TestPhasesAlone(t *testing.T) {
	for i, phase := range []Phase{Orders, Confirmations} {
		t.Run(phase.String(), func(t *testing.T) {
			o := endToEnd(uint64(40 + i))
			o.Protocol, o.Phase, o.Connections = committee.TCP, phase, 4
			r := runTest(t, o)
			wantOrders, wantConfirmations := 500, 0
			if phase == Confirmations {
				wantOrders, wantConfirmations = 0, 500
			}
			if r.OrdersOK != wantOrders || r.ConfirmationsOK != wantConfirmations || r.PaymentsOK != 0 || r.PaymentsPerSec != 0 {
				t.Errorf("%d orders, %d confirmations, %d payments", r.OrdersOK, r.ConfirmationsOK, r.PaymentsOK)
			}
			if r.ConfirmedAll != 500+50 || !r.Conserved || r.RatePerSec <= 0 || r.CPUUsPerPayment.Node <= 0 {
				t.Errorf("%d confirmed in all, conserved %v, %v a second", r.ConfirmedAll, r.Conserved, r.RatePerSec)
			}
			if got := [2]uint64{r.Node.Orders, r.Node.Certificates}; got != [2]uint64{uint64(wantOrders), uint64(wantConfirmations)} {
				t.Errorf("the authority counts %v orders and certificates in the window", got)
			}
			o.Payments, o.Seconds, o.Seed = 0, 0.2, o.Seed+100<<32
			for range 3 { // a busy machine may let nobody run for that long
				var err error
				if r, err = Run(context.Background(), o, io.Discard); err != nil {
					t.Fatal(err)
				}
				if r.counted() > 0 {
					break
				}
			}
			if r.Seconds < 0.2 || r.counted() == 0 || !slices.Equal(r.Flags, []string{FlagShortWindow}) {
				t.Errorf("%d in %.2f s, flags %v", r.counted(), r.Seconds, r.Flags)
			}
			var text strings.Builder
			if err := r.WriteText(&text); err != nil || strings.Contains(text.String(), "tx/sec") {
				t.Errorf("one phase is told as payments (%v):\n%s", err, text.String())
			}
		})
	}
}

// runTest is a run whose verdict is good.
func runTest(t *testing.T, o Options) *Result {
	t.Helper()
	var log bytes.Buffer
	r, err := Run(context.Background(), o, &log)
	if err != nil {
		t.Fatal(err, log.String())
	}
	if err := r.Err(false); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestManyConnections(t *testing.T) {
	o := endToEnd(44)
	o.Protocol, o.Connections, o.NumShards = committee.TCP, 70, 2 // with 200 accounts some have one, some two
	if r := runTest(t, o); r.PaymentsOK != 500 || r.MaxInFlight != 140 || r.Connections != 70 {
		t.Errorf("%d payments, %d in flight on %d connections", r.PaymentsOK, r.MaxInFlight, r.Connections)
	}
}

// TestPausedTimeIsNotMeasured pauses a window twice; the second pause lasts to its end.
func TestPausedTimeIsNotMeasured(t *testing.T) {
	m := newMeter(Orders)
	m.begin(time.Second)
	m.answered(1100*time.Millisecond, time.Millisecond, 5, 0)
	m.pause(1200 * time.Millisecond)
	m.answered(3*time.Second, time.Millisecond, 0, 5)
	m.resume(9 * time.Second)
	m.answered(9750*time.Millisecond, time.Millisecond, 7, 0)
	m.pause(9900 * time.Millisecond)
	m.end(20 * time.Second)
	if m.window() != 1100*time.Millisecond || m.orders != 12 || m.confirmations != 0 || m.confirmed != 5 {
		t.Errorf("%v: %d orders, %d confirmations, %d confirmed in all", m.window(), m.orders, m.confirmations, m.confirmed)
	}
	if got := m.perSecond(); !slices.Equal(got, []int{12}) {
		t.Errorf("series %v", got)
	}
}
