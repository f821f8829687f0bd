package sim

import (
	"flag"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

var (
	longSeeds = flag.Uint64("seeds", 200, "worlds of TestManySeeds")
	longFrom  = flag.Uint64("from", 1000, "its first seed")
)

// TestManySeeds is for more worlds than a test run has time for.
func TestManySeeds(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	var next atomic.Uint64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for n := next.Add(1) - 1; n < *longSeeds && !t.Failed(); n = next.Add(1) - 1 {
				w := NewWorld(Options{Seed: *longFrom + n, Payments: 100, Faults: AllFaults})
				if v := w.Run(); v != nil {
					t.Errorf("seed %d: %v", *longFrom+n, v)
				}
			}
		})
	}
	wg.Wait()
}
