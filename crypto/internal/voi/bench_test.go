package voi

import (
	"fmt"
	"testing"
)

// BenchmarkCoefficients is what the randomness of an equation costs, the seed from the system included.
func BenchmarkCoefficients(b *testing.B) {
	for _, n := range []int{64, 1024} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) {
			y := &Backend{}.NewChecker(nil).(*checker).system
			unknowns := make([]unknown, n)
			for b.Loop() {
				y.draw(unknowns)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/signature")
		})
	}
}
