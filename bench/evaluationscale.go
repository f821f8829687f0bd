package bench

import (
	"fmt"
	"slices"
	"strings"
)

// evaluationScale is how much of the paper's evaluation is run, on a machine with so many CPUs.
type evaluationScale struct {
	name        string
	repetitions int
	divisor     int   // of the paper's loads, and so of the accounts: one transfer for each, as in the paper
	votesMost   int   // certificates' votes of a run: large committees get less load, so that a run stays short
	shards      []int // x of Figures 5, 6, 11, 12
	inFlight    []int
	committees  []int // x of Figure 7
	series      []int // shards of its series
	thorough    bool  // orders at every committee size; else at some
	samples     int   // of a latency, in each repetition
	clients     int
	wan         []int // x of Figures 8, 9
	crashed     []int // x of Table 2
	operationMs int   // that each operation of Table 1 is timed for
}

// The paper's axes.
var (
	paperShards     = []int{15, 25, 35, 45, 55, 65, 75, 85}
	paperInFlight   = []int{100, 1_000, 10_000, 50_000}
	paperLoads      = []int{150_000, 500_000, 1_000_000, 1_500_000}
	paperCommittees = []int{4, 7, 10, 13, 16, 19, 22, 25, 28}
	paperSeries     = []int{45, 75}
)

const (
	paperLoad     = 1_000_000
	paperWindow   = 1_000 // in flight, where it is no series
	wanCommittee  = 10
	leastSamples  = 300 // of a latency's point, over its repetitions
	largestQuorum = 67  // of 100 authorities
)

// ScaleNames lists what the scale of an evaluation may be.
func ScaleNames() []string { return []string{"quick", "full", "smoke"} }

// newScale is the scale of this name.
func newScale(name string, cpus int) (*evaluationScale, error) {
	s := &evaluationScale{name: name, inFlight: paperInFlight, committees: append(slices.Clone(paperCommittees), 20, 40, 70, 100)}
	slices.Sort(s.committees)
	for x := range wanCommittee {
		s.wan = append(s.wan, x+1)
	}
	s.crashed = []int{0, 1, 2, 3, 4}
	s.series = []int{max(1, cpus/2), max(2, cpus)}
	switch name {
	case "quick":
		s.repetitions, s.divisor, s.votesMost = 3, 5, 1_400_000
		s.shards = []int{1, max(2, cpus), 4 * max(2, cpus)}
		s.samples, s.clients, s.operationMs = leastSamples/3, 25, 50
	case "full":
		s.repetitions, s.divisor, s.votesMost, s.thorough = 9, 1, 19*paperLoad, true
		s.shards = []int{1}
		for n := 2; n <= 4*max(2, cpus); n *= 2 {
			s.shards = append(s.shards, n)
		}
		s.shards = append(s.shards, paperShards[0], paperShards[3], paperShards[7])
		s.samples, s.clients, s.operationMs = leastSamples/3, 10, 200
	case "smoke":
		s.repetitions, s.divisor, s.votesMost = 1, 1_000, 1_400_000
		s.shards, s.inFlight, s.committees, s.series = []int{1, 2}, []int{10, paperWindow}, []int{4, 20}, []int{1, 2}
		s.samples, s.clients, s.operationMs = 5, 5, 1
		s.wan, s.crashed = []int{1, 4}, []int{0, 4}
	default:
		return nil, fmt.Errorf("bench: there is no scale %q, there are %s", name, strings.Join(ScaleNames(), ", "))
	}
	if cpus >= paperShards[len(paperShards)-1]/2 { // as many as the paper's machine, or nearly
		s.shards, s.series = paperShards, paperSeries
	}
	slices.Sort(s.shards)
	s.shards = slices.Compact(s.shards)
	return s, nil
}

// load is the paper's load at this scale.
func (s *evaluationScale) load(paper int) int { return max(1, paper/s.divisor) }

// loadOf is the load of a run with certificates of so many votes.
func (s *evaluationScale) loadOf(paper, votes int) int { return min(s.load(paper), s.votesMost/votes) }

// alsoOrders reports whether orders of this committee, which the paper's figure does not have, are measured beside its
// confirmations and payments.
func (s *evaluationScale) alsoOrders(committee, series int) bool {
	return s.thorough || series == s.series[len(s.series)-1] && slices.Contains([]int{4, 10, 20, 28, 100}, committee)
}

// CheckScale tells whether there is a scale of this name.
func CheckScale(name string) error {
	_, err := newScale(name, 1)
	return err
}
