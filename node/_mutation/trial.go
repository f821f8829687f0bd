package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// trial is a test binary with all changes of a package in it, and what its tests reach.
type trial struct {
	*pkg
	*coverage
	dir    string // of the binary
	binary string
	flags  []string
}

// Limits of the tests with one change. Time is the processor's, so that a machine that is busy makes nothing noticed that
// would not be: a change that takes several times what the tests take without it counts as noticed. One that waits for
// ever takes none, and is noticed when the clock says so.
const (
	slower      = 5
	grace       = time.Second
	testTimeout = 90 * time.Second
	maxMemory   = 2 << 30 // bytes
)

// chooser limits the process before anything else runs, so that nothing outlives this program for long.
const chooser = `package %s

import (
	"os"
	"strconv"
	"syscall"
)

var mutant = func() int {
	n, _ := strconv.Atoi(os.Getenv(%q))
	if s, _ := strconv.ParseUint(os.Getenv(%q), 10, 64); s > 0 {
		_ = syscall.Setrlimit(syscall.RLIMIT_CPU, &syscall.Rlimit{Cur: s, Max: s})
		_ = syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: %d, Max: %d})
	}
	return n
}()
`

const (
	numberVariable  = "FASTPAY_MUTANT"
	secondsVariable = "FASTPAY_MUTANT_SECONDS"
)

// compile builds the tests over the changed files.
func compile(p *pkg) (*trial, error) {
	dir, err := os.MkdirTemp("", "mutation")
	if err != nil {
		return nil, err
	}
	t := &trial{pkg: p, dir: dir, binary: filepath.Join(dir, "test"), flags: testFlags(p.dir)}
	replace := map[string]string{}
	put := func(name, text string) error {
		full, err := filepath.Abs(name)
		if err != nil {
			return err
		}
		other := filepath.Join(dir, filepath.Base(name))
		replace[full] = other
		return os.WriteFile(other, []byte(text), 0o644)
	}
	err = put(filepath.Join(p.dir, "mutant.go"),
		fmt.Sprintf(chooser, p.name, numberVariable, secondsVariable, maxMemory, maxMemory))
	for _, f := range p.files {
		err = errors.Join(err, put(f.name, f.text(0, len(f.src))))
	}
	overlay, _ := json.Marshal(map[string]any{"Replace": replace})
	name := filepath.Join(dir, "overlay.json")
	if err := errors.Join(err, os.WriteFile(name, overlay, 0o644)); err != nil {
		return nil, err
	}
	c := exec.Command("go", "test", "-c", "-vet=off", "-overlay", name, "-o", t.binary, "./"+filepath.Clean(p.dir))
	if out, err := c.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w, files are in %s\n%s", err, dir, out)
	}
	return t, nil
}

// testFlags are those of every run of a package's tests.
func testFlags(dir string) []string {
	flags := []string{"-test.short", "-test.failfast", "-test.timeout", testTimeout.String()}
	out, _ := exec.Command("go", "list", "-test", "-deps", "./"+filepath.Clean(dir)).Output()
	if bytes.Contains(out, []byte("pgregory.net/rapid\n")) {
		flags = append(flags, "-rapid.nofailfile", "-rapid.shrinktime=1ms", "-rapid.seed=1")
	}
	return flags
}

// groupTime is how long the tests of one process may take together; a test that takes longer has its own.
const groupTime = 300 * time.Millisecond

// notice runs the tests that reach a change, the quickest first, and tells how it was noticed, if it was.
func (t *trial) notice(s *site, number int) (string, error) {
	list := t.reaching(filepath.Base(s.file), s.at)
	for len(list) > 0 {
		n, takes := 1, list[0].takes
		for ; n < len(list) && takes+list[n].takes < groupTime; n++ {
			takes += list[n].takes
		}
		noticed, out, err := t.runTests(list[:n], takes, number)
		if err != nil {
			return "", fmt.Errorf("change %d: %w\n%s", number, err, out)
		}
		if noticed != "" {
			return noticed, nil
		}
		list = list[n:]
	}
	return "", nil
}

func (t *trial) runTests(tests []*test, takes time.Duration, number int) (noticed string, out []byte, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout+10*time.Second)
	defer cancel()
	var names []string
	for _, test := range tests {
		names = append(names, test.name)
	}
	c := exec.CommandContext(ctx, t.binary, append(slices.Clone(t.flags), "-test.run", "^("+strings.Join(names, "|")+")$")...)
	c.Dir = t.pkg.dir
	seconds := int((grace + slower*takes + time.Second - 1) / time.Second)
	c.Env = append(os.Environ(), numberVariable+"="+strconv.Itoa(number), secondsVariable+"="+strconv.Itoa(seconds), "GOMAXPROCS=1")
	out, err = c.CombinedOutput()
	exit := (*exec.ExitError)(nil)
	switch {
	case err == nil:
		return "", out, nil
	case !errors.As(err, &exit):
		return "", out, err
	case exit.Sys().(syscall.WaitStatus).Signaled(), bytes.Contains(out, []byte("panic: test timed out")):
		return "time", out, nil
	}
	return "failed", out, nil
}

// progressEvery is after how many changes progress is told.
const progressEvery = 100

// try runs the tests with each change that is wanted, until a time. The tests must pass without one.
func (t *trial) try(wanted func(*change) bool, workers int, ends time.Time, r *result) error {
	if noticed, out, err := t.runTests(t.tests, testTimeout/slower, 0); err != nil || noticed != "" {
		return fmt.Errorf("%s without a change: %s %w\n%s", t.pkg.dir, noticed, err, out)
	}
	type job struct {
		*site
		*change
	}
	work := make(chan job)
	var mu sync.Mutex
	var all sync.WaitGroup
	var failed error
	for range workers {
		all.Go(func() {
			for j := range work {
				noticed, err := t.notice(j.site, j.Number)
				mu.Lock()
				if failed = errors.Join(failed, err); err == nil {
					r.count(*j.change, noticed)
				}
				if len(r.Tried)%progressEvery == 0 {
					fmt.Fprintf(os.Stderr, "%s: %d of %d, %d survived\n", t.pkg.dir, len(r.Tried), t.sites, len(r.Survivors))
				}
				mu.Unlock()
			}
		})
	}
	for _, f := range t.files {
		for _, s := range f.sites {
			for i := range s.changes {
				if c := &s.changes[i]; wanted(c) && time.Now().Before(ends) {
					work <- job{s, c}
				}
			}
		}
	}
	close(work)
	all.Wait()
	return failed
}

func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty", "--exclude=*").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
