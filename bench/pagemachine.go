package bench

import (
	"fmt"
	"slices"
	"strings"
)

// pageMachine is an environment, and the runs that were measured there.
type pageMachine struct {
	Runs  string
	Facts [][2]string
}

func (s *pageSource) machines() (list []pageMachine) {
	byFacts := make(map[string]int)
	var runs [][]string
	add := func(name string, r *Result) {
		e := &r.Environment
		facts := [][2]string{
			{"CPU", fmt.Sprintf("%s, %d cores, %d threads a core", e.CPU, e.Cores, e.ThreadsPerCore)},
			{"Instruction sets", strings.Join(e.Features, " ")}, {"Signatures", "backend " + e.CryptoBackend},
			{"Kernel, memory", fmt.Sprintf("%s, %.1f GiB", e.Kernel, float64(e.MemoryBytes)/(1<<30))},
			{"Go", fmt.Sprintf("%s, GOMAXPROCS %d, GOGC %s", e.Go, e.GOMAXPROCS, e.GOGC)}, {"Commit", r.build()},
			{"Durability", r.Durability},
		}
		key := fmt.Sprint(facts)
		at, known := byFacts[key]
		if !known {
			at = len(list)
			byFacts[key] = at
			list, runs = append(list, pageMachine{Facts: facts}), append(runs, nil)
		}
		if !slices.Contains(runs[at], name) {
			runs[at] = append(runs[at], name)
		}
	}
	for i, f := range s.runs {
		add(fmt.Sprint(i+1), f.result)
	}
	for _, c := range s.curves {
		for _, r := range c.results() {
			add("curve of "+c.Name, r)
		}
	}
	for _, p := range s.papers {
		add("the paper's figures", &Result{Environment: p.manifest.Environment})
	}
	for i := range list {
		list[i].Runs = strings.Join(runs[i], ", ")
	}
	return list
}
