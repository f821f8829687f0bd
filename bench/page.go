package bench

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"fastpay/bench/chart"
)

//go:embed page.tmpl
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page is what page.tmpl shows: everything is in it, so that the file needs neither network nor scripts.
type page struct {
	Style    template.CSS
	Title    string
	Lead     string
	Tiles    []tile
	Rows     []pageRow
	Figures  []figure
	Budget   *pageBudget
	Machines []pageMachine
	Rate     string // what a rate is
}

// tile is a figure to be seen first.
type tile struct{ Value, Unit, About string }

// pageRow is a run in the table.
type pageRow struct {
	Number                               int
	File, Short                          string
	What, Where, Load                    string
	Rate, PerCore                        string
	P50, P99, P999                       string
	NodeCPU, GeneratorCPU, Memory, Batch string
	Failures, Conserved, Verdict         string
	Valid                                bool
	Notes                                []string
	Command, At                          string
	result                               *Result
}

// pageMachine is an environment, and the runs that were measured there.
type pageMachine struct {
	Runs  string
	Facts [][2]string
}

// pageBudget is where the CPU time of a payment goes, of the first run that tells.
type pageBudget struct {
	Run, Samples int
	Sum, Clock   string
	Stages       []pageStage
}

type pageStage struct {
	Name, Us, Bytes string
	Percent         float64 // of the largest stage
}

// WritePage writes one HTML file about the results in folders and files; it appears whole or not at all.
func WritePage(file string, paths ...string) error {
	var results []resultFile
	for _, path := range paths {
		found, err := readPath(path)
		if err != nil {
			return err
		}
		results = append(results, found...)
	}
	text, err := renderPage(results)
	if err != nil {
		return err
	}
	return replaceFile(file, text)
}

func readPath(path string) ([]resultFile, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	if !info.IsDir() {
		r, err := ReadResult(path)
		return []resultFile{{filepath.Base(path), r}}, err
	}
	files, err := readFolder(path)
	slices.SortStableFunc(files, func(a, b resultFile) int { return naturally(a.path, b.path) })
	return files, err
}

// naturally orders names as people do: numbers within them by value.
func naturally(a, b string) int {
	number := func(s string) int { return len(s) - len(strings.TrimLeft(s, "0123456789")) }
	for a != "" && b != "" {
		na, nb := number(a), number(b)
		if na > 0 && nb > 0 {
			x, y := strings.TrimLeft(a[:na], "0"), strings.TrimLeft(b[:nb], "0")
			if order := cmp.Or(len(x)-len(y), cmp.Compare(x, y)); order != 0 {
				return order
			}
			a, b = a[na:], b[nb:]
			continue
		}
		if a[0] != b[0] {
			return int(a[0]) - int(b[0])
		}
		a, b = a[1:], b[1:]
	}
	return len(a) - len(b)
}

func renderPage(results []resultFile) ([]byte, error) {
	p := &page{Style: pageStyle(), Title: "FastPay benchmark", Rate: strings.ReplaceAll(whatRate, "**", "")}
	for i, f := range results {
		p.Rows = append(p.Rows, newPageRow(i+1, f))
	}
	p.Lead = lead(results)
	p.Tiles = tiles(p.Rows)
	p.Machines = machines(results)
	p.Budget = budgetOf(p.Rows)
	var err error
	if p.Figures, err = figures(p.Rows); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("bench: page: %w", err)
	}
	return b.Bytes(), nil
}

// pageStyle sets the charts' colors, for light and dark.
func pageStyle() template.CSS {
	var light, dark strings.Builder
	for i, name := range chart.Variables() {
		fmt.Fprintf(&light, "%s:%s;", name, chart.LightColors[i])
		fmt.Fprintf(&dark, "%s:%s;", name, chart.DarkColors[i])
	}
	return template.CSS(fmt.Sprintf(":root{%s}@media screen and (prefers-color-scheme:dark){:root{%s}}", light.String(), dark.String()))
}

func newPageRow(number int, f resultFile) pageRow {
	r := f.result
	l := r.latency()
	row := pageRow{
		Number: number, File: f.path, Short: strings.TrimSuffix(filepath.ToSlash(f.path), ".json"), What: r.unit().many,
		Where: fmt.Sprintf("%s, %d %s, %s", r.authorities(), r.NumShards, plural(r.NumShards, "shard"),
			strings.ToUpper(r.Protocol)),
		Load: fmt.Sprintf("%s in flight, %s accounts, %.1f s", grouped(r.MaxInFlight), grouped(r.NumAccounts), r.Seconds),
		Rate: rateOrDash(r, r.RatePerSec), PerCore: rateOrDash(r, r.RatePerCore), P50: inMs(l.P50), P99: inMs(l.P99), P999: inMs(l.P999),
		NodeCPU: fmt.Sprintf("%.2f", r.CPUUsPerPayment.Node), GeneratorCPU: fmt.Sprintf("%.2f", r.CPUUsPerPayment.Generator),
		Memory: fmt.Sprintf("%.0f", float64(r.PeakRSSBytes)/(1<<20)), Batch: fmt.Sprintf("%.0f", r.MeanBatch),
		Failures: fmt.Sprintf("%d / %d / %d", r.Rejected, r.Lost, r.Retransmitted), Conserved: "no", Verdict: "valid", Valid: r.Valid,
		Notes: slices.Concat(r.Rejections, r.Notes), Command: strings.Join(r.Command, " "), At: r.Environment.RecordedAt, result: r,
	}
	if load := r.Load; load != nil && load.AskedPerSec > 0 {
		row.Load = fmt.Sprintf("open loop, %s/s asked for (%s), %.1f s", grouped(int(load.AskedPerSec)), load.Loop, r.Seconds)
	}
	if c := r.Committee; c != nil && len(c.Faults) > 0 {
		row.Where += ", faults: " + strings.Join(c.Faults, ", ")
	}
	if r.Conserved {
		row.Conserved = "yes"
	}
	if !r.Valid {
		row.Verdict = strings.Join(r.Flags, ", ")
	}
	return row
}

// lead says what was measured, when, and on what.
func lead(results []resultFile) string {
	var all []*Result
	for _, f := range results {
		all = append(all, f.result)
	}
	parts := []string{fmt.Sprintf("%d %s", len(all), plural(len(all), "run"))}
	days := distinct(all, func(r *Result) string { return fmt.Sprintf("%.10s", r.Environment.RecordedAt) })
	if days[0] != "" {
		parts = append(parts, "measured "+days[0])
		if last := days[len(days)-1]; last != days[0] {
			parts = append(parts, "to "+last)
		}
	}
	cpus := distinct(all, func(r *Result) string { return fmt.Sprintf("%s, %d cores", r.Environment.CPU, r.Environment.Cores) })
	commits := distinct(all, (*Result).build)
	return strings.Join(parts, " ") + "; " + strings.Join(cpus, "; ") + "; commit " + strings.Join(commits, ", ")
}

// tiles are about the best valid run of whole payments, or of the best one at all.
func tiles(rows []pageRow) []tile {
	best := slices.MaxFunc(rows, func(a, b pageRow) int {
		rank := func(r pageRow) int {
			n := 0
			if r.result.Valid {
				n += 2
			}
			if r.result.Phase == Payments.String() {
				n++
			}
			return n
		}
		return cmp.Or(rank(a)-rank(b), cmp.Compare(a.result.RatePerSec, b.result.RatePerSec))
	})
	r := best.result
	if r.counted() == 0 {
		return []tile{{"nothing", "", "was measured by any run"}}
	}
	about := fmt.Sprintf("run %d: %s, %s", best.Number, best.Where, best.Load)
	if !r.Valid {
		about += "; NOT VALID: " + best.Verdict
	}
	return []tile{
		{best.Rate, r.unit().many + " a second", about},
		{best.PerCore, "a second and core", fmt.Sprintf("all %d cores count, those of the load generator too", r.Environment.Cores)},
		{best.P50 + " / " + best.P99, "ms, p50 / p99", r.latencyOf()},
		{best.NodeCPU, "µs of CPU each", "of the authority's process"},
	}
}

// latencyOf says from when to when a latency is.
func (r *Result) latencyOf() string {
	if r.Load != nil && r.Load.AskedPerSec > 0 {
		return "from when it was due to the verified reply"
	}
	return "from sending to the verified reply, with " + grouped(r.MaxInFlight) + " in flight"
}

func machines(results []resultFile) (list []pageMachine) {
	byFacts := make(map[string]int)
	var runs [][]string
	for i, f := range results {
		e := &f.result.Environment
		facts := [][2]string{
			{"CPU", fmt.Sprintf("%s, %d cores, %d threads a core", e.CPU, e.Cores, e.ThreadsPerCore)},
			{"Instruction sets", strings.Join(e.Features, " ")}, {"Signatures", "backend " + e.CryptoBackend},
			{"Kernel, memory", fmt.Sprintf("%s, %.1f GiB", e.Kernel, float64(e.MemoryBytes)/(1<<30))},
			{"Go", fmt.Sprintf("%s, GOMAXPROCS %d, GOGC %s", e.Go, e.GOMAXPROCS, e.GOGC)}, {"Commit", f.result.build()},
			{"Durability", f.result.Durability},
		}
		key := fmt.Sprint(facts)
		at, known := byFacts[key]
		if !known {
			at = len(list)
			byFacts[key] = at
			list, runs = append(list, pageMachine{Facts: facts}), append(runs, nil)
		}
		runs[at] = append(runs[at], fmt.Sprint(i+1))
	}
	for i := range list {
		list[i].Runs = strings.Join(runs[i], ", ")
	}
	return list
}

func budgetOf(rows []pageRow) *pageBudget {
	for _, row := range rows {
		b := row.result.Budget
		if b == nil || b.SumUs == 0 {
			continue
		}
		shown := &pageBudget{Run: row.Number, Samples: int(b.Samples), Sum: fmt.Sprintf("%.2f", b.SumUs),
			Clock: fmt.Sprintf("%.2f", b.MeasuredUs)}
		largest := slices.MaxFunc(b.Stages, func(a, b Stage) int { return cmp.Compare(a.Us, b.Us) }).Us
		for _, s := range b.Stages {
			stage := pageStage{Name: s.Name, Us: fmt.Sprintf("%.2f", s.Us), Percent: 100 * ratio(s.Us, largest)}
			if s.Bytes > 0 {
				stage.Bytes = fmt.Sprintf("%.0f", s.Bytes)
			}
			shown.Stages = append(shown.Stages, stage)
		}
		return shown
	}
	return nil
}
