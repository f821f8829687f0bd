package bench

import (
	"fmt"
	"slices"

	"fastpay/bench/paper"
)

// paperCores is the number of physical cores of the paper's machine.
const paperCores = paper.Cores

// paperPoint is the paper's measurement for a size of committee.
type paperPoint struct {
	committee             int
	orders, confirmations float64 // a second, each phase alone
	interpolated          bool    // between the neighbors that were measured
}

// payments is the rate of both phases together: a payment needs one of each.
func (p paperPoint) payments() float64 { return 1 / (1/p.orders + 1/p.confirmations) }

// besideShards is the series of the paper's Figure 7 that stands beside ours: of 75 shards, one million payments, 1,000 in flight.
// Orders and confirmations were two runs, each timed alone.
const besideShards = "75"

// paperPoints is that series, by size of committee.
func paperPoints() (points []paperPoint, err error) {
	figures, err := paper.FindFigures("7")
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	all, err := paper.Reference(figures[0])
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	for _, o := range all {
		if o.Series != besideShards {
			continue
		}
		i, found := slices.BinarySearchFunc(points, o.X, func(p paperPoint, committee int) int { return p.committee - committee })
		if !found {
			points = slices.Insert(points, i, paperPoint{committee: o.X})
		}
		switch o.Phase {
		case paper.Orders:
			points[i].orders = o.Value
		case paper.Confirmations:
			points[i].confirmations = o.Value
		}
	}
	return points, nil
}

// paperAt is the paper's measurement for a committee, or a linear interpolation; ok is false outside of its range.
func paperAt(points []paperPoint, committee int) (p paperPoint, ok bool) {
	i, found := slices.BinarySearchFunc(points, committee, func(p paperPoint, c int) int { return p.committee - c })
	if found {
		return points[i], true
	}
	if i == 0 || i == len(points) {
		return paperPoint{}, false
	}
	a, b := points[i-1], points[i]
	x := float64(committee-a.committee) / float64(b.committee-a.committee)
	return paperPoint{
		committee:     committee,
		orders:        a.orders + x*(b.orders-a.orders),
		confirmations: a.confirmations + x*(b.confirmations-a.confirmations),
		interpolated:  true,
	}, true
}
