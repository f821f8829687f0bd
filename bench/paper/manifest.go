package paper

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"fastpay/perf"
)

// ManifestFile is the name of the manifest in a run's folder.
const ManifestFile = "run.json"

const (
	manifestSchema = 1
	manifestKind   = "paper"

	unknownCommit = "unknown" // of an environment
)

// Manifest describes a run's folder: what was asked for, and every point of it. Fields are added at the end of their
// object; none is changed or removed. Paths are relative to the folder.
type Manifest struct {
	Schema      int              `json:"schema"`
	Kind        string           `json:"kind"` // manifestKind
	Command     []string         `json:"command"`
	Scale       string           `json:"scale"`
	Commit      string           `json:"commit"` // "" when the build does not tell
	Dirty       bool             `json:"dirty"`
	Build       string           `json:"build"` // hash of the program
	Seed        uint64           `json:"seed"`
	Started     string           `json:"started"` // RFC 3339, UTC
	Ended       string           `json:"ended"`   // "" while it runs, and when it was interrupted
	Seconds     float64          `json:"seconds"` // of measuring, over all points
	State       State            `json:"state"`
	Environment perf.Environment `json:"environment"`
	Repetitions int              `json:"repetitions"`
	Notes       []string         `json:"notes"` // how the scale differs from the paper's
	Figures     []FigureState    `json:"figures"`
	Points      []Point          `json:"points"`
}

// State of a run or of a point.
type State string

// Of a run: Running, Interrupted, Complete, Incomplete. Of a point: Done, Failed, Missing, NoLiveness.
const (
	Running     State = "running"
	Interrupted State = "interrupted"
	Complete    State = "complete"
	Incomplete  State = "incomplete" // points failed or are missing
	Done        State = "done"
	Failed      State = "failed"
	Missing     State = "missing"     // not run yet
	NoLiveness  State = "no-liveness" // expected: more authorities are down than a committee tolerates
)

// FigureState is what there is of a figure.
type FigureState struct {
	ID         string   `json:"id"`
	Experiment string   `json:"experiment"`
	Title      string   `json:"title"`
	Points     int      `json:"points"` // single runs
	Done       int      `json:"done"`
	Failed     int      `json:"failed"`
	CSV        string   `json:"csv"`
	SVG        string   `json:"svg"`       // "" when the figure is a table without a chart
	PaperSVG   string   `json:"paper_svg"` // the paper's data in the same layout; "" as SVG
	Markdown   string   `json:"markdown"`
	Notes      []string `json:"notes"`
	Commits    []string `json:"commits,omitempty"` // of its finished points, where those are not in the manifest
}

// Place is where a single run belongs. It stands in the run's own file, too.
type Place struct {
	Experiment string `json:"experiment"`
	Phase      string `json:"phase"`  // of runs that measure one; "" where one run has several
	Series     string `json:"series"` // value of what differs between series
	X          int    `json:"x"`
	Repetition int    `json:"repetition"` // from 1 on
}

// File is the run's own file in the folder.
func (p Place) File() string {
	name := fmt.Sprintf("%s-%d-r%d.json", slug(p.Series), p.X, p.Repetition)
	if p.Phase != "" {
		name = p.Phase + "-" + name
	}
	return filepath.Join("raw", p.Experiment, name)
}

// slug is text as a part of a file's name.
func slug(text string) string {
	b := []byte(text)
	n := 0
	for _, c := range b {
		switch {
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		case c == ' ':
			c = '-'
		default:
			continue
		}
		b[n] = c
		n++
	}
	return string(b[:n])
}

// Point is a single run of the plan.
type Point struct {
	Place
	File    string  `json:"file"`
	State   State   `json:"state"`
	Error   string  `json:"error"`
	Commit  string  `json:"commit"` // that made it
	Dirty   bool    `json:"dirty"`
	Build   string  `json:"build"`
	Options string  `json:"options"` // all that its result depends on
	Seconds float64 `json:"seconds"` // that it took, all together
}

// NewManifest describes a run that begins now.
func NewManifest(command []string, scale string, seed uint64, e perf.Environment, build string) *Manifest {
	commit := e.Commit
	if commit == unknownCommit {
		commit = ""
	}
	return &Manifest{
		Schema: manifestSchema, Kind: manifestKind, Command: command, Scale: scale, Commit: commit, Dirty: e.Dirty, Build: build,
		Seed: seed, Started: time.Now().UTC().Format(time.RFC3339), State: Running, Environment: e,
		Notes: []string{}, Figures: []FigureState{}, Points: []Point{},
	}
}

// ReadManifest reads that of a run's folder. A folder without one is an error that wraps fs.ErrNotExist.
func ReadManifest(dir string) (*Manifest, error) {
	name := filepath.Join(dir, ManifestFile)
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("paper: %w", err)
	}
	m := new(Manifest)
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("paper: %s is no manifest of a run: %w", name, err)
	}
	if m.Kind != manifestKind || m.Schema < manifestSchema {
		return nil, fmt.Errorf("paper: %s is no manifest of a run: expected kind %q, schema %d, and it has %q, %d", name, manifestKind,
			manifestSchema, m.Kind, m.Schema)
	}
	return m, nil
}

// Encode is the manifest as it stands in its file.
func (m *Manifest) Encode() ([]byte, error) {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("paper: manifest: %w", err)
	}
	return append(b, '\n'), nil
}

// Figure is the state of a figure; nil when it was never asked for.
func (m *Manifest) Figure(id string) *FigureState {
	for i := range m.Figures {
		if m.Figures[i].ID == id {
			return &m.Figures[i]
		}
	}
	return nil
}

// OneCommit reports whether all finished points were made from one commit without changes.
func (m *Manifest) OneCommit() bool {
	first := ""
	for _, p := range m.Points {
		if p.State != Done && p.State != NoLiveness {
			continue
		}
		if first == "" {
			first = p.Commit
		}
		if p.Commit == "" || p.Dirty || p.Commit != first {
			return false
		}
	}
	return first != ""
}

// Made reports whether p was made by the same program with the same options as a run of now would be: from one commit
// without changes, or by the very same binary.
func (p *Point) Made(m *Manifest, options string) bool {
	sameCommit := p.Commit != "" && p.Commit == m.Commit && !p.Dirty && !m.Dirty
	sameBuild := p.Build != "" && p.Build == m.Build
	return (p.State == Done || p.State == NoLiveness) && p.Options == options && (sameCommit || sameBuild)
}
