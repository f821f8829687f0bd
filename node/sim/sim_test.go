package sim

import (
	"math/rand/v2"
	"slices"
	"sort"
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
	all := run(t, missingWorlds, Options{Payments: 100, Faults: AllFaults})
	if missing := all.Missing(AllFaults, missingWorlds); len(missing) > 0 {
		t.Errorf("never occurred: %q", missing)
	}
}

// TestMissing: that a fault never occurred is told once there were worlds and payments enough, and not before.
func TestMissing(t *testing.T) {
	f := func(payments, worlds uint64, faults Faults, want ...string) {
		t.Helper()
		x := Exercised{}
		for _, c := range x.counters() {
			*c.value = 1
		}
		x.Payments, x.Lost, x.RestoresRefused = payments, 0, 0
		if got := x.Missing(faults, worlds); !slices.Equal(got, want) {
			t.Errorf("%d payments in %d worlds: %q, expected %q", payments, worlds, got, want)
		}
	}
	f(rarePayments, missingWorlds, AllFaults, "messages lost", "of these refused by a link")
	f(rarePayments, missingWorlds, AllFaults&^Restores, "messages lost")
	f(rarePayments, missingWorlds, AllFaults&^Loss, "of these refused by a link")
	f(rarePayments-1, missingWorlds, AllFaults, "messages lost")
	f(commonPayments-1, missingWorlds, AllFaults)
	f(rarePayments, missingWorlds-1, AllFaults)
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

// TestQueueOrders compares the heap with a list that is kept sorted: bursts of events come a little or much later than
// the one that has them made, as in a world.
func TestQueueOrders(t *testing.T) {
	delays := []uint64{0, 1, 400, 400, 800, 4000, 10_000, 100_000}
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		var q eventQueue
		var want []event
		now, size := uint64(0), 1+rng.IntN(200)
		for i := int32(0); i < 2000; {
			for burst := rng.IntN(8); burst >= 0 && len(want) < size; burst-- {
				e := event{at: now + delays[rng.IntN(len(delays))] + rng.Uint64N(uint64(1+round)), to: i}
				q.push(e)
				e.seq = q.seq
				at := sort.Search(len(want), func(i int) bool { return want[i].at > e.at })
				want = slices.Insert(want, at, e)
				i++
			}
			for burst := rng.IntN(8); burst >= 0 && len(want) > 0; burst-- {
				got, ok := q.pop()
				if !ok || got.to != want[0].to {
					t.Fatalf("round %d: event %d of %d and not %d of %d", round, got.to, got.at, want[0].to, want[0].at)
				}
				now, want = got.at, want[1:]
			}
		}
	}
}

// TestQueueSinksToChildrenOnly: a heap in which each group of four has something smaller than the group before, though it
// belongs to another parent.
func TestQueueSinksToChildrenOnly(t *testing.T) {
	q := eventQueue{heap: make([]event, 41)}
	times := map[int]uint64{0: 0, 1: 1, 2: 5, 5: 50, 9: 10, 24: 100, 25: 99, 28: 98, 29: 97, 32: 96, 33: 95, 36: 94, 37: 20}
	for i := range q.heap {
		q.heap[i] = event{at: uint64(200 + i), seq: uint64(i)}
		if at, ok := times[i]; ok {
			q.heap[i].at = at
		} else if i < 21 {
			q.heap[i].at = 60
		}
		if parent := max(i-1, 0) / 4; i > 0 && before(&q.heap[i], &q.heap[parent]) {
			t.Fatalf("no heap at %d", i)
		}
	}
	last := uint64(0)
	for e, ok := q.pop(); ok; e, ok = q.pop() {
		if e.at < last {
			t.Fatalf("event of %d after %d", e.at, last)
		}
		last = e.at
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
