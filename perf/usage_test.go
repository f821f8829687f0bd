package perf

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestUsageGrowsWithWork(t *testing.T) {
	before := ProcessUsage()
	for deadline := time.Now().Add(5 * time.Second); ProcessUsage().CPU-before.CPU < 5*time.Millisecond; {
		if time.Now().After(deadline) {
			t.Fatal("5 ms of work are not seen within 5 s")
		}
	}
	if ProcessUsage().PeakRSSBytes < 1<<20 {
		t.Errorf("peak memory %d bytes", ProcessUsage().PeakRSSBytes)
	}
}

func TestThreadUsageIsExact(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const wall = 200 * time.Microsecond // far below a timer tick
	for range 100 {
		before := ThreadUsage().CPU
		for began := time.Now(); time.Since(began) < wall; {
		}
		if used := ThreadUsage().CPU - before; used > wall/2 && used < 2*wall {
			return
		}
	}
	t.Errorf("%v of work are never seen as such", wall)
}

func TestResetPeakRSS(t *testing.T) {
	const size = 64 << 20
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_POPULATE)
	if err != nil {
		t.Fatal(err)
	}
	high := ProcessUsage().PeakRSSBytes
	if err := unix.Munmap(b); err != nil {
		t.Fatal(err)
	}
	if err := ResetPeakRSS(); err != nil {
		t.Skip(err) // /proc is not writable everywhere
	}
	if low := ProcessUsage().PeakRSSBytes; low > high-size/2 {
		t.Errorf("peak %d before, %d after %d bytes were returned and the peak was reset", high, low, size)
	}
}

func TestRunQueueWait(t *testing.T) {
	if got := runQueueWait("1000 2000 3\n"); got != 2000 {
		t.Errorf("got %v", got)
	}
	for _, bad := range []string{"", "1 2", "a b c"} {
		if got := runQueueWait(bad); got != 0 {
			t.Errorf("%q: got %v", bad, got)
		}
	}
}

func TestStealPercent(t *testing.T) {
	before := parseSteal("cpu  100 0 50 800 0 0 0 50 7 0\ncpu0 1 2 3\n")
	after := parseSteal("cpu  150 0 70 900 0 0 10 70 9 0\n")
	if got := after.PercentSince(before); got != 10 { // 20 of 200 ticks; guest time is not counted twice
		t.Errorf("got %v, want 10", got)
	}
	if got := before.PercentSince(after); got != 0 {
		t.Errorf("backwards: got %v", got)
	}
	for _, bad := range []string{"", "cpu 1 2", "intr 1 2 3 4 5 6 7 8", "cpu 1 2 3 4 5 6 7 x"} {
		if parseSteal(bad) != (Steal{}) {
			t.Errorf("%q is accepted", bad)
		}
	}
	if (NewSteal() == Steal{}) {
		t.Error("/proc/stat is not understood")
	}
}

func TestRaiseFileLimit(t *testing.T) {
	n, err := RaiseFileLimit()
	if err != nil || n < 64 {
		t.Errorf("got %d, %v", n, err)
	}
}

// TestThreadWait: two threads that want one CPU wait for each other, and it shows.
func TestThreadWait(t *testing.T) {
	cpus := AllowedCPUs()
	waited := make(chan time.Duration, 1)
	var stop atomic.Bool
	var rivals sync.WaitGroup
	for range 2 {
		rivals.Go(func() {
			runtime.LockOSThread() // and never unlocked: the thread ends with its pinning
			if err := PinThread(cpus[0]); err != nil {
				t.Error(err)
				return
			}
			for !stop.Load() {
			}
		})
	}
	go func() {
		runtime.LockOSThread()
		if err := PinThread(cpus[0]); err != nil {
			t.Error(err)
		}
		w, err := OpenThreadWait(ThreadID())
		if err != nil {
			t.Error(err)
			waited <- 0
			return
		}
		defer w.Close()
		var total time.Duration
		for deadline := time.Now().Add(5 * time.Second); total < 5*time.Millisecond && time.Now().Before(deadline); {
			if total, err = w.Total(); err != nil {
				t.Error(err)
			}
		}
		waited <- total
	}()
	if total := <-waited; total < 5*time.Millisecond {
		t.Errorf("waited %v among three threads on a CPU", total)
	}
	stop.Store(true)
	rivals.Wait()
	if _, err := OpenThreadWait(1 << 30); err == nil {
		t.Error("no such thread, and no error")
	}
}
