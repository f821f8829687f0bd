package bench

import (
	"fmt"
	"time"

	"fastpay/bench/paper"
)

// estimate tells how much of the evaluation is left. Runs have estimates in a unit that the first of them calibrate.
type estimate struct {
	runs, made int
	left       float64 // estimated
	took       float64 // seconds, of those that are made
	was        float64 // what was estimated for them
}

func newEstimate(jobs []evaluationJob) *estimate {
	e := &estimate{runs: len(jobs)}
	for _, j := range jobs {
		e.left += j.estimate
	}
	return e
}

// done notes a run, and tells what is left.
func (e *estimate) done(estimated float64, took time.Duration) string {
	e.made++
	e.left -= estimated
	e.took += took.Seconds()
	e.was += estimated
	left := time.Duration(max(0, e.left) * ratio(e.took, e.was) * float64(time.Second)).Round(time.Second)
	return fmt.Sprintf("[%d/%d, %v left]", e.made, e.runs, left)
}

// String is what the run is about.
func (j *evaluationJob) String() string {
	switch j.Experiment {
	case paper.Times:
		return fmt.Sprintf("single operations, run %d", j.Repetition)
	case paper.Committee:
		return fmt.Sprintf("%s, authorities: %d, shards: %s, run %d", j.Phase, j.X, j.Series, j.Repetition)
	case paper.InFlight:
		return fmt.Sprintf("%s, shards: %d, in flight: %s, run %d", j.Phase, j.X, paper.Grouped(j.Series), j.Repetition)
	case paper.Load:
		return fmt.Sprintf("%s, shards: %d, load: %s, run %d", j.Phase, j.X, paper.Grouped(j.Series), j.Repetition)
	case paper.WAN:
		return fmt.Sprintf("latencies, authorities: %d, client in %s, run %d", j.X, j.Series, j.Repetition)
	}
	return fmt.Sprintf("latencies, %d of %d authorities crashed, run %d", j.X, wanCommittee, j.Repetition)
}
