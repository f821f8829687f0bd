package journal

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestCrashAtEveryWritePoint runs a workload of 300 operations, and before each operation of the file system that
// changes something, or makes it durable, lets the machine crash, with none, half and all of what was not synced kept.
// Each time, recovery must give a prefix of what was appended, with everything that was reported durable, and must have
// made that durable itself.
// With -workloads there are more of them.
func TestCrashAtEveryWritePoint(t *testing.T) {
	for i := range *workloads {
		seed := 1 + 100*i // away from those of other tests
		t.Run(fmt.Sprintf("workload=%d", seed), func(t *testing.T) { crashEverywhere(t, newWorkload(t, seed)) })
	}
}

var workloads = flag.Uint64("workloads", 1, "workloads of TestCrashAtEveryWritePoint")

// TestCrashWithSnapshots does the same while snapshots are made, and segments before them removed.
func TestCrashWithSnapshots(t *testing.T) {
	w := newWorkload(t, 12)
	w.keeping = true
	crashEverywhere(t, w)
	if first := w.j.first.Load(); first < 5 {
		t.Errorf("only the segments before %d were removed", first)
	}
}

func crashEverywhere(t *testing.T, w *workload) {
	const operations = 300
	crash := rand.New(rand.NewPCG(w.seed, 2))
	points, crashes := 0, 0
	w.inject = func(op Op) error {
		if !op.Kind.Changes() {
			return nil
		}
		if points++; points%thin != 0 {
			return nil
		}
		for _, keep := range []struct {
			name string
			f    func() bool
		}{{"0", keepNone}, {"50", func() bool { return crash.IntN(2) == 0 }}, {"100", keepAll}} {
			crashes++
			if err := w.checkCrash(w.mem.Crash(keep.f)); err != nil {
				t.Fatalf("seed %d, write point %d (%v), %s %% of unsynced sectors kept: %v", w.seed, points, op, keep.name, err)
			}
		}
		return nil
	}
	if err := w.run(operations); err != nil {
		t.Fatal(err)
	}
	segments := int(w.j.Sealed()) + 1
	t.Logf("%d records in %d segments, %d write points, %d crashes", len(w.entries), segments, points, crashes)
	if points < 300 || segments < 10 || len(w.entries) < 200 {
		t.Errorf("%d write points, %d segments, %d records: the workload has become too small", points, segments, len(w.entries))
	}
}

// TestCrashDuringRecovery crashes at every write point of Open itself, twice in a row, on what other crashes left.
func TestCrashDuringRecovery(t *testing.T) {
	w := newWorkload(t, 2)
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	for range 40 {
		if err := w.append(); err != nil {
			t.Fatal(err)
		}
		if w.rng.IntN(2) == 0 {
			if err := w.j.Commit(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.append(); err != nil {
		t.Fatal(err)
	}
	// A commit whose sync never came: its sectors are kept, or lost, or half of them.
	var left []*MemFS
	crash := rand.New(rand.NewPCG(w.seed, 3))
	w.inject = func(op Op) error {
		if op.Kind == OpSync {
			for range 4 {
				left = append(left, w.mem.Crash(func() bool { return crash.IntN(4) > 0 }))
			}
		}
		return nil
	}
	if err := w.j.Commit(); err != nil {
		t.Fatal(err)
	}
	w.acked--
	points := 0
	for _, mem := range left {
		var inner func(mem *MemFS, depth int)
		inner = func(mem *MemFS, depth int) {
			fs := &FaultFS{mem, func(op Op) error {
				if !op.Kind.Changes() {
					return nil
				}
				if points++; points%thin != 0 {
					return nil
				}
				again := mem.Crash(func() bool { return crash.IntN(2) == 0 })
				if depth < 2 {
					inner(again.Crash(keepNone), depth+1)
				}
				if err := w.checkCrash(again); err != nil {
					t.Fatalf("seed %d, write point %d of recovery (%v): %v", w.seed, points, op, err)
				}
				return nil
			}}
			if _, _, err := recoverFrom(fs, w.seed); err != nil {
				t.Fatalf("seed %d: %v", w.seed, err)
			}
		}
		inner(mem, 0)
	}
	if thin == 1 && points < 100 {
		t.Errorf("%d write points only", points)
	}
}
