package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Side is the results of one of two things that are compared: of a file, or of a folder of repeated runs.
type Side struct {
	Name    string
	Results []*Result // at least one
}

// maxResults bounds what is read of a folder.
const maxResults = 10_000

// ErrNoResults is the error for a folder in which no file is a result.
var ErrNoResults = errors.New("bench: no results")

// ReadSide reads a file with a result, or all results in a folder and the folders below it; which files there are broken is
// told on stderr.
func ReadSide(path string, stderr io.Writer) (*Side, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	if !info.IsDir() {
		r, err := ReadResult(path)
		if err != nil {
			return nil, err
		}
		return &Side{path, []*Result{r}}, nil
	}
	files, err := readSound(path, stderr)
	if err != nil {
		return nil, err
	}
	s := &Side{Name: path}
	for _, f := range files {
		s.Results = append(s.Results, f.result)
	}
	return s, nil
}

// resultFile is a result and where it is, below the folder that was read.
type resultFile struct {
	path   string
	result *Result
}

// readFolder reads all results in dir and below, by path. Other JSON files, as folders of results have them, are left out; one
// that is broken is an error.
func readFolder(dir string) ([]resultFile, error) {
	return readFolderBut(dir, func(err error) error { return err })
}

// readSound is readFolder, and leaves out broken files, with a line on stderr.
func readSound(dir string, stderr io.Writer) ([]resultFile, error) {
	broken := 0
	files, err := readFolderBut(dir, func(err error) error {
		broken++
		_, err = fmt.Fprintf(stderr, "Left out: %s\n", err)
		return err
	})
	if errors.Is(err, ErrNoResults) && broken > 0 {
		return nil, fmt.Errorf("%w are in %s; broken files: %d", ErrNoResults, dir, broken)
	}
	return files, err
}

// readFolderBut reads all results in dir and below; broken decides about a file that is no JSON.
func readFolderBut(dir string, broken func(error) error) (files []resultFile, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, new(json.RawMessage)); err != nil {
			return broken(fmt.Errorf("%s is broken: %w", path, err))
		}
		if !isResult(text) {
			return nil
		}
		r, err := ReadResult(path)
		if err != nil {
			return err
		}
		if len(files) == maxResults {
			return fmt.Errorf("bench: more than %d results are in %s", maxResults, dir)
		}
		name, err := filepath.Rel(dir, path)
		files = append(files, resultFile{name, r})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%w are in %s: expected JSON files that 'bench --json' wrote", ErrNoResults, dir)
	}
	return files, nil
}

// isResult tells a result from other JSON by two fields that every version has.
func isResult(text []byte) bool {
	var fields struct {
		Schema     *int `json:"schema"`
		PaymentsOK *int `json:"payments_ok"`
	}
	return json.Unmarshal(bytes.TrimSpace(text), &fields) == nil && fields.Schema != nil && fields.PaymentsOK != nil
}

// byBenchmark groups results of one configuration, in order of their first run.
func (s *Side) byBenchmark() (names []string, groups map[string][]*Result) {
	groups = make(map[string][]*Result)
	for _, r := range s.Results {
		name := r.benchmarkName()
		if groups[name] == nil {
			names = append(names, name)
		}
		groups[name] = append(groups[name], r)
	}
	return names, groups
}

// differs lists what else than the thing compared may explain a difference: what the environments of two sides don't share.
func differs(a, b []*Result) (notes []string) {
	for _, what := range [...]struct {
		name string
		of   func(*Result) string
	}{
		{"CPU", func(r *Result) string { return r.Environment.CPU }},
		{"cores", func(r *Result) string { return fmt.Sprint(r.Environment.Cores) }},
		{"signature backend", func(r *Result) string { return r.Environment.CryptoBackend }},
		{"kernel", func(r *Result) string { return r.Environment.Kernel }},
		{"Go", func(r *Result) string { return r.Environment.Go }},
		{"GOGC", func(r *Result) string { return r.Environment.GOGC }},
		{"durability", func(r *Result) string { return r.Durability }},
		{"accounts", func(r *Result) string { return grouped(r.NumAccounts) }},
		{"workers", func(r *Result) string { return fmt.Sprint(r.Workers) }},
		{"commit", (*Result).build},
	} {
		inA, inB := distinct(a, what.of), distinct(b, what.of)
		if !slices.Equal(inA, inB) {
			notes = append(notes, fmt.Sprintf("%s: %s against %s", what.name, strings.Join(inA, ", "), strings.Join(inB, ", ")))
		}
	}
	return notes
}

func distinct(results []*Result, of func(*Result) string) (values []string) {
	for _, r := range results {
		values = append(values, of(r))
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// build is the commit, short, with a mark when the tree had changes.
func (r *Result) build() string { return buildOf(r.Environment.Commit, r.Environment.Dirty) }

func buildOf(commit string, dirty bool) string {
	if commit == "" {
		commit = "unknown"
	}
	if dirty {
		return fmt.Sprintf("%.12s+", commit)
	}
	return fmt.Sprintf("%.12s", commit)
}
