package journal

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestWaitBuckets: each time is in one bucket, whose longest time is at most a sixteenth more.
func TestWaitBuckets(t *testing.T) {
	f := func(d time.Duration) {
		t.Helper()
		b := waitBucket(d)
		longest := waitOf(b)
		if longest < d || longest > d+d/16 {
			t.Errorf("%d is in bucket %d, with times up to %d", d, b, longest)
		}
		if waitBucket(longest) != b || waitBucket(longest+1) != b+1 {
			t.Errorf("bucket %d: its longest time %d is in %d, the next one in %d", b, longest, waitBucket(longest),
				waitBucket(longest+1))
		}
	}
	for d := time.Duration(16); d < 10*time.Second; d += 1 + d/37 {
		f(d)
	}
	for _, d := range []time.Duration{-1, 0, 15} {
		if b := waitBucket(d); b != waitBucket(16) {
			t.Errorf("%d is in bucket %d", d, b)
		}
	}
	if b := waitBucket(1 << 62); b != waitBuckets-1 {
		t.Errorf("an age is in bucket %d of %d", b, waitBuckets)
	}
}

// TestQuantileMatchesSort compares with the sorted times themselves.
func TestQuantileMatchesSort(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var c counters
	var all []time.Duration
	for range 1001 {
		d := time.Duration(50_000 * rng.ExpFloat64())
		all = append(all, max(d, 16))
		c.count(1, BlockSize, d)
	}
	slices.Sort(all)
	j := &Journal{}
	for i := range c.waits {
		j.counters.waits[i].Store(c.waits[i].Load())
	}
	s := j.Stats()
	for _, q := range []float64{0, 0.1, 0.5, 0.9, 0.99, 0.999} {
		want := all[int(q*float64(len(all)))]
		if got := s.Quantile(q); got < want || got > want+want/16 {
			t.Errorf("quantile %v: %v, want %v", q, got, want)
		}
	}
	if got := new(Stats).Quantile(0.5); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

// TestStats: what a few commits count.
func TestStats(t *testing.T) {
	j, err := Open(new(MemFS), testOptions(1), nil)
	if err != nil {
		t.Fatal(err)
	}
	var b Batch
	b.Add(0, make([]byte, BlockSize))
	b.Add(0, nil)
	for range 3 {
		if _, _, err := j.AppendLazy(&b); err != nil {
			t.Fatal(err)
		}
		if j.wake.given() {
			t.Error("a lazy batch wakes Run")
		}
		if err := j.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	s := j.Stats()
	if s.Groups != 3 || s.Records != 6 || s.Bytes != 3*2*BlockSize || s.Quantile(0.5) == 0 || s.Written == 0 {
		t.Errorf("%d groups, %d records, %d bytes, p50 %v, in all %v", s.Groups, s.Records, s.Bytes, s.Quantile(0.5), s.Written)
	}
	if j.Wake(); !j.wake.given() {
		t.Error("Run was not told")
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}
