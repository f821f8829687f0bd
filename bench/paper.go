package bench

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The paper's Figure 7, with 75 shards: one authority of a committee of 4 to 28 on 48 cores (96 threads, m5d.metal) beside
// its load generator, over loopback UDP, one million payments, 1,000 in flight. Orders and confirmations were two runs, each
// timed alone. Means and population standard deviations of 9 runs, recomputed from the logs that the prototype's authors
// published.
//
//go:embed testdata/paper/committee.csv
var paperCommittee string

// paperCores is the number of physical cores of the paper's machine.
const paperCores = 48

// paperPoint is the paper's measurement for a size of committee.
type paperPoint struct {
	committee             int
	orders, confirmations float64 // a second, each phase alone
	interpolated          bool    // between the neighbors that were measured
}

// payments is the rate of both phases together: a payment needs one of each.
func (p paperPoint) payments() float64 { return 1 / (1/p.orders + 1/p.confirmations) }

// paperPoints reads the table, by size of committee.
func paperPoints() ([]paperPoint, error) {
	rows, err := csv.NewReader(strings.NewReader(paperCommittee)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("bench: the paper's table: %w", err)
	}
	var points []paperPoint
	for _, row := range rows[1:] {
		var v [4]float64
		for i, column := range []int{0, 1, 3} {
			if v[i], err = strconv.ParseFloat(row[column], 64); err != nil {
				return nil, fmt.Errorf("bench: the paper's table: %w", err)
			}
		}
		points = append(points, paperPoint{committee: int(v[0]), orders: v[1], confirmations: v[2]})
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
