package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// result is one package's. Changes that no test can see are not among those that Percent is of.
type result struct {
	Package    string   `json:"package"`
	Commit     string   `json:"commit"`
	Date       string   `json:"date"`
	Changes    int      `json:"changes"`
	Noticed    int      `json:"noticed"` // by a test that failed, or
	TimedOut   int      `json:"timed_out"`
	Equivalent []change `json:"equivalent"` // survived, and no test can see them
	Percent    float64  `json:"percent"`    // noticed or timed out, of all that are not equivalent
	Survivors  []change `json:"survivors"`
	Tried      []trying `json:"tried"`
}

// trying is a change, and how it was noticed: "failed", "time", or "" when it survived.
type trying struct {
	Number  int    `json:"number"`
	Noticed string `json:"noticed"`
}

func (r *result) count(c change, noticed string) {
	r.Changes++
	r.Tried = append(r.Tried, trying{c.Number, noticed})
	switch noticed {
	case "":
		r.Survivors = append(r.Survivors, c)
	case "time":
		r.TimedOut++
	default:
		r.Noticed++
	}
}

// key names a change by its file, what it does, and its line's text, so that other lines may move.
func (c *change) key() string {
	file, _, _ := strings.Cut(c.Place, ":")
	return file + " | " + c.What + " | " + c.Source
}

// readEquivalent reads lines of a change's key, each below a comment that says why.
func readEquivalent(name string) (map[string]bool, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	keys := map[string]bool{}
	for s := bufio.NewScanner(f); s.Scan(); {
		if line := strings.TrimSpace(s.Text()); line != "" && !strings.HasPrefix(line, "#") {
			keys[line] = true
		}
	}
	return keys, nil
}

func (r *result) judge(equivalent map[string]bool) {
	var left []change
	for _, c := range r.Survivors {
		if equivalent[c.key()] {
			r.Equivalent = append(r.Equivalent, c)
		} else {
			left = append(left, c)
		}
	}
	r.Survivors = left
	for _, list := range [][]change{r.Survivors, r.Equivalent} {
		sort.Slice(list, func(i, j int) bool { return list[i].Number < list[j].Number })
	}
	if of := r.Changes - len(r.Equivalent); of > 0 {
		r.Percent = 100 * float64(r.Noticed+r.TimedOut) / float64(of)
	}
}

// before is what an earlier run of the same package and commit tried, by the changes' numbers.
func before(name, dir string) map[int]string {
	b, err := os.ReadFile(name)
	var r result
	if err != nil || json.Unmarshal(b, &r) != nil || r.Package != dir || r.Commit != commit() || strings.HasSuffix(r.Commit, "-dirty") {
		return nil
	}
	tried := map[int]string{}
	for _, t := range r.Tried {
		tried[t.Number] = t.Noticed
	}
	return tried
}

func (r *result) print(w io.Writer) {
	fmt.Fprintf(w, "%s at %s: %d changes, %d noticed, %d by time, %d equivalent, %d survived: %.1f %%\n", r.Package, r.Commit,
		r.Changes, r.Noticed, r.TimedOut, len(r.Equivalent), len(r.Survivors), r.Percent)
	for _, c := range r.Survivors {
		fmt.Fprintf(w, "%s: %s: %s\n", c.Place, c.What, c.Source)
	}
}

func (r *result) write(name string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, append(b, '\n'), 0o644)
}
