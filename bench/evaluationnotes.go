package bench

import (
	"fmt"
	"strings"

	"fastpay/bench/paper"
)

// notes say how this scale of the figures differs from the paper's experiments, a sentence each.
func (s *evaluationScale) notes(figures []paper.Figure, cores int) (notes []string) {
	seen := make(map[string]bool)
	for _, f := range figures {
		if seen[f.Experiment] {
			continue
		}
		seen[f.Experiment] = true
		switch f.Experiment {
		case paper.Committee:
			notes = append(notes, s.committeeNote())
		case paper.InFlight, paper.Load:
			notes = append(notes, s.shardsNote(f.Experiment, cores))
		case paper.WAN, paper.Crash:
			notes = append(notes, s.latencyNote(f.Experiment))
		case paper.Times:
			notes = append(notes, fmt.Sprintf("operations: CPU time of one thread, %s (the paper's: 5); many at once "+
				"are %d; certificates have %d votes of %d authorities, as the paper's", runsOf(s.repetitions), tableBatch, quorum(tableCommittee), tableCommittee))
		}
	}
	return notes
}

// ratesNote is what all rates have in common.
func (s *evaluationScale) ratesNote(what, ours, theirs string) string {
	return fmt.Sprintf("%s: one authority over TCP on loopback beside its load generator (the paper's: UDP), every reply verified; %s "+
		"payments, one for each account (the paper's: %s); %s of each point (the paper's: 9), ± is one standard deviation", what,
		ours, theirs, runsOf(s.repetitions))
}

func runsOf(n int) string {
	if n == 1 {
		return "1 run"
	}
	return fmt.Sprintf("%d runs", n)
}

func (s *evaluationScale) committeeNote() string {
	note := fmt.Sprintf("%s; in large committees as many as have %s votes; series of %s shards (the paper's: %s); sizes 20, 40, 70 and "+
		"100 are not in the paper", s.ratesNote("committee sizes", grouped(s.load(paperLoad)), grouped(paperLoad)),
		grouped(s.votesMost), list(s.series), list(paperSeries))
	if !s.thorough {
		note += "; orders are measured at some sizes only"
	}
	return note
}

func (s *evaluationScale) shardsNote(experiment string, cores int) string {
	what, ours, theirs := "shards and orders in flight", grouped(s.load(paperLoad)), grouped(paperLoad)
	if experiment == paper.Load {
		var loads []int
		for _, load := range paperLoads {
			loads = append(loads, s.load(load))
		}
		what, ours, theirs = "shards and load", list(loads), list(paperLoads)
	}
	return fmt.Sprintf("%s; %s shards on %d cores, each of which has several when they are more (the paper's: %s on %d)",
		s.ratesNote(what, ours, theirs), list(s.shards), cores, list(paperShards), paper.Cores)
}

func (s *evaluationScale) latencyNote(experiment string) string {
	places := []string{paper.UK}
	if experiment == paper.WAN {
		places = append(places, paper.USWest)
	}
	var trips []string
	for _, place := range places {
		if ms, err := paper.RoundTripMs(place); err == nil {
			trips = append(trips, fmt.Sprintf("%s %g ms", place, ms))
		}
	}
	what := "latencies over the committee's size"
	if experiment == paper.Crash {
		what = "latencies with crashed authorities (killed before the first payment)"
	}
	return fmt.Sprintf("%s: the way is EMULATED in user space, a round trip of %s, the lesser of the paper's medians with one authority; a committee "+
		"of processes on this machine; %d payments a point, %d in each of %s, by %d independent clients at once, each with one order under "+
		"way (the paper's: 50 orders by one client), after %d payments of each that are not counted; all samples are in the CSV file, none is "+
		"left out", what, strings.Join(trips, ", "),
		s.samples*s.repetitions, s.samples, runsOf(s.repetitions), s.clients, latencyWarmUp)
}

// list is numbers with commas and an and.
func list(numbers []int) string {
	var text []string
	for _, n := range numbers {
		text = append(text, grouped(n))
	}
	if len(text) < 2 {
		return strings.Join(text, "")
	}
	return strings.Join(text[:len(text)-1], ", ") + " and " + text[len(text)-1]
}
