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
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// trial is a test binary with all changes of a package in it.
type trial struct {
	*pkg
	dir    string // of the binary
	binary string
	rapid  bool     // its tests draw with rapid
	tests  []string // patterns: fast tests first
}

const chooser = `package %s

import (
	"os"
	"strconv"
)

var mutant = func() int { n, _ := strconv.Atoi(os.Getenv(%q)); return n }()
`

const variable = "FASTPAY_MUTANT"

// compile builds the tests over the changed files.
func compile(p *pkg) (*trial, error) {
	dir, err := os.MkdirTemp("", "mutation")
	if err != nil {
		return nil, err
	}
	t := &trial{pkg: p, dir: dir, binary: filepath.Join(dir, "test")}
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
	err = put(filepath.Join(p.dir, "mutant.go"), fmt.Sprintf(chooser, p.name, variable))
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
	out, err := exec.Command("go", "list", "-test", "-deps", "./"+filepath.Clean(p.dir)).Output()
	t.rapid = bytes.Contains(out, []byte("pgregory.net/rapid\n"))
	return t, err
}

// progressEvery is after how many changes progress is told.
const progressEvery = 50

// stages are the times up to which tests run in the first process, and in the second; all others run in a third.
var stages = []float64{0.05, 0.3, 1e9}

var passed = regexp.MustCompile(`(?m)^--- PASS: (\S+) \((\d+\.\d+)s\)`)

// order runs the tests without a change, which they must pass, and sorts them by their times.
func (t *trial) order() error {
	out, noticed, err := t.runTests(0, ".")
	if err != nil || noticed != "" {
		return fmt.Errorf("%s without a change: %s %w\n%s", t.pkg.dir, noticed, err, out)
	}
	least := 0.0
	for _, most := range stages {
		var list []string
		for _, m := range passed.FindAllStringSubmatch(string(out), -1) {
			if s, _ := strconv.ParseFloat(m[2], 64); s >= least && s < most {
				list = append(list, m[1])
			}
		}
		if least = most; len(list) > 0 {
			t.tests = append(t.tests, "^("+strings.Join(list, "|")+")$")
		}
	}
	return nil
}

// runTests runs the tests of a pattern with a change, and tells how it was noticed, if it was.
func (t *trial) runTests(number int, pattern string) (out []byte, noticed string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout+10*time.Second)
	defer cancel()
	args := []string{"-test.short", "-test.failfast", "-test.v", "-test.timeout", testTimeout.String(), "-test.run", pattern}
	if t.rapid {
		args = append(args, "-rapid.nofailfile", "-rapid.shrinktime=1ms", "-rapid.seed=1")
	}
	c := exec.CommandContext(ctx, t.binary, args...)
	c.Dir = t.pkg.dir
	c.Env = append(os.Environ(), variable+"="+strconv.Itoa(number), "GOMAXPROCS=1")
	out, err = c.CombinedOutput()
	exit := (*exec.ExitError)(nil)
	switch {
	case err == nil:
		return out, "", nil
	case bytes.Contains(out, []byte("panic: test timed out")), ctx.Err() != nil:
		return out, "time", nil
	case errors.As(err, &exit):
		return out, "failed", nil
	}
	return out, "", err
}

// try runs the tests with each change that was not tried before, until a time.
func (t *trial) try(only string, workers int, ends time.Time, tried map[int]string) (*result, error) {
	if err := t.order(); err != nil {
		return nil, err
	}
	r := &result{Package: t.pkg.dir, Commit: commit(), Date: time.Now().UTC().Format(time.DateOnly)}
	work := make(chan change)
	var mu sync.Mutex
	var all sync.WaitGroup
	var failed error
	for range workers {
		all.Go(func() {
			for c := range work {
				noticed := ""
				for _, pattern := range t.tests {
					_, how, err := t.runTests(c.Number, pattern)
					if err != nil {
						mu.Lock()
						failed = err
						mu.Unlock()
					}
					if noticed = how; how != "" {
						break
					}
				}
				mu.Lock()
				r.count(c, noticed)
				if r.Changes%progressEvery == 0 {
					fmt.Fprintf(os.Stderr, "%s: %d of %d, %d survived\n", t.pkg.dir, r.Changes, t.sites, len(r.Survivors))
				}
				mu.Unlock()
			}
		})
	}
	for _, f := range t.files {
		for _, s := range f.sites {
			for _, c := range s.changes {
				if noticed, ok := tried[c.Number]; ok {
					mu.Lock()
					r.count(c, noticed)
					mu.Unlock()
					continue
				}
				if time.Now().After(ends) {
					continue
				}
				if only == "" || c.Place == only || strings.HasPrefix(c.Place, only+":") {
					work <- c
				}
			}
		}
	}
	close(work)
	all.Wait()
	return r, failed
}

func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty", "--exclude=*").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
