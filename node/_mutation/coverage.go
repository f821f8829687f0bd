package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"
)

// test is one of the package's, with the processor time that it takes and the blocks of statements that it reaches.
type test struct {
	name    string
	takes   time.Duration
	reaches map[block]bool
}

// block is a run of statements as the go command counts them.
type block struct {
	file     string
	from, to place
}

type place struct{ line, column int }

func (p place) before(o place) bool {
	return p.line < o.line || p.line == o.line && p.column < o.column
}

func (b *block) holds(file string, p place) bool {
	return b.file == file && !p.before(b.from) && p.before(b.to)
}

// coverage is what each test of a package reaches, without a change.
type coverage struct {
	tests  []*test // the quickest first
	blocks map[block]bool
}

// measure runs each test of a package alone.
func measure(dir string, flags []string) (*coverage, error) {
	temporary, err := os.MkdirTemp("", "coverage")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(temporary) }()
	binary, profile := filepath.Join(temporary, "test"), filepath.Join(temporary, "profile")
	build := exec.Command("go", "test", "-c", "-vet=off", "-cover", "-o", binary, "./"+filepath.Clean(dir))
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	list := exec.Command(binary, "-test.list", "^(Test|Fuzz)")
	list.Dir = dir
	names, err := list.Output()
	if err != nil {
		return nil, err
	}
	c := &coverage{blocks: map[block]bool{}}
	for _, name := range strings.Fields(string(names)) {
		run := exec.Command(binary, append(slices.Clone(flags), "-test.run", "^"+name+"$", "-test.coverprofile", profile)...)
		run.Dir = dir
		if out, err := run.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s alone: %w\n%s", name, err, out)
		}
		t := &test{name: name, takes: run.ProcessState.UserTime() + run.ProcessState.SystemTime(), reaches: map[block]bool{}}
		if err := c.read(profile, t); err != nil {
			return nil, err
		}
		c.tests = append(c.tests, t)
	}
	sort.SliceStable(c.tests, func(i, j int) bool { return c.tests[i].takes < c.tests[j].takes })
	return c, nil
}

// read reads a profile: lines of package/file.go:line.column,line.column statements count.
func (c *coverage) read(profile string, t *test) error {
	text, err := os.ReadFile(profile)
	if err != nil {
		return err
	}
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		name, rest, ok := strings.Cut(s.Text(), ".go:")
		if !ok {
			continue // the mode
		}
		b := block{file: path.Base(name) + ".go"}
		var statements, count int
		if _, err := fmt.Sscanf(rest, "%d.%d,%d.%d %d %d", &b.from.line, &b.from.column, &b.to.line, &b.to.column, &statements,
			&count); err != nil {
			return fmt.Errorf("%s: %q: %w", profile, s.Text(), err)
		}
		c.blocks[b] = true
		if count > 0 {
			t.reaches[b] = true
		}
	}
	return nil
}

// reaching are the tests that reach a place, the quickest first. A place in no block, as in the value that a variable of
// the package begins with, is reached by all.
func (c *coverage) reaching(file string, p place) []*test {
	var around []block
	for b := range c.blocks {
		if b.holds(file, p) {
			around = append(around, b)
		}
	}
	if len(around) == 0 {
		return c.tests
	}
	var list []*test
	for _, t := range c.tests {
		for _, b := range around {
			if t.reaches[b] {
				list = append(list, t)
				break
			}
		}
	}
	return list
}
