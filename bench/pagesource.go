package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// pageSource is what was found in the folders and files that a page is about.
type pageSource struct {
	runs      []resultFile // single ones
	curves    []pageCurve
	papers    []*paperRun
	transfers *TransferLatency
	crypto    *SignatureTimes

	stderr io.Writer
	broken int // files that were left out
}

// pageCurve is a curve, and where it is.
type pageCurve struct {
	where string // folder or file
	Curve
}

// all are the results of single runs and curves.
func (s *pageSource) all() (results []*Result) {
	results = resultsOf(s.runs)
	for _, c := range s.curves {
		for _, p := range c.Points {
			if p.Result != nil {
				results = append(results, p.Result)
			}
		}
	}
	return results
}

// readSource reads folders and files, each of which must have something to show. Broken files in a folder, as a run that was cut
// off or a full disk leaves them, are left out with a line on stderr.
func readSource(stderr io.Writer, paths ...string) (*pageSource, error) {
	s := &pageSource{stderr: stderr}
	for _, path := range paths {
		found := 0
		s.broken = 0
		err := filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			name, err := filepath.Rel(path, file)
			if err != nil {
				return err
			}
			if name == "." {
				name = filepath.Base(path)
			}
			taken, err := s.take(name, file, d)
			if taken {
				found++
			}
			if found > maxResults {
				return fmt.Errorf("more than %d results are in %s", maxResults, path)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("bench: %w", err)
		}
		if found == 0 && s.broken > 0 {
			return nil, fmt.Errorf("%w are in %s; broken files: %d", ErrNoResults, path, s.broken)
		}
		if found == 0 {
			return nil, fmt.Errorf("%w are in %s: expected JSON files that 'bench --json' wrote", ErrNoResults, path)
		}
	}
	slices.SortStableFunc(s.runs, func(a, b resultFile) int { return naturally(a.path, b.path) })
	return s, s.gatherCurves()
}

// take reads one file, or a folder that is a whole; name is what the page calls it. What it does not know is passed over.
func (s *pageSource) take(name, file string, d fs.DirEntry) (taken bool, err error) {
	if d.IsDir() {
		p, err := readPaperRun(file)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		if err == nil {
			s.papers, err = append(s.papers, p), fs.SkipDir
		}
		return true, err
	}
	switch filepath.Ext(file) {
	case ".txt":
		if c, err := ReadSignatureTimes(file); err == nil {
			s.crypto, taken = c, true
		}
	case ".json":
		return s.takeJSON(name, file)
	}
	return taken, nil
}

func (s *pageSource) takeJSON(name, file string) (taken bool, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(text, new(json.RawMessage)); err != nil {
		s.broken++
		fmt.Fprintf(s.stderr, "Left out: %s is broken: %s\n", file, err)
		return false, nil
	}
	if isResult(text) {
		r, err := ReadResult(file)
		s.runs = append(s.runs, resultFile{name, r})
		return err == nil, err
	}
	if c := readCurveFile(text); c != nil {
		s.curves = append(s.curves, pageCurve{name, *c})
		return true, nil
	}
	if l, err := ReadTransferLatency(file); err == nil {
		s.transfers = l
		return true, nil
	}
	return false, nil
}

// readCurveFile is the curve in a file that a sweep or a search wrote; nil when it is none.
func readCurveFile(text []byte) *Curve {
	var f curveFile
	if json.Unmarshal(text, &f) != nil || f.Schema < schemaVersion || f.Curve == "" {
		return nil
	}
	c := &Curve{Name: f.Curve}
	for _, p := range f.Points {
		c.Points = append(c.Points, Point{p.Value, p.Result, p.LeftOut})
	}
	c.sort()
	return c
}

func (c *Curve) sort() {
	slices.SortStableFunc(c.Points, func(a, b Point) int { return a.Value - b.Value })
}

var pointName = regexp.MustCompile(`^(.+)-([0-9]+)\.json$`)

// gatherCurves makes curves of the single runs that are the points of one, by their names: two or more beside each other.
func (s *pageSource) gatherCurves() error {
	type key struct{ dir, kind string }
	points := make(map[key][]int) // places in runs
	for i, f := range s.runs {
		if m := pointName.FindStringSubmatch(filepath.Base(f.path)); m != nil {
			if _, err := findCurve(m[1]); err == nil {
				k := key{filepath.Dir(f.path), m[1]}
				points[k] = append(points[k], i)
			}
		}
	}
	gathered := make(map[int]bool)
	for _, kind := range CurveNames() {
		for i, f := range s.runs { // in the order of the runs
			k := key{filepath.Dir(f.path), kind}
			if of := points[k]; len(of) < 2 || of[0] != i {
				continue
			}
			c := pageCurve{k.dir, Curve{Name: kind}}
			for _, at := range points[k] {
				gathered[at] = true
				value, err := strconv.Atoi(pointName.FindStringSubmatch(filepath.Base(s.runs[at].path))[2])
				if err != nil {
					return fmt.Errorf("bench: %s: %w", s.runs[at].path, err)
				}
				c.Points = append(c.Points, Point{Value: value, Result: s.runs[at].result})
			}
			c.sort()
			s.curves = append(s.curves, c)
		}
	}
	var single []resultFile
	for i, f := range s.runs {
		if !gathered[i] {
			single = append(single, f)
		}
	}
	s.runs = single
	return nil
}
