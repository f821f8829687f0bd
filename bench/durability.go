package bench

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"fastpay/node"
)

// durabilityRun is what durability costs and gives: the folder durability of a run directory.
type durabilityRun struct {
	committees []durabilityTurns
	soak       *Result // long, with the live heap
	snapshots  *Result // at a rate, with what snapshots do to replies, and a restart after a kill
	transfers  *TransferLatency
	restart    *RestartTime
}

// durabilityTurns are the runs of one committee, in turn: they differ in nothing but durability.
type durabilityTurns struct {
	size  string // of the committee, by the names of its files
	turns []durabilityTurn
}

type durabilityTurn struct {
	name string
	by   map[string]*Result // durability
}

// What the folder has; runs in turn are below turns, COMMITTEE-TURN-MODE.json.
const (
	durabilityTurnsFolder = "turns"
	durabilitySoak        = "soak.json"
	durabilitySnapshots   = "snapshots.json"
	durabilityRestart     = "restart.json"
)

// durabilityModes are in the order of the report.
var durabilityModes = []string{string(node.DurabilityNone), string(node.DurabilityAsync), string(node.DurabilitySync)}

func readDurability(dir string, r *Report) (err error) {
	r.durable, err = within(dir, durabilityFolder, readDurabilityRun)
	return err
}

func readDurabilityRun(dir string) (*durabilityRun, error) {
	run := new(durabilityRun)
	files, err := within(dir, durabilityTurnsFolder, readFolder)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(files, func(a, b resultFile) int { return naturally(a.path, b.path) })
	for _, f := range files {
		if err := run.add(f); err != nil {
			return nil, fmt.Errorf("bench: %s: %w", filepath.Join(dir, durabilityTurnsFolder, f.path), err)
		}
	}
	for _, one := range []struct {
		name string
		to   **Result
	}{{durabilitySoak, &run.soak}, {durabilitySnapshots, &run.snapshots}} {
		if *one.to, err = within(dir, one.name, ReadResult); err != nil {
			return nil, err
		}
	}
	if run.transfers, err = within(dir, transfersFile, ReadTransferLatency); err != nil {
		return nil, err
	}
	run.restart, err = within(dir, durabilityRestart, ReadRestartTime)
	return run, err
}

// add takes in a run of a turn. Files come by their names, so those of one committee, and of one turn, follow each other.
func (d *durabilityRun) add(f resultFile) error {
	r := f.result
	name := strings.Split(strings.TrimSuffix(filepath.Base(f.path), ".json"), "-")
	if len(name) != 3 || name[2] != r.Durability || !slices.Contains(durabilityModes, name[2]) {
		return fmt.Errorf("a run with durability %q: expected a name COMMITTEE-TURN-MODE.json that says so", r.Durability)
	}
	if n := len(d.committees); n == 0 || d.committees[n-1].size != name[0] {
		d.committees = append(d.committees, durabilityTurns{size: name[0]})
	}
	c := &d.committees[len(d.committees)-1]
	if n := len(c.turns); n == 0 || c.turns[n-1].name != name[1] {
		c.turns = append(c.turns, durabilityTurn{name[1], make(map[string]*Result)})
	}
	c.turns[len(c.turns)-1].by[r.Durability] = r
	return nil
}

// of are the runs of a mode, in turn.
func (c *durabilityTurns) of(mode string) (results []*Result) {
	for _, t := range c.turns {
		if r := t.by[mode]; r != nil {
			results = append(results, r)
		}
	}
	return results
}

// ratios are those of the rates of a mode and in memory, of the turns that have both.
func (c *durabilityTurns) ratios(mode string) (ratios []float64) {
	for _, t := range c.turns {
		if r, memory := t.by[mode], t.by[string(node.DurabilityNone)]; r != nil && memory != nil && memory.RatePerSec > 0 {
			ratios = append(ratios, r.RatePerSec/memory.RatePerSec)
		}
	}
	return ratios
}

// results are all runs, in the order in which they were made.
func (d *durabilityRun) results() (all []*Result) {
	for _, c := range d.committees {
		for _, t := range c.turns {
			for _, mode := range durabilityModes {
				if r := t.by[mode]; r != nil {
					all = append(all, r)
				}
			}
		}
	}
	for _, r := range []*Result{d.soak, d.snapshots} {
		if r != nil {
			all = append(all, r)
		}
	}
	if l := d.transfers; l != nil {
		all = append(all, &Result{Environment: l.Environment, Command: l.Command})
	}
	if r := d.restart; r != nil {
		all = append(all, &Result{Environment: r.Environment, Command: r.Command})
	}
	return all
}
