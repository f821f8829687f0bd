package bench

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"fastpay/bench/paper"
	"fastpay/node/committee"
)

// evaluationJob is a single run of the evaluation: of one authority's rate, of latencies, or of operations.
type evaluationJob struct {
	paper.Place
	rate       *Options
	least      int // payments that are prepared at least, because later runs need them
	latency    *LatencyOptions
	operations time.Duration // that each is timed
	estimate   float64       // seconds, in units of which only the proportions count
}

// evaluationPlan lists the runs that figures need, those that share prepared payments one after the other.
func evaluationPlan(figures []paper.Figure, s *evaluationScale, seed uint64) ([]evaluationJob, error) {
	wanted := make(map[string][]string) // experiment to phases
	for _, f := range figures {
		phases := wanted[f.Experiment]
		for _, phase := range f.Phases {
			if !slices.Contains(phases, phase) {
				phases = append(phases, phase)
			}
		}
		wanted[f.Experiment] = phases
	}
	var jobs []evaluationJob
	for _, part := range []struct {
		experiment string
		jobs       func(phases []string) ([]evaluationJob, error)
	}{
		{paper.Times, s.operationJobs},
		{paper.Committee, s.committeeJobs},
		{paper.InFlight, s.inFlightJobs},
		{paper.Load, s.loadJobs},
		{paper.WAN, s.wanJobs},
		{paper.Crash, s.crashJobs},
	} {
		phases, ok := wanted[part.experiment]
		if !ok {
			continue
		}
		some, err := part.jobs(phases)
		if err != nil {
			return nil, err
		}
		for i := range some {
			some[i].Experiment = part.experiment
			if err := some[i].seeded(seed); err != nil {
				return nil, err
			}
		}
		jobs = append(jobs, some...)
	}
	return jobs, nil
}

// seeded gives the run its seed, and checks it.
func (j *evaluationJob) seeded(seed uint64) error {
	switch {
	case j.rate != nil:
		j.rate.Seed = seed
		j.rate.Command = j.rate.repeatCommand()
		return j.rate.Check()
	case j.latency != nil:
		j.latency.Seed = seed
		return j.latency.Check()
	}
	return nil
}

func (s *evaluationScale) operationJobs([]string) (jobs []evaluationJob, err error) {
	for r := range s.repetitions {
		jobs = append(jobs, evaluationJob{Place: paper.Place{Series: "all", Repetition: r + 1}, estimate: 0.013 * float64(s.operationMs),
			operations: time.Duration(s.operationMs) * time.Millisecond})
	}
	return jobs, nil
}

// rateJob is a run of one authority, as the paper's were: as many accounts as payments.
func (s *evaluationScale) rateJob(phase, series string, x, repetition int, authorities, shards, inFlight, load int) evaluationJob {
	o := DefaultOptions()
	o.Protocol, o.CommitteeSize, o.NumShards, o.MaxInFlight = committee.TCP, authorities, shards, max(inFlight, shards)
	o.NumAccounts, o.Payments, o.abrupt = load, load, true
	o.Phase = map[string]Phase{paper.Orders: Orders, paper.Confirmations: Confirmations, paper.Payments: Payments}[phase]
	votes := float64(quorum(authorities))
	// What it takes on one core of the machine that this was written on, in µs: phases, preparation, and what each run takes.
	cost := map[string]float64{paper.Orders: 8 + votes, paper.Confirmations: 5 + votes, paper.Payments: 8 + votes}[phase]
	return evaluationJob{Place: paper.Place{Phase: phase, Series: series, X: x, Repetition: repetition}, rate: &o,
		estimate: 0.8 + float64(load)*(cost+5)/2e6}
}

func (s *evaluationScale) committeeJobs(phases []string) (jobs []evaluationJob, err error) {
	for _, authorities := range s.committees {
		load := s.loadOf(paperLoad, quorum(authorities))
		for _, shards := range s.series {
			for _, phase := range phases {
				if phase == paper.Orders && !s.alsoOrders(authorities, shards) {
					continue
				}
				for r := range s.repetitions {
					jobs = append(jobs, s.rateJob(phase, strconv.Itoa(shards), authorities, r+1, authorities, shards,
						paperWindow, load))
				}
			}
		}
	}
	return jobs, nil
}

// fourAuthorities is the committee of Figures 5, 6, 11 and 12.
const fourAuthorities = 4

func (s *evaluationScale) inFlightJobs(phases []string) (jobs []evaluationJob, err error) {
	load := s.load(paperLoad)
	for _, shards := range s.shards {
		for _, phase := range phases {
			first := len(jobs)
			for r := range s.repetitions {
				for _, inFlight := range s.inFlight {
					jobs = append(jobs, s.rateJob(phase, strconv.Itoa(inFlight), shards, r+1, fourAuthorities, shards,
						min(inFlight, load), load))
				}
			}
			shareLeast(jobs[first:])
		}
	}
	return jobs, nil
}

// shareLeast has the first run prepare what the neediest of the same shape does.
func shareLeast(jobs []evaluationJob) {
	most := 0
	for _, j := range jobs {
		p := j.rate.plan()
		most = max(most, p.payments+p.warmUpPayments)
	}
	for i := range jobs {
		jobs[i].least = most
	}
}

func (s *evaluationScale) loadJobs(phases []string) (jobs []evaluationJob, err error) {
	for _, shards := range s.shards {
		for _, phase := range phases {
			for _, paperLoad := range paperLoads {
				load := s.load(paperLoad)
				for r := range s.repetitions {
					jobs = append(jobs, s.rateJob(phase, strconv.Itoa(load), shards, r+1, fourAuthorities, shards,
						min(paperWindow, load), load))
				}
			}
		}
	}
	return jobs, nil
}

func (s *evaluationScale) wanJobs([]string) (jobs []evaluationJob, err error) {
	for _, where := range []string{paper.UK, paper.USWest} {
		for _, authorities := range s.wan {
			more, err := s.latencyJobs(where, authorities, authorities, 0)
			if err != nil {
				return nil, err
			}
			jobs = append(jobs, more...)
		}
	}
	return jobs, nil
}

func (s *evaluationScale) crashJobs([]string) (jobs []evaluationJob, err error) {
	for _, crashed := range s.crashed {
		more, err := s.latencyJobs(paper.UK, crashed, wanCommittee, crashed)
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, more...)
	}
	return jobs, nil
}

func (s *evaluationScale) latencyJobs(where string, x, authorities, crashed int) (jobs []evaluationJob, err error) {
	ms, err := paper.RoundTripMs(where)
	if err != nil {
		return nil, err
	}
	for r := range s.repetitions {
		jobs = append(jobs, evaluationJob{Place: paper.Place{Series: where, X: x, Repetition: r + 1},
			latency: &LatencyOptions{CommitteeSize: authorities, Crashed: crashed, Where: where, Samples: s.samples,
				RoundTrip: time.Duration(ms * float64(time.Millisecond)), Clients: s.clients},
			estimate: 0.5 + 0.05*float64(authorities) + 2*ms/1e3*float64(s.samples/s.clients+1+latencyWarmUp)})
	}
	return jobs, nil
}

// repeatCommand is how to repeat the run alone.
func (o *Options) repeatCommand() []string {
	return []string{"fastpay", "bench", "--protocol=" + strings.ToLower(o.Protocol.String()),
		fmt.Sprintf("--committee-size=%d", o.CommitteeSize), fmt.Sprintf("--num-shards=%d", o.NumShards),
		fmt.Sprintf("--num-accounts=%d", o.NumAccounts), fmt.Sprintf("--max-in-flight=%d", o.MaxInFlight),
		fmt.Sprintf("--payments=%d", o.Payments), "--phase=" + o.Phase.String(), fmt.Sprintf("--seed=%d", o.Seed)}
}

// key is all that the run's result depends on, apart from the program and the machine.
func (j *evaluationJob) key() string {
	switch {
	case j.rate != nil:
		return strings.Join(j.rate.Command[2:], " ")
	case j.latency != nil:
		return fmt.Sprintf("%+v", *j.latency)
	}
	return "operations for " + j.operations.String()
}
