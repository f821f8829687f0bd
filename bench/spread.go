package bench

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Spread is a metric over the runs of a side.
type Spread struct {
	Runs   int     `json:"runs"`
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

func newSpread(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	return Spread{len(values), median(values), slices.Min(values), slices.Max(values)}
}

// median is the middle value, or the mean of the two in the middle; 0 of none.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// normalMAD makes the median absolute deviation of a normal distribution its standard deviation.
const normalMAD = 1.4826

// noise is how far a run typically is from the median of its side, as a part of it: a standard deviation that single
// outliers do not move. It is 0 of a single run.
func noise(values []float64) float64 {
	m := median(values)
	if m == 0 {
		return 0
	}
	deviations := make([]float64, len(values))
	for i, v := range values {
		deviations[i] = math.Abs(v - m)
	}
	return normalMAD * median(deviations) / math.Abs(m)
}

// The interval of a ratio is found by drawing from each side as many runs as it has, again and again. The seed is fixed: the
// same results give the same interval.
const (
	bootstrapRounds = 2000
	bootstrapSeed   = 0x666173747061790a
	confidence      = 0.95
)

// ratioInterval is the bootstrap interval of median(b)/median(a). ok is false when a side has a single run, or values of a are
// not all positive.
func ratioInterval(a, b []float64) (low, high float64, ok bool) {
	if len(a) < 2 || len(b) < 2 || slices.Min(a) <= 0 {
		return 0, 0, false
	}
	random := rand.New(rand.NewPCG(bootstrapSeed, 0))
	draw := func(from, to []float64) float64 {
		for i := range to {
			to[i] = from[random.IntN(len(from))]
		}
		return median(to)
	}
	drawnA, drawnB := make([]float64, len(a)), make([]float64, len(b))
	ratios := make([]float64, bootstrapRounds)
	for i := range ratios {
		ratios[i] = draw(b, drawnB) / draw(a, drawnA)
	}
	slices.Sort(ratios)
	const tail = (1 - confidence) / 2
	return ratios[int(tail*bootstrapRounds)], ratios[int((1-tail)*bootstrapRounds)-1], true
}
