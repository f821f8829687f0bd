package paper

import (
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fastpay/perf"
)

func referenceOf(t *testing.T, id string) []Observation {
	t.Helper()
	f, err := FindFigures(id)
	if err != nil {
		t.Fatal(err)
	}
	all, err := Reference(f[0])
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestReferenceIsWhatThePaperPrints: the oracle is the paper's text and the number of points in its plots.
func TestReferenceIsWhatThePaperPrints(t *testing.T) {
	for id, points := range map[string]int{"5": 8 * 4, "6": 8 * 4, "11": 8 * 4, "12": 8 * 4, "7": 2 * 2 * 9, "8": 2 * 10, "9": 2 * 10,
		"table1": 6, "table2": 4} {
		if all := referenceOf(t, id); len(all) != points {
			t.Errorf("figure %s has %d points, expected %d", id, len(all), points)
		}
	}
	var table1, table2, spread []float64
	for _, o := range referenceOf(t, "table1") {
		table1 = append(table1, o.Value)
	}
	for _, o := range referenceOf(t, "table2") {
		table2, spread = append(table2, o.Value), append(spread, o.Std)
	}
	if !slices.Equal(table1, []float64{27, 27, 4, 58, 60, 236}) {
		t.Errorf("Table 1 is %v", table1)
	}
	if !slices.Equal(table2, []float64{43, 41, 44, 47}) || !slices.Equal(spread, []float64{2, 3, 4, 2}) {
		t.Errorf("Table 2 is %v ± %v", table2, spread)
	}
	for where, want := range map[string]float64{UK: 38, USWest: 185} {
		if ms, err := RoundTripMs(where); err != nil || ms != want {
			t.Errorf("round trip to %s is %v, %v, expected %v", where, ms, err, want)
		}
	}
	if _, err := RoundTripMs("Mars"); err == nil {
		t.Error("there is a way to Mars")
	}
}

// TestHeadlineOfThePaper: 80,000 were confirmation orders, of which its logs have 73,000; 160,000 were orders of either phase; a
// payment needs both, which gives 50,000 at 19 authorities.
func TestHeadlineOfThePaper(t *testing.T) {
	rows, err := Headline(nil)
	if err != nil {
		t.Fatal(err)
	}
	near := func(row int, want float64) {
		t.Helper()
		if got := rows[row].Theirs; math.Abs(got-want) > want/100 {
			t.Errorf("row %d, %s at %d authorities: %.0f, expected about %.0f", row, rows[row].Phase, rows[row].Authorities, got, want)
		}
	}
	near(0, 73_000)
	near(1, 150_000)
	near(2, 49_000)
	near(3, 162_800)
	near(4, 155_500)
	near(5, 79_500)
	if s := Settled(149_388, 75_432.7); math.Abs(s-50_123) > 50 {
		t.Errorf("both phases at 19 authorities give %.0f payments/s", s)
	}
	if Settled(0, 5) != 0 {
		t.Error("a payment needs no orders")
	}
	text := HeadlineMarkdown(rows, "a machine")
	if strings.Count(text, "not measured") != len(rows) || !strings.Contains(text, "“over 80,000 tx/s with 20 authorities”") {
		t.Error(text)
	}
}

// TestHeadlineTakesOurBest: of the points with the row's committee alone.
func TestHeadlineTakesOurBest(t *testing.T) {
	ours := []Observation{
		{Figure: "7", Source: Ours, Phase: Confirmations, Measure: Rate, Series: "2", X: 20, Repetition: 1, N: 1, Value: 90, Cores: 2},
		{Figure: "7", Source: Ours, Phase: Confirmations, Measure: Rate, Series: "2", X: 20, Repetition: 2, N: 1, Value: 110, Cores: 2},
		{Figure: "7", Source: Ours, Phase: Confirmations, Measure: Rate, Series: "1", X: 4, Repetition: 1, N: 1, Value: 500, Cores: 2},
		{Figure: "6", Source: Ours, Phase: Confirmations, Measure: Rate, Series: "1000", X: 20, Repetition: 1, N: 1, Value: 700, Cores: 2},
	}
	rows, err := Headline(ours)
	if err != nil {
		t.Fatal(err)
	}
	if s := rows[0].Ours; s.Mean != 100 || s.Std != 10 || s.PerCore() != 50 || s.Series != "2 shards" {
		t.Errorf("at 20 authorities: %+v", s)
	}
	if s := rows[4].Ours; s.Mean != 700 || s.Series != "20 shards, in flight 1,000" {
		t.Errorf("at 4 authorities: %+v", s)
	}
	if rows[3].Ours.N != 0 {
		t.Errorf("orders from nowhere: %+v", rows[3].Ours)
	}
	table, err := HeadlineCSV(rows)
	if err != nil || !strings.Contains(string(table), `"over 80,000 tx/s with 20 authorities",confirmations,20,73033.2,`) {
		t.Errorf("%v\n%s", err, table)
	}
}

// TestObservationsSurviveCSV: what is written is read again, to three digits behind the point.
func TestObservationsSurviveCSV(t *testing.T) {
	name := rapid.StringOf(rapid.RuneFrom([]rune(`aZ9 ,"µ.-`)))
	number := rapid.Map(rapid.IntRange(-1e9, 1e12), func(n int) float64 { return float64(n) / 1000 })
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 5).Draw(t, "observations")
		all := make([]Observation, n)
		for i := range all {
			all[i] = Observation{Figure: "7", Source: Ours, Phase: name.Draw(t, "phase"), Measure: Rate, Series: name.Draw(t, "series"),
				X: rapid.Int().Draw(t, "x"), Repetition: i, N: rapid.IntRange(2, 9).Draw(t, "n"), Value: number.Draw(t, "value"),
				Std: math.Abs(number.Draw(t, "std")), Unit: "µs", Cores: i, Flags: name.Draw(t, "flags"), File: "raw/x.json"}
		}
		text, err := EncodeCSV(all)
		if err != nil {
			t.Fatal(err)
		}
		again, err := DecodeCSV(text)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) > 0 && !reflect.DeepEqual(all, again) {
			t.Fatalf("%+v became %+v", all, again)
		}
	})
	for _, broken := range []string{"", "a,b\n", strings.Join(observationHeader, ",") + "\n7,ours,orders,rate,2,x,1,0,1,5,,,,2,,,\n"} {
		if _, err := DecodeCSV([]byte(broken)); err == nil {
			t.Errorf("%q is no table of observations", broken)
		}
	}
}

// TestSummaryVsTwoPasses: the oracle computes each figure by its definition.
func TestSummaryVsTwoPasses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 1e6), 1, 250).Draw(t, "values")
		var all []Observation
		for i, v := range values {
			all = append(all, Observation{Source: Ours, Value: v, Repetition: i % 3, N: 1})
		}
		s := Summarize(all)
		if len(s) != 1 {
			t.Fatalf("%d summaries of one point", len(s))
		}
		sorted := slices.Clone(values)
		slices.Sort(sorted)
		sum, squares, n := 0.0, 0.0, float64(len(values))
		for _, v := range values {
			sum += v
			squares += v * v
		}
		std := math.Sqrt(math.Max(0, squares/n-sum/n*sum/n))
		if got := s[0]; got.N != len(values) || math.Abs(got.Mean-sum/n) > 1e-3 || math.Abs(got.Std-std) > 1 || got.Min != sorted[0] ||
			got.Max != sorted[len(sorted)-1] || got.Runs != min(3, len(values)) {
			t.Fatalf("%+v, expected mean %v ± %v", got, sum/n, std)
		}
		below := 0
		for _, v := range values {
			if v <= s[0].P99 {
				below++
			}
		}
		if few := len(values) < 100; few != (s[0].P99 == 0 && sorted[0] > 0) && sorted[0] > 0 || !few && float64(below) < 0.99*n {
			t.Fatalf("p99 of %d values is %v, and %d are not above it", len(values), s[0].P99, below)
		}
	})
}

// rate is a run of ours.
func rate(figure, phase, series string, x, repetition int, value float64) Observation {
	return Observation{Figure: figure, Source: Ours, Phase: phase, Measure: Rate, Series: series, X: x, Repetition: repetition, N: 1,
		Value: value, Unit: UnitOf(phase), Cores: 2}
}

func tableOf(t *testing.T, id string, points []Point, ours ...Observation) string {
	t.Helper()
	f, err := FindFigures(id)
	if err != nil {
		t.Fatal(err)
	}
	table := Table{Figure: f[0], Observations: append(ours, referenceOf(t, id)...), Points: points, Notes: []string{"a note"},
		Machine: "a machine"}
	return table.Markdown()
}

func wantLine(t *testing.T, text, line string) {
	t.Helper()
	if !slices.Contains(strings.Split(text, "\n"), line) {
		t.Errorf("the line\n%s\nis not in\n%s", line, text)
	}
}

// TestTablesSetThePaperBeside: the same x where there is one, else its best; series of the same rank where they differ.
func TestTablesSetThePaperBeside(t *testing.T) {
	text := tableOf(t, "7", nil, rate("7", Confirmations, "1", 4, 1, 190_000), rate("7", Confirmations, "2", 4, 1, 300_000),
		rate("7", Confirmations, "2", 4, 2, 320_000), rate("7", Orders, "2", 4, 1, 600_000), rate("7", Confirmations, "2", 100, 1, 20_000))
	wantLine(t, text, "| 1 | 4 | 190,000 | 95,000 | 1 | 135,327 ± 1,334 (45 shards) | 2,819 | 33.7× | – | – |")
	wantLine(t, text, "| 2 | 4 | 310,000 ± 10,000 | 155,000 | 2 | 154,143 ± 2,552 (75 shards) | 3,211 | 48.3× | 600,000 | – |")
	wantLine(t, text, "| 2 | 100 | 20,000 | 10,000 | 1 | – | – | – | – | – |")
	wantLine(t, text, "- a note")

	text = tableOf(t, "5", nil, rate("5", Orders, "1000", 2, 1, 500_000), rate("5", Orders, "1000", 85, 1, 400_000),
		rate("5", Orders, "7", 2, 1, 1_000))
	wantLine(t, text, "| 1,000 | 2 | 500,000 | 250,000 | 1 | 151,243 ± 10,353 (best, with 85 shards) | 3,151 | 79.3× |")
	wantLine(t, text, "| 1,000 | 85 | 400,000 | 200,000 | 1 | 151,243 ± 10,353 | 3,151 | 63.5× |")
	wantLine(t, text, "| 7 | 2 | 1,000 | 500 | 1 | – | – | – |")

	flagged := rate("12", Confirmations, "30", 1, 1, 5)
	flagged.Flags = "unsteady lost"
	wantLine(t, tableOf(t, "12", nil, flagged), "Flags of some runs: lost, unsteady; the CSV file says which.")
}

func TestTablesOfTimes(t *testing.T) {
	latency := func(measure string, x int, values ...float64) (all []Observation) {
		for i, v := range values {
			all = append(all, Observation{Figure: "table2", Source: Ours, Phase: Certificate, Measure: measure, Series: UK, X: x,
				Repetition: 1, Sample: i, N: 1, Value: v, Unit: "ms"})
		}
		return all
	}
	stuck := Point{Place: Place{Experiment: Crash, Series: UK, X: 4, Repetition: 1}, State: NoLiveness, Error: "6 of 10 vote"}
	failed := Point{Place: Place{Experiment: Crash, Series: UK, X: 1}, File: "raw/f.json", State: Failed, Error: "no reason"}
	text := tableOf(t, "table2", []Point{stuck, stuck, failed}, append(latency(Quorum, 3, 40, 42), latency(AllLive, 3, 41, 47)...)...)
	wantLine(t, text, "| U.K. | 3 | 41.0 ± 1.00 | 41.0 / – | 44.0 ± 3.00 | 44.0 / – | 2 | 47.0 ± 2.00 |")
	wantLine(t, text, "| U.K. | 4 | no certificate: 6 of 10 vote | | | | 0 | – |")
	wantLine(t, text, "- failed: raw/f.json: no reason")
	if strings.Count(text, "6 of 10 vote") != 1 {
		t.Error("a point without liveness is told more than once")
	}

	single := Observation{Figure: "table1", Source: Ours, Phase: "check certificate", Measure: Single, N: 1, Value: 23.6, Unit: "µs"}
	many := single
	many.Measure, many.Value = Batched, 2.36
	text = tableOf(t, "table1", nil, single, many)
	wantLine(t, text, "| Deserialize & check certificate | 23.6 | 2.36 | 236 ± 10.0 | 10.0× | 100× |")
	wantLine(t, text, "| Create & serialize certificate | – | – | 4.00 ± 0 | – | – |")
}

// TestFiguresAreDrawn: every figure of the paper's data, with each series named; XML that is whole.
func TestFiguresAreDrawn(t *testing.T) {
	for _, f := range Figures {
		svg, err := Draw(f, referenceOf(t, f.ID), Paper)
		if err != nil {
			t.Fatal(err)
		}
		if (svg == "") != (f.ID == "table1") {
			t.Fatalf("%s: %d bytes", f.Name(), len(svg))
		}
		decoder := xml.NewDecoder(strings.NewReader(svg))
		for err == nil {
			_, err = decoder.Token()
		}
		if err != io.EOF {
			t.Errorf("%s: %v", f.Name(), err)
		}
		for _, o := range referenceOf(t, f.ID) {
			if name := ">" + f.seriesName(o.Series, o.Measure) + "<"; svg != "" && o.Phase == f.Phase && !strings.Contains(svg, name) {
				t.Errorf("%s: the series %s has no name", f.Name(), name)
			}
		}
		if empty, err := Draw(f, nil, Ours); empty != "" || err != nil {
			t.Errorf("%s: a drawing of nothing: %v", f.Name(), err)
		}
	}
}

func TestFindFigures(t *testing.T) {
	for list, want := range map[string]string{"all": "table1 7 5 6 11 12 8 9 table2", "9,7,7": "7 9", "table2": "table2"} {
		found, err := FindFigures(list)
		var ids []string
		for _, f := range found {
			ids = append(ids, f.ID)
		}
		if err != nil || strings.Join(ids, " ") != want {
			t.Errorf("%s: %v, %v", list, ids, err)
		}
	}
	for _, wrong := range []string{"", "10", "7,", "Table1"} {
		if _, err := FindFigures(wrong); err == nil || !strings.Contains(err.Error(), "table1, 7, 5") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestManifestInItsFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadManifest(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	m := NewManifest([]string{"fastpay", "bench", "paper"}, "quick", 7, perf.Environment{Commit: unknownCommit, Cores: 2}, "b1")
	m.Points = append(m.Points, Point{Place: Place{"inflight", Orders, "1000", 8, 2}, State: Done, Options: "o", Build: "b1"})
	if file := m.Points[0].Place.File(); file != filepath.Join("raw", "inflight", "orders-1000-8-r2.json") {
		t.Error(file)
	}
	text, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ManifestFile), text, 0o644); err != nil {
		t.Fatal(err)
	}
	again, err := ReadManifest(dir)
	if err != nil || !reflect.DeepEqual(m, again) {
		t.Errorf("%v\n%+v\n%+v", err, m, again)
	}
	for _, broken := range []string{"", "{}", `{"kind":"paper"}`, `{"kind":"other","schema":1}`} {
		if err := os.WriteFile(filepath.Join(dir, ManifestFile), []byte(broken), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadManifest(dir); err == nil || !strings.Contains(err.Error(), "no manifest of a run") {
			t.Errorf("%q: %v", broken, err)
		}
	}
}

// TestWhoMadeAPoint: a point is kept when the program and its options are the same, and only then.
func TestWhoMadeAPoint(t *testing.T) {
	m := &Manifest{Commit: "c1", Build: "b1"}
	for _, c := range []struct {
		point Point
		made  bool
	}{
		{Point{State: Done, Commit: "c1", Build: "b2", Options: "o"}, true},
		{Point{State: NoLiveness, Commit: "c1", Options: "o"}, true},
		{Point{State: Done, Commit: "c2", Build: "b1", Options: "o"}, true}, // the very same binary
		{Point{State: Done, Commit: "c1", Build: "b2", Options: "o", Dirty: true}, false},
		{Point{State: Done, Commit: "c2", Build: "b2", Options: "o"}, false},
		{Point{State: Done, Commit: "c1", Build: "b1", Options: "other"}, false},
		{Point{State: Failed, Commit: "c1", Build: "b1", Options: "o"}, false},
		{Point{State: Missing, Options: "o"}, false},
	} {
		if c.point.Made(m, "o") != c.made {
			t.Errorf("%+v", c.point)
		}
	}
	unknown := &Manifest{}
	if p := (Point{State: Done, Options: "o"}); p.Made(unknown, "o") {
		t.Error("two builds that tell nothing are not the same")
	}
	m.Points = []Point{{State: Done, Commit: "c1"}, {State: Missing}, {State: NoLiveness, Commit: "c1"}}
	if !m.OneCommit() {
		t.Error("one commit")
	}
	for _, other := range []Point{{State: Done, Commit: "c2"}, {State: Done, Commit: "c1", Dirty: true}, {State: Done}} {
		two := &Manifest{Points: append(slices.Clone(m.Points), other)}
		if two.OneCommit() {
			t.Errorf("%+v", other)
		}
	}
}
