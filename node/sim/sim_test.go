package sim

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// run tries worlds with consecutive seeds.
func run(t *testing.T, seeds uint64, o Options) Exercised {
	t.Helper()
	var all Exercised
	start := time.Now()
	for seed := range seeds {
		o.Seed = seed
		w := NewWorld(o)
		if v := w.Run(); v != nil {
			t.Fatalf("seed %d: %v\nplan %+v", seed, v, w.plan)
		}
		x := w.Exercised()
		all.Add(&x)
	}
	t.Logf("%d payments, %.0f/s", all.Payments, float64(all.Payments)/time.Since(start).Seconds())
	return all
}

func TestWorldsWithoutFaults(t *testing.T) { run(t, 20, Options{Payments: 200}) }

func TestWorldsWithAllFaults(t *testing.T) {
	if testing.Short() {
		run(t, 20, Options{Payments: 100, Faults: AllFaults})
		return
	}
	all := run(t, 100, Options{Payments: 100, Faults: AllFaults})
	missing := slices.DeleteFunc(all.Missing(AllFaults), func(s string) bool { return strings.HasPrefix(s, "flipped") })
	if len(missing) > 0 { // bits that flip are rare
		t.Errorf("never occurred: %q", missing)
	}
}

func TestWorldsWithRealSignatures(t *testing.T) {
	run(t, 3, Options{Payments: 30, Faults: AllFaults, Real: true})
}

// TestSameSeedSameTrace compares histories by their hashes, and those of other seeds with them.
func TestSameSeedSameTrace(t *testing.T) {
	var traces []string
	for seed := range uint64(10) {
		trace := ""
		for range 3 {
			w := NewWorld(Options{Seed: seed, Payments: 50, Faults: AllFaults})
			if v := w.Run(); v != nil {
				t.Fatal(v)
			}
			if trace != "" && trace != w.Trace() {
				t.Fatalf("seed %d: traces %s and %s", seed, trace, w.Trace())
			}
			trace = w.Trace()
		}
		if slices.Contains(traces, trace) {
			t.Errorf("seed %d has the trace of another one", seed)
		}
		traces = append(traces, trace)
	}
}

// TestQueueOrders compares the heap with sorting.
func TestQueueOrders(t *testing.T) {
	w := NewWorld(Options{Seed: 1, Payments: 1})
	var q eventQueue
	var want []event
	for i := range 2000 {
		e := event{at: w.draw(50), to: int32(i)}
		q.push(e)
		e.seq = q.seq
		want = append(want, e)
		if w.draw(3) == 0 {
			slices.SortFunc(want, func(a, b event) int {
				if before(&a, &b) {
					return -1
				}
				return 1
			})
			if got, ok := q.pop(); !ok || got.to != want[0].to {
				t.Fatalf("event %d and not %d", got.to, want[0].to)
			}
			want = want[1:]
		}
	}
}

// TestCheapSignatures: salts make other signatures that are good, and nothing else is.
func TestCheapSignatures(t *testing.T) {
	var a, b signature
	message := []byte("some message of some bytes")
	Cheap{}.Sign(&a, keyOf(1), message, 1)
	Cheap{}.Sign(&b, keyOf(1), message, 2)
	own, other := keyOf(1).Public(), keyOf(2).Public()
	if a == b || !(Cheap{}).Verify(&own, message, &a) || !(Cheap{}).Verify(&own, message, &b) {
		t.Fatal("two salts must give two good signatures")
	}
	if (Cheap{}).Verify(&other, message, &a) || (Cheap{}).Verify(&own, message[1:], &a) {
		t.Fatal("good for another key or message")
	}
	for i := range a {
		for bit := range 8 {
			c := a
			if c[i] ^= 1 << bit; (Cheap{}).Verify(&own, message, &c) {
				t.Fatalf("good with bit %d of byte %d flipped", bit, i)
			}
		}
	}
}
