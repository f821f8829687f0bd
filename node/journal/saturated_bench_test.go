package journal

import (
	"runtime"
	"sync"
	"testing"
)

// computeSteps take some 0.3 ms, as half a batch of signatures does.
const computeSteps = 350_000

// compute keeps a CPU busy without memory.
func compute(x uint64) uint64 {
	for range computeSteps {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

// BenchmarkSaturated is two threads that compute, append 250 records of 330 bytes, and go on while these are written, at most
// four batches ahead, as the event loops of an authority do. Where they have two CPUs, what a batch takes beyond one without a
// journal is what the journal takes from them: system calls, interrupts, switches of threads, zeros for the next segment.
func BenchmarkSaturated(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	b.Run("journal=none", func(b *testing.B) {
		saturate(b, func() func() error { return func() error { return nil } })
	})
	b.Run("journal=dir", func(b *testing.B) {
		j, stop := running(b, benchDir(b), Options{}, nil)
		saturate(b, func() func() error {
			var batch Batch
			for range 250 {
				batch.Add(0, make([]byte, 330))
			}
			var groups [4]uint64 // of the last batches
			at := 0
			return func() error {
				if err := j.Wait(groups[at]); err != nil {
					return err
				}
				_, group, err := j.Append(&batch)
				for err == ErrFull {
					if err = j.Wait(group); err == nil {
						_, group, err = j.Append(&batch)
					}
				}
				groups[at], at = group, (at+1)%len(groups)
				return err
			}
		})
		if err := stop(); err != nil {
			b.Fatal(err)
		}
	})
}

// saturate computes b.N batches on two threads; begin gives each what it does after a batch.
func saturate(b *testing.B, begin func() (done func() error)) {
	var threads sync.WaitGroup
	for i := range 2 {
		threads.Go(func() {
			runtime.LockOSThread() // for good: the thread ends with the goroutine
			x, done := uint64(i), begin()
			for range (b.N + 1) / 2 {
				x = compute(compute(x))
				if err := done(); err != nil {
					b.Error(err)
					return
				}
			}
			runtime.KeepAlive(x)
		})
	}
	threads.Wait()
}
