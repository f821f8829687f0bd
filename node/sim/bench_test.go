package sim

import (
	"fmt"
	"testing"
)

// BenchmarkWorlds makes worlds one after the other. Its payments/s are those of one core, setting up and checking
// included.
func BenchmarkWorlds(b *testing.B) {
	for _, faults := range []Faults{0, AllFaults} {
		for _, members := range []int{4, 10} {
			b.Run(fmt.Sprintf("faults=%v/members=%d", faults, members), func(b *testing.B) {
				b.ReportAllocs()
				payments := uint64(0)
				for i := range b.N {
					w := NewWorld(Options{Seed: uint64(i), Payments: DefaultPayments, Members: members, Faults: faults})
					if v := w.Run(); v != nil {
						b.Fatal(v)
					}
					payments += w.Exercised().Payments
				}
				b.ReportMetric(float64(payments)/b.Elapsed().Seconds(), "payments/s")
			})
		}
	}
}
