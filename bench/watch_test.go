package bench

import (
	"context"
	"io"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"fastpay/node"
	"fastpay/node/committee"
)

func removeResult(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func TestParseWatch(t *testing.T) {
	f := func(list string, want ...string) {
		t.Helper()
		got, err := ParseWatch(list)
		if (err != nil) != (want == nil && list != "") || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v", list, got, err)
		}
	}
	f("")
	f("memory", "memory")
	f("pauses,memory", "pauses", "memory")
	f("memory,")
	f(",")
	f("memory,memory")
	f("heap")
}

// TestSlope compares with lines whose slope and error are known.
func TestSlope(t *testing.T) {
	f := func(name string, slopeWant, errorWant float64, points ...[2]float64) {
		t.Helper()
		got, e := slope(points, func(p [2]float64) (float64, float64) { return p[0], p[1] })
		if math.Abs(got-slopeWant) > 1e-9 || math.Abs(e-errorWant) > 1e-9 {
			t.Errorf("%s: %v ± %v, want %v ± %v", name, got, e, slopeWant, errorWant)
		}
	}
	f("a line", 2, 0, [2]float64{0, 1}, [2]float64{1, 3}, [2]float64{5, 11})
	f("flat", 0, 0, [2]float64{0, 7}, [2]float64{1, 7}, [2]float64{2, 7})
	f("noise around a flat line", 0, math.Sqrt(0.5), [2]float64{-1, 0}, [2]float64{0, -1}, [2]float64{0, 1}, [2]float64{1, 0})
	f("above each other", 0, 0, [2]float64{1, 1}, [2]float64{1, 2}, [2]float64{1, 3})
	f("two points", 0, 0, [2]float64{1, 1}, [2]float64{2, 2})
	f("none", 0, 0)
}

// TestSnapshotEffectSorts puts latencies into slots, and snapshots beside them: before the window, in it, and beyond its end.
func TestSnapshotEffectSorts(t *testing.T) {
	began := time.Now().Round(0)
	l := &latencySlots{began: began}
	for i := range 100 { // two seconds
		us := int64(1000)
		if i >= 10 && i < 20 || i >= 90 {
			us = 7000
		}
		l.add(time.Duration(i)*slotStep+slotStep/2, us, 20)
	}
	run := func(from, to time.Duration, bytes int64) node.SnapshotRun {
		return node.SnapshotRun{Began: began.Add(from), Took: to - from, Bytes: bytes}
	}
	e := l.effect([]node.SnapshotRun{run(-time.Second, -time.Millisecond, 99), run(-time.Second, 0, 98), run(10*slotStep, 20*slotStep, 5),
		run(90*slotStep, time.Hour, 7)}, nil)
	if e.Made != 2 || e.Bytes != 7 || math.Abs(e.Seconds-20*slotStep.Seconds()) > 1e-9 {
		t.Errorf("%+v", e)
	}
	if d, o := *e.During.P50, *e.Else.Max; d < 6900 || d > 7100 || o < 990 || o > 1010 {
		t.Errorf("during %s, else %s", e.During, e.Else)
	}
	if e = l.effect(nil, nil); e.Made != 0 || e.During.Max != nil || e.Else.Max == nil {
		t.Errorf("without snapshots: %+v", e)
	}
}

func TestLoopWait(t *testing.T) {
	var w LoopWait
	for _, waited := range []time.Duration{0, 3 * time.Millisecond, 5 * time.Millisecond, 6 * time.Millisecond, time.Microsecond} {
		w.add(waited)
	}
	if w.LongestUs != 6000 || w.WaitedUs != 14001 || w.Long != 1 {
		t.Errorf("%+v", w)
	}
}

// TestWatchedRunStartsAgain watches a run with a journal, kills its authority, and finds all of it after a restart.
func TestWatchedRunStartsAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("runs authorities")
	}
	o := endToEnd(60)
	o.Protocol, o.Payments = committee.TCP, 0
	o.Durability, o.DataDir, o.Retain = string(node.DurabilitySync), t.TempDir(), "all"
	o.Watch, o.Restart, o.Seconds = []string{WatchMemory, WatchPauses}, true, 2
	r, err := Run(context.Background(), o, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if r.LiveHeap != nil {
		t.Errorf("no snapshot was made, and the heap was watched: %+v", r.LiveHeap)
	}
	if e := r.Snapshots; e == nil || e.Else.P50 == nil || e.Loops == nil || e.Loops.Else.Seconds < 1.5 {
		t.Errorf("snapshots %+v", e)
	}
	// An order and a settlement for each payment, and the beginning of a process.
	if f := r.Recovery; f == nil || f.Records < 2*uint64(r.ConfirmedAll) || f.Bytes == 0 || f.ReplaySeconds <= 0 || !f.SameBooks ||
		f.Certificates != askedCertificates || f.ColdUs.P50 == nil {
		t.Errorf("recovery %+v, after %d payments", f, r.ConfirmedAll)
	}
	for _, change := range []func(*Options){
		func(o *Options) { o.Durability = string(node.DurabilityNone) },
		func(o *Options) { o.InProcess = true },
		func(o *Options) { o.Topology = WholeCommittee },
	} {
		other := o
		change(&other)
		if err := other.Check(); err == nil {
			t.Errorf("no error for %+v", other)
		}
	}
}
