package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"fastpay/perf"
)

// profileRun is one of the runs that profiles are taken in, each of its own window: profiles that disturb what another one
// measures are not taken together.
type profileRun struct {
	name    string
	kinds   []string
	seconds float64 // at most; 0 means as asked
}

// traceSeconds bounds the window that is traced: a trace has every event, and a viewer has to load it.
const traceSeconds = 2

var profileRuns = []profileRun{
	{"plain", nil, 0},
	{"cpu", []string{"cpu"}, 0},
	{"allocs", []string{"allocs"}, 0},
	{"waits", []string{"mutex", "block"}, 0},
	{"trace", []string{"trace"}, traceSeconds},
}

// profilesFile is the set as JSON, in the folder of its profiles.
const profilesFile = "profiles.json"

// ProfileSet is what RunProfiles found.
type ProfileSet struct {
	Schema int           `json:"schema"`
	Runs   []ProfiledRun `json:"runs"`
	Flames []string      `json:"flames"` // SVG files
	Notes  []string      `json:"notes"`  // what was not drawn, and why
	Budget *Budget       `json:"budget"`
	cpu    *Result
}

// ProfiledRun is one window.
type ProfiledRun struct {
	Name     string   `json:"name"`
	Rate     float64  `json:"rate_per_second"`
	Slower   float64  `json:"slower_percent"` // than the run without profiles
	Valid    bool     `json:"valid"`
	Flags    []string `json:"flags"`
	Profiles []string `json:"profiles"` // how to open them
}

// RunProfiles makes successive runs of o, the first without a profile and each of the others with one or two of them, over the
// window that follows a warm-up. Files go to dir: the result of each run, its profiles, and flame graphs.
func RunProfiles(ctx context.Context, o Options, dir string, stderr io.Writer) (*ProfileSet, error) {
	set := &ProfileSet{Schema: schemaVersion, Flames: []string{}, Notes: []string{}}
	if err := CheckOutput(filepath.Join(dir, profilesFile)); err != nil {
		return nil, err
	}
	o.ProfileDir = dir
	var runs runner
	for i, p := range profileRuns {
		fmt.Fprintf(stderr, "\n== %s (%d of %d)\n", p.name, i+1, len(profileRuns))
		each := o
		each.Profiles = p.kinds
		if p.seconds > 0 {
			each.Seconds = min(o.Seconds, p.seconds)
		}
		r, err := runs.run(ctx, each, stderr)
		if err == nil {
			err = r.Err(false)
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("bench: profiles: %s: %w", p.name, err)
		}
		if err := r.WriteFile(filepath.Join(dir, p.name+".json")); err != nil {
			return nil, err
		}
		set.add(p, r)
	}
	set.drawFlames(dir)
	return set, set.write(dir)
}

func (s *ProfileSet) add(p profileRun, r *Result) {
	run := ProfiledRun{Name: p.name, Rate: r.RatePerSec, Valid: r.Valid, Flags: r.Flags, Profiles: r.Profiles}
	if len(s.Runs) > 0 {
		run.Slower = 100 * (1 - ratio(r.RatePerSec, s.Runs[0].Rate))
	}
	s.Runs = append(s.Runs, run)
	if r.Budget != nil {
		s.Budget, s.cpu = r.Budget, r
	}
}

// drawFlames draws the profiles that have stacks. One that is empty, as that of waits may be, is a note.
func (s *ProfileSet) drawFlames(dir string) {
	what := fmt.Sprintf("of an authority of %d, %d shards, over %s", s.cpu.CommitteeSize, s.cpu.NumShards, strings.ToUpper(s.cpu.Protocol))
	for _, f := range [...]struct{ kind, from, title string }{
		{"cpu", "cpu.pprof", "CPU time"}, {"allocs", "mem.pprof", "Allocated bytes"}, {"mutex", "mutex.pprof", "Waiting for locks"},
		{"block", "block.pprof", "Blocked goroutines"},
	} {
		to := filepath.Join(dir, f.kind+".svg")
		_ = os.Remove(to) // of an earlier run, which would not be this one's
		if err := perf.WriteFlameFile(filepath.Join(dir, f.from), to, f.title+" "+what); err != nil {
			s.Notes = append(s.Notes, f.kind+" has no flame graph: "+strings.TrimPrefix(err.Error(), "perf: "))
			continue
		}
		s.Flames = append(s.Flames, to)
	}
}

func (s *ProfileSet) write(dir string) error {
	return writeJSON(filepath.Join(dir, profilesFile), s)
}

// WriteText prints what the profiles cost, where the time goes, and how to look at the rest.
func (s *ProfileSet) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n PROFILES, each in a run of its own, over its window after the warm-up\n", rule)
	for i, r := range s.Runs {
		text := fmt.Sprintf("%s %s", grouped(int(r.Rate)), s.cpu.unit().perSecond)
		if i > 0 {
			text += fmt.Sprintf(", %.1f %% slower than plain", r.Slower)
		}
		if other := slices.DeleteFunc(slices.Clone(r.Flags), func(f string) bool { return f == FlagShortWindow }); len(other) > 0 {
			text += "  NOT VALID: " + strings.Join(other, ", ")
		}
		line(&b, r.Name, "%s", text)
	}
	s.Budget.writeText(&b)
	b.WriteByte('\n')
	for _, r := range s.Runs {
		for _, hint := range r.Profiles {
			line(&b, "Profile", "%s", hint)
		}
	}
	for _, file := range s.Flames {
		line(&b, "Flame graph", "%s", file)
	}
	for _, note := range s.Notes {
		line(&b, "Note", "%s", note)
	}
	fmt.Fprintln(&b, rule)
	_, err := io.WriteString(w, b.String())
	return err
}
