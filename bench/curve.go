package bench

import (
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"fastpay/perf"
)

// curveKind is what a curve can vary.
type curveKind struct {
	name string // on the command line, and of its files
	flag string // of bench
	axis string // in reports
	set  func(*Options, int)
	get  func(*Result) int
}

var curveKinds = []curveKind{
	{"in-flight", "max-in-flight", "Payments in flight", func(o *Options, v int) { o.MaxInFlight = v },
		func(r *Result) int { return r.MaxInFlight }},
	{"accounts", "num-accounts", "Accounts", func(o *Options, v int) { o.NumAccounts = v },
		func(r *Result) int { return r.NumAccounts }},
	{"committee", "committee-size", "Authorities", func(o *Options, v int) { o.CommitteeSize = v },
		func(r *Result) int { return r.CommitteeSize }},
	{"connections", "connections", "Connections a shard", func(o *Options, v int) { o.Connections = v },
		func(r *Result) int { return r.Connections }},
	{rateCurve, "rate", "Payments due a second", func(o *Options, v int) { o.Rate = float64(v) }, askedRate},
	{"shards", "num-shards", "Shards", func(o *Options, v int) { o.NumShards = v },
		func(r *Result) int { return r.NumShards }},
}

func askedRate(r *Result) int {
	if r.Load == nil {
		return 0
	}
	return int(r.Load.AskedPerSec)
}

// CurveNames lists what a curve can vary.
func CurveNames() (names []string) {
	for _, k := range curveKinds {
		names = append(names, k.name)
	}
	return names
}

// CurveFlag is the flag of bench that a curve sets; ok is false for a name that is not one of CurveNames.
func CurveFlag(name string) (flag string, ok bool) {
	k, err := findCurve(name)
	return k.flag, err == nil
}

func findCurve(name string) (curveKind, error) {
	for _, k := range curveKinds {
		if k.name == name {
			return k, nil
		}
	}
	return curveKind{}, fmt.Errorf("bench: a curve varies one of %s, not %q", strings.Join(CurveNames(), ", "), name)
}

// Curve is the results of runs that differ in one option.
type Curve struct {
	Name   string // of CurveNames
	Points []Point
}

// Point is one run of a curve, or why there is none. As a file it is the run's result, or LeftOut alone.
type Point struct {
	Value   int
	Result  *Result // nil when left out
	LeftOut string
}

// CurveOptions are o with each of the values, checked, with the command that repeats each run alone.
func CurveOptions(o Options, name string, values []int) ([]Options, error) {
	kind, err := findCurve(name)
	if err != nil {
		return nil, err
	}
	if len(values) == 0 {
		return nil, errors.New("bench: a curve needs values")
	}
	all := make([]Options, len(values))
	for i, v := range values {
		if slices.Contains(values[:i], v) {
			return nil, fmt.Errorf("bench: value %d stands twice", v)
		}
		if v < 1 {
			return nil, fmt.Errorf("bench: value %d: expected 1 or more", v)
		}
		all[i] = o
		kind.set(&all[i], v)
		all[i].Command = append(slices.Clone(o.Command), fmt.Sprintf("--%s=%d", kind.flag, v))
		if err := all[i].Check(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// RunCurve runs o with each of the values, one after the other, and writes a JSON file for each and a CSV file of all into
// dir, where it replaces those of an earlier curve of this name. A run that fails, or that this machine has too little
// memory for, leaves a gap that says so; the error is that of the first run whose verdict is bad.
func RunCurve(ctx context.Context, o Options, name string, values []int, dir string, stderr io.Writer) (*Curve, error) {
	all, err := CurveOptions(o, name, values)
	if err != nil {
		return nil, err
	}
	table := filepath.Join(dir, name+".csv")
	if err := errors.Join(CheckOutput(table), removeCurve(dir, name)); err != nil {
		return nil, err
	}
	c := &Curve{Name: name}
	runs := runner{least: mostDue(all)}
	var bad error
	for i, o := range all {
		fmt.Fprintf(stderr, "\n== %s: %s (%d of %d)\n", name, grouped(values[i]), i+1, len(all))
		p := Point{Value: values[i], LeftOut: o.tooLarge(perf.MemoryBytes())}
		if p.LeftOut == "" {
			p.Result, err = runs.run(ctx, o, stderr)
			if err == nil {
				err = p.Result.Err(false)
			} else {
				p.LeftOut = err.Error()
			}
			if bad == nil {
				bad = err
			}
		}
		c.Points = append(c.Points, p)
		fmt.Fprintln(stderr, p)
		if err := p.write(dir, name); err != nil {
			return c, err
		}
		if ctx.Err() != nil {
			bad = ctx.Err()
			break
		}
	}
	return c, errors.Join(bad, c.writeCSV(table))
}

// mostDue is how many payments the greatest of the rates of an open loop needs, so that they are prepared once.
func mostDue(all []Options) (most int) {
	for i := range all {
		if all[i].open() && all[i].Payments == 0 {
			most = max(most, all[i].expected(all[i].plan().loadSeconds()))
		}
	}
	return most
}

// bytesAnAccount is the memory that an account takes in the authority and in the generator; measured with ten million, with
// room to spare.
const bytesAnAccount = 500

// tooLarge says why a run with so many accounts is not tried on a machine with so much memory, "" when it is.
func (o *Options) tooLarge(memory uint64) string {
	need := uint64(o.NumAccounts) * bytesAnAccount
	if need < memory/4*3 {
		return ""
	}
	return fmt.Sprintf("left out: %s accounts take about %d GiB, of %d", grouped(o.NumAccounts), need>>30, memory>>30)
}

func (p Point) String() string {
	if p.Result == nil {
		return p.LeftOut
	}
	return fmt.Sprintf("%s %s%s", grouped(int(p.Result.RatePerSec)), p.Result.unit().perSecond, p.Result.verdict())
}

func pointFile(dir, name string, value int) string {
	return filepath.Join(dir, fmt.Sprintf("%s-%d.json", name, value))
}

func removeCurve(dir, name string) error {
	old, err := filepath.Glob(filepath.Join(dir, name+"-*.json"))
	for _, file := range old {
		err = errors.Join(err, os.Remove(file))
	}
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return nil
}

// leftOut is the file of a point without a result.
type leftOut struct {
	LeftOut string `json:"left_out"`
	Value   int    `json:"value,omitempty"` // that of the file's name
}

func (p Point) write(dir, name string) error {
	file := pointFile(dir, name, p.Value)
	if p.Result != nil {
		return p.Result.WriteFile(file)
	}
	b, err := json.Marshal(leftOut{p.LeftOut, p.Value})
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return replaceFile(file, append(b, '\n'))
}

// ReadCurves reads the curves that RunCurve left in dir, in the order of CurveNames, each by value.
func ReadCurves(dir string) ([]Curve, error) {
	var curves []Curve
	for _, kind := range curveKinds {
		files, err := filepath.Glob(filepath.Join(dir, kind.name+"-*.json"))
		if err != nil {
			return nil, fmt.Errorf("bench: %w", err)
		}
		c := Curve{Name: kind.name}
		for _, file := range files {
			p, err := readPoint(file, kind.name)
			if err != nil {
				return nil, err
			}
			c.Points = append(c.Points, p)
		}
		slices.SortFunc(c.Points, func(a, b Point) int { return a.Value - b.Value })
		if len(c.Points) > 0 {
			curves = append(curves, c)
		}
	}
	if len(curves) == 0 {
		return nil, fmt.Errorf("bench: no curve is in %s", dir)
	}
	return curves, nil
}

func readPoint(file, name string) (p Point, err error) {
	value := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), name+"-"), ".json")
	if p.Value, err = strconv.Atoi(value); err != nil {
		return p, fmt.Errorf("bench: %s is not named as a point of a curve", file)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return p, fmt.Errorf("bench: %w", err)
	}
	var gap leftOut
	if json.Unmarshal(b, &gap) == nil && gap.LeftOut != "" {
		p.LeftOut, p.Value = gap.LeftOut, cmp.Or(gap.Value, p.Value)
		return p, nil
	}
	p.Result, err = ReadResult(file)
	return p, err
}

// curveHeader names the columns of a curve's CSV file.
var curveHeader = []string{"value", "phase", "rate_per_second", "rate_per_second_per_core", "latency_p50_us", "latency_p99_us",
	"node_cpu_us", "generator_cpu_us", "mean_batch", "peak_rss_bytes", "start_seconds", "seconds", "rejected", "lost",
	"conserved", "flags", "left_out"}

func (c *Curve) writeCSV(file string) error {
	var b strings.Builder
	w := csv.NewWriter(&b)
	rows := [][]string{curveHeader}
	for _, p := range c.Points {
		rows = append(rows, p.row())
	}
	if err := w.WriteAll(rows); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return replaceFile(file, []byte(b.String()))
}

func (p Point) row() []string {
	row := make([]string, len(curveHeader))
	row[0], row[len(row)-1] = strconv.Itoa(p.Value), p.LeftOut
	r := p.Result
	if r == nil {
		return row
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }
	micro := func(us *int64) string {
		if us == nil {
			return ""
		}
		return strconv.FormatInt(*us, 10)
	}
	l := r.latency()
	copy(row[1:], []string{r.Phase, number(r.RatePerSec), number(r.RatePerCore), micro(l.P50), micro(l.P99),
		number(r.CPUUsPerPayment.Node), number(r.CPUUsPerPayment.Generator), number(r.MeanBatch),
		strconv.FormatInt(r.PeakRSSBytes, 10), number(r.StartSeconds), number(r.Seconds), strconv.Itoa(r.Rejected),
		strconv.Itoa(r.Lost), strconv.FormatBool(r.Conserved), strings.Join(r.Flags, " ")})
	return row
}
