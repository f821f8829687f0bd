package perf

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"slices"
	"strings"

	"github.com/felixge/fgprof"
	"github.com/pkg/profile"
)

// ProfileKinds are the names that ParseProfiles takes.
var ProfileKinds = []string{"cpu", "mem", "allocs", "mutex", "block", "trace", "clock"}

// ParseProfiles reads a list such as "cpu,mutex". The empty list is none.
func ParseProfiles(list string) ([]string, error) {
	if list == "" {
		return nil, nil
	}
	kinds := strings.Split(list, ",")
	for i, kind := range kinds {
		if !slices.Contains(ProfileKinds, kind) {
			return nil, fmt.Errorf("perf: no profile is called %q: there are %s", kind, strings.Join(ProfileKinds, ", "))
		}
		if slices.Contains(kinds[:i], kind) {
			return nil, fmt.Errorf("perf: profile %q stands twice", kind)
		}
	}
	if slices.Contains(kinds, "mem") && slices.Contains(kinds, "allocs") {
		return nil, errors.New("perf: mem and allocs are two views of one file: ask for one of them")
	}
	return kinds, nil
}

// Prepare keeps allocations out of a later memory profile that happen before it starts. Call it first thing in a process
// that will take profiles of these kinds; it does nothing for the others.
func Prepare(kinds []string) {
	if slices.Contains(kinds, "mem") || slices.Contains(kinds, "allocs") {
		runtime.MemProfileRate = 0
	}
}

// Profiles are being taken, of one window of this process. Only one can be at a time.
type Profiles struct {
	dir   string
	kinds []string
	stops []func() error
}

// StartProfiles begins a window. Its files go to dir, which is made when needed.
func StartProfiles(kinds []string, dir string) (*Profiles, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("perf: profiles: %w", err)
	}
	p := &Profiles{dir: dir, kinds: kinds}
	if len(kinds) == 1 {
		stop, err := startAlone(kinds[0], dir)
		if err != nil {
			return nil, err
		}
		p.stops = append(p.stops, stop)
		return p, nil
	}
	for _, kind := range kinds {
		stop, err := startBeside(kind, filepath.Join(dir, fileName(kind)))
		if err != nil {
			return nil, errors.Join(err, p.Stop())
		}
		p.stops = append(p.stops, stop)
	}
	return p, nil
}

// Stop ends the window and writes the files.
func (p *Profiles) Stop() error {
	var err error
	for _, stop := range slices.Backward(p.stops) {
		err = errors.Join(err, stop())
	}
	p.stops = nil
	return err
}

// Hints says for each file of the window how to open it, one line each.
func (p *Profiles) Hints() []string {
	hints := make([]string, 0, len(p.kinds))
	for _, kind := range p.kinds {
		file := filepath.Join(p.dir, fileName(kind))
		switch kind {
		case "trace":
			hints = append(hints, fmt.Sprintf("%-6s go tool trace %s", kind, file))
		case "allocs":
			hints = append(hints, fmt.Sprintf("%-6s go tool pprof -sample_index=alloc_space -http=: %s", kind, file))
		default:
			hints = append(hints, fmt.Sprintf("%-6s go tool pprof -http=: %s", kind, file))
		}
	}
	return hints
}

// fileName is what pkg/profile calls the file, so that both ways give the same.
func fileName(kind string) string {
	switch kind {
	case "trace":
		return "trace.out"
	case "allocs":
		return "mem.pprof"
	}
	return kind + ".pprof"
}

// startAlone takes the only profile of a window through pkg/profile, which can take one at a time. It ends the process
// when it can't create its file, so that is tried before.
func startAlone(kind, dir string) (stop func() error, err error) {
	f, err := os.Create(filepath.Join(dir, fileName(kind)))
	if err != nil {
		return nil, fmt.Errorf("perf: %s profile: %w", kind, err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("perf: %s profile: %w", kind, err)
	}
	mode := map[string]func(*profile.Profile){
		"cpu":    profile.CPUProfile,
		"mem":    profile.MemProfileHeap,
		"allocs": profile.MemProfileAllocs,
		"mutex":  profile.MutexProfile,
		"block":  profile.BlockProfile,
		"trace":  profile.TraceProfile,
		"clock":  profile.ClockProfile,
	}[kind]
	options := []func(*profile.Profile){profile.ProfilePath(dir), profile.NoShutdownHook, profile.Quiet}
	if kind == "mem" || kind == "allocs" {
		options = append(options, profile.MemProfile) // sets the rate; the mode below says which view
	}
	running := profile.Start(append(options, mode)...)
	return func() error {
		if kind == "mem" || kind == "allocs" {
			runtime.GC() // publishes the samples of the current cycle
		}
		running.Stop()
		return nil
	}, nil
}

// startBeside takes one of several profiles of a window, with the rates that pkg/profile uses.
func startBeside(kind, file string) (stop func() error, err error) {
	f, err := os.Create(file)
	if err != nil {
		return nil, fmt.Errorf("perf: %s profile: %w", kind, err)
	}
	var finish func() error
	switch kind {
	case "cpu":
		err = pprof.StartCPUProfile(f)
		finish = func() error { pprof.StopCPUProfile(); return nil }
	case "trace":
		err = trace.Start(f)
		finish = func() error { trace.Stop(); return nil }
	case "clock":
		finish = fgprof.Start(f, fgprof.FormatPprof)
	case "mem", "allocs":
		rate := runtime.MemProfileRate
		runtime.MemProfileRate = profile.DefaultMemProfileRate
		name := map[string]string{"mem": "heap", "allocs": "allocs"}[kind]
		finish = func() error { runtime.GC(); runtime.MemProfileRate = rate; return write(f, name) }
	case "mutex":
		runtime.SetMutexProfileFraction(1)
		finish = func() error { runtime.SetMutexProfileFraction(0); return write(f, "mutex") }
	case "block":
		runtime.SetBlockProfileRate(1)
		finish = func() error { runtime.SetBlockProfileRate(0); return write(f, "block") }
	default:
		err = errors.New("no such profile")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("perf: %s profile: %w", kind, err), f.Close())
	}
	return func() error {
		if err := errors.Join(finish(), f.Close()); err != nil {
			return fmt.Errorf("perf: %s profile: %w", kind, err)
		}
		return nil
	}, nil
}

// write writes what one of the runtime's own profiles has sampled so far.
func write(w io.Writer, name string) error { return pprof.Lookup(name).WriteTo(w, 0) }
