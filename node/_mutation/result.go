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
	Changes    int      `json:"changes"` // that there are
	Tried      []trying `json:"tried"`
	Noticed    int      `json:"noticed"` // by a test that failed, or
	TimedOut   int      `json:"timed_out"`
	Equivalent []change `json:"equivalent"` // survived, and no test can see them
	Survivors  []change `json:"survivors"`
	Percent    float64  `json:"percent"` // noticed or timed out, of all tried that are not equivalent
}

// trying is a change, and how it was noticed: "failed", "time", or "" when it survived.
type trying struct {
	Number  int    `json:"number"`
	Key     string `json:"key"`
	Noticed string `json:"noticed"`
}

func (r *result) count(c change, noticed string) {
	r.Tried = append(r.Tried, trying{c.Number, c.key(), noticed})
	switch noticed {
	case "":
		r.Survivors = append(r.Survivors, c)
	case "time":
		r.TimedOut++
	default:
		r.Noticed++
	}
}

// key names a change by its file, function, line's text and what it does, and by a number if others are
// alike, so that lines may move.
func (c *change) key() string {
	file, _, _ := strings.Cut(c.Place, ":")
	return strings.Join([]string{file, c.Func, c.Text, c.What}, " | ")
}

// readEquivalent reads keys of changes of a package: lines below one that says [package], each below a comment that says
// why no test can see them.
func readEquivalent(name, dir string) (map[string]bool, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	keys, ours := map[string]bool{}, false
	s := bufio.NewScanner(f)
	for s.Scan() {
		switch line := strings.TrimSpace(s.Text()); {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "["):
			ours = line == "["+filepath.ToSlash(filepath.Clean(dir))+"]"
		case ours:
			keys[line] = true
		}
	}
	return keys, s.Err()
}

// judge ends a run: survivors that are equivalent are apart.
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
	if of := len(r.Tried) - len(r.Equivalent); of > 0 {
		r.Percent = 100 * float64(r.Noticed+r.TimedOut) / float64(of)
	}
}

// last reads the result of the last run of a package; without one it is empty.
func last(name string) (r result) {
	b, err := os.ReadFile(name)
	if err != nil || json.Unmarshal(b, &r) != nil {
		return result{}
	}
	return r
}

// continues takes over what an earlier run noticed, and of the same commit also what survived.
func (r *result) continues(earlier *result, p *pkg) (done map[string]bool) {
	done, how := map[string]bool{}, map[string]string{}
	same := earlier.Commit == r.Commit && !strings.HasSuffix(r.Commit, "-dirty")
	for _, t := range earlier.Tried {
		how[t.Key] = t.Noticed
	}
	for _, f := range p.files {
		for _, s := range f.sites {
			for _, c := range s.changes {
				if noticed, ok := how[c.key()]; ok && (noticed != "" || same) {
					done[c.key()] = true
					r.count(c, noticed)
				}
			}
		}
	}
	return done
}

func (r *result) print(w io.Writer) {
	fmt.Fprintf(w, "%s at %s: %d of %d changes tried, %d noticed, %d by time, %d equivalent, %d survived: %.1f %%\n", r.Package,
		r.Commit, len(r.Tried), r.Changes, r.Noticed, r.TimedOut, len(r.Equivalent), len(r.Survivors), r.Percent)
	for _, c := range r.Survivors {
		fmt.Fprintf(w, "%s: %s\n", c.Place, c.key())
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
