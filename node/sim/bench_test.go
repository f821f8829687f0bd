package sim

import (
	"fmt"
	"syscall"
	"testing"
	"time"
)

// BenchmarkWorlds makes worlds one after the other. Its payments/cpu-s are payments a second of processor time, in user and
// system mode, whichever cores it was spent on: setting up, checking and collecting garbage included.
func BenchmarkWorlds(b *testing.B) {
	defer CollectSeldom()()
	for _, faults := range []Faults{0, AllFaults} {
		for _, members := range []int{4, 10} {
			b.Run(fmt.Sprintf("faults=%v/members=%d", faults, members), func(b *testing.B) {
				b.ReportAllocs()
				payments, began := uint64(0), processorTime(b)
				for i := range b.N {
					w := NewWorld(Options{Seed: uint64(i), Payments: DefaultPayments, Members: members, Faults: faults})
					if v := w.Run(); v != nil {
						b.Fatal(v)
					}
					payments += w.Exercised().Payments
				}
				b.ReportMetric(float64(payments)/b.Elapsed().Seconds(), "payments/s")
				b.ReportMetric(float64(payments)/(processorTime(b)-began).Seconds(), "payments/cpu-s")
			})
		}
	}
}

// processorTime is what this process has used of all cores so far.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
