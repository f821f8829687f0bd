package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// ran is a side of runs with these rates.
func ran(name string, rates ...float64) *Side {
	s := &Side{Name: name}
	for _, rate := range rates {
		r := example()
		r.RatePerSec, r.PaymentsPerSec, r.PaymentsOK = rate, rate, int(10*rate)
		s.Results = append(s.Results, r)
	}
	return s
}

func compared(t *testing.T, a, b *Side) *Comparison {
	t.Helper()
	c, err := Compare(a, b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCompareVerdicts(t *testing.T) {
	f := func(want string, a, b []float64) {
		t.Helper()
		g := compared(t, ran("a", a...), ran("b", b...)).Groups[0]
		if g.Verdict != want {
			t.Errorf("%v against %v: %s, want %s; %+v", a, b, g.Verdict, want, g.Metrics[0])
		}
	}
	list := func(v ...float64) []float64 { return v }
	steady := list(100, 101, 99, 100, 100.5)
	f("faster", steady, list(110, 111, 109, 110))
	f("slower", steady, list(90, 91, 89, 90))
	f(VerdictSame, steady, list(100, 100.2, 99.8, 100.4))
	f(VerdictSame, steady, steady)
	f(VerdictUnknown, list(80, 120, 95, 105, 70), list(100, 130, 90, 110))
	f(VerdictUnknown, steady, list(80, 125, 99, 130)) // one side alone is noisy
	// Few runs: noise is assumed.
	f(VerdictUnknown, list(100), list(105))
	f(VerdictUnknown, list(100), list(100))
	f(VerdictUnknown, list(100, 101), list(105, 106))
	f("faster", list(100), list(150))
	f("slower", list(100, 101), list(80, 81))
	f(VerdictUnknown, list(100, 101), list(100, 101)) // two alike are no proof
}

// TestNoiseOfFewRuns is said to be measured where it is more than what would be assumed.
func TestNoiseOfFewRuns(t *testing.T) {
	for want, rates := range map[string][]float64{"noise is assumed: ": {100, 101, 102}, "noise is measured, of few runs: ": {60, 100, 140}} {
		c := compared(t, ran("a", rates...), ran("b", 100, 100, 100))
		text := c.Groups[0].summary()
		if !strings.Contains(text, want) || c.Groups[0].Metrics[0].NoiseAssumed != (rates[0] == 100) {
			t.Errorf("%v: %s", rates, text)
		}
	}
}

// TestNoiseIsNoProgress: between sides that do not differ a difference is claimed rarely, and a large one is found.
func TestNoiseIsNoProgress(t *testing.T) {
	const trials = 100
	random := rand.New(rand.NewPCG(7, 7))
	draw := func(n int, mean float64) (rates []float64) {
		for range n {
			rates = append(rates, mean*(1+0.03*random.NormFloat64()))
		}
		return rates
	}
	m := &metrics[0]
	for _, runs := range []int{1, 2, 4, 7} {
		claims, found := 0, 0
		for range trials {
			a := draw(runs, 1000)
			if v := m.compare(a, draw(runs, 1000)).Verdict; v == m.more || v == m.less {
				claims++
			}
			if m.compare(a, draw(runs, 1300)).Verdict == m.more {
				found++
			}
		}
		if claims > trials/10 {
			t.Errorf("%d runs a side: %d claims in %d trials without a difference", runs, claims, trials)
		}
		if found < trials*9/10 {
			t.Errorf("%d runs a side: a difference of 30 %% was found in %d of %d trials", runs, found, trials)
		}
	}
}

func TestRatioInterval(t *testing.T) {
	a, b := []float64{9, 10, 11, 10.5}, []float64{18, 20, 22, 21}
	low, high, ok := ratioInterval(a, b)
	if !ok || low > 2 || high < 2 || low < 18./11 || high > 22./9 {
		t.Errorf("%v to %v, %v", low, high, ok)
	}
	if l, h, _ := ratioInterval(a, b); l != low || h != high {
		t.Errorf("again: %v to %v, was %v to %v", l, h, low, high)
	}
	if low, high, ok := ratioInterval([]float64{5, 5}, []float64{5, 5, 5}); !ok || low != 1 || high != 1 {
		t.Errorf("of equal values: %v to %v, %v", low, high, ok)
	}
	for _, bad := range [][2][]float64{{{1}, {1, 2}}, {{1, 2}, {1}}, {{0, 1}, {1, 2}}, {nil, {1, 2}}} {
		if _, _, ok := ratioInterval(bad[0], bad[1]); ok {
			t.Errorf("%v has an interval", bad)
		}
	}
}

// TestMedianMatchesSorted is against picking from the sorted values by hand.
func TestMedianMatchesSorted(t *testing.T) {
	f := func(want float64, values ...float64) {
		t.Helper()
		before := slices.Clone(values)
		if got := median(values); got != want || !slices.Equal(values, before) {
			t.Errorf("median of %v: %v, want %v; now %v", before, got, want, values)
		}
	}
	f(0)
	f(3, 3)
	f(2.5, 3, 2)
	f(2, 3, 1, 2)
	f(2.5, 4, 1, 3, 2)
	if got := noise([]float64{100, 90, 110, 100}); got < 0.07 || got > 0.08 {
		t.Errorf("noise %v, want 1.4826 * 5 / 100", got)
	}
	if noise([]float64{5}) != 0 || noise(nil) != 0 || noise([]float64{0, 0, 1}) != 0 {
		t.Error("noise of one run, of none, or around 0")
	}
}

func TestGates(t *testing.T) {
	slower := compared(t, ran("a", 100, 100, 101, 99), ran("b", 90, 90, 91, 89)) // 0.9x; p99 14.5 ms in both
	f := func(text string, fails bool) {
		t.Helper()
		g, err := ParseGate(text)
		if err != nil {
			t.Error(err)
			return
		}
		slower.Gates = nil
		slower.Apply([]*Gate{g})
		err = slower.Err()
		if (err != nil) != fails || err != nil && exitCode(t, err) != ExitGate {
			t.Errorf("%s: %v, want failed %v", text, err, fails)
		}
	}
	f("payments<0.95x", true)
	f("payments < 0.85x", false)
	f("payments<90%", false)
	f("payments<=90%", true)
	f("rate<95", true)
	f("payments<80/s", false)
	f("p99>1.1x", false)
	f("p99>=1x", true)
	f("p99>14ms", true)
	f("p99>15ms", false)
	f("p99>14400us", true)
	f("p99.9>0.01s", true)
	f("rss>0.07GiB", true)
	f("rss>81", false)
	f("cpu>44µs", true)
	f("rejected>0", false)
	f("lost>0x", true) // no ratio to nothing: it can't be decided
	f("allocs>1", false)

	for _, bad := range []string{"", "payments", "payments<", "payments<x", "payments=1x", "payments<-1x", "speed<1x", "p99>5MiB", "rss>5ms",
		"payments<1e3", "payments<0.95x extra", "payments<0.95 x<"} {
		if _, err := ParseGate(bad); err == nil {
			t.Errorf("%q is a gate", bad)
		}
	}
	// What B did not measure can't pass.
	nothing := ran("b", 0)
	nothing.Results[0].PaymentsOK = 0
	c := compared(t, ran("a", 100), nothing)
	g, _ := ParseGate("payments<0.95x")
	if c.Apply([]*Gate{g}); c.Err() == nil {
		t.Errorf("a side that measured nothing passes: %+v", c.Gates)
	}
	a := ran("a", 100, 100)
	a.Results[1].CommitteeSize = 20
	c = compared(t, a, ran("b", 100))
	if c.Apply([]*Gate{g}); c.Err() == nil {
		t.Error("a configuration that B does not have passes")
	}
}

func TestCompareText(t *testing.T) {
	a, b := ran("results/old", 40000, 41000, 40500, 40800), ran("results/new", 44000, 44500, 43900, 44100)
	for _, r := range b.Results {
		r.Environment.CryptoBackend, r.Environment.Commit, r.Environment.Dirty = "ifma", "fedcba9876543210", true
	}
	b.Results[0].Flags = []string{FlagShortWindow}
	other := example()
	other.CommitteeSize = 20
	b.Results = append(b.Results, other)
	c := compared(t, a, b)
	g, err := ParseGate("payments<1.2x")
	if err != nil {
		t.Fatal(err)
	}
	c.Apply([]*Gate{g})
	var text bytes.Buffer
	if err := c.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	golden(t, "compare.txt", text.Bytes())
	dir := t.TempDir()
	if err := errors.Join(c.WriteMarkdown(filepath.Join(dir, "c.md")), c.WriteFile(filepath.Join(dir, "c.json"))); err != nil {
		t.Fatal(err)
	}
	for file, name := range map[string]string{"c.md": "compare.md", "c.json": "compare.json"} {
		got, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name, got)
	}
}

func TestCompareRefuses(t *testing.T) {
	a, b := ran("a", 1, 1), ran("b", 1, 1)
	b.Results[0].NumShards, b.Results[1].NumShards, a.Results[1].NumShards = 7, 8, 3
	if _, err := Compare(a, b); err == nil {
		t.Error("no configuration in common, and no error")
	}
	one := ran("b", 1)
	one.Results[0].NumShards = 9
	if c := compared(t, ran("a", 1), one); len(c.Groups) != 1 || !strings.Contains(strings.Join(c.Notes, "\n"), "shards=9") {
		t.Errorf("one configuration each: %+v", c)
	}
	orders := &Side{"b", []*Result{alone(Orders)}}
	if _, err := Compare(ran("a", 1), orders); err == nil {
		t.Error("orders are compared with payments")
	}
}

func TestReadSide(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("transfers.json", `{"protocol":"tcp","transfers":3}`)
	write("sub/gap.json", `{"left_out":"too large"}`)
	write("list.json", `[1,2]`)
	write("notes.txt", "schema")
	if _, err := ReadSide(dir, io.Discard); !errors.Is(err, ErrNoResults) || strings.Contains(err.Error(), "broken") {
		t.Errorf("no results: %v", err)
	}
	write("empty.json", "")
	write("sub/half.json", `{"schema":1,"payments_ok":`)
	if _, err := ReadSide(dir, io.Discard); !errors.Is(err, ErrNoResults) || !strings.HasSuffix(err.Error(), "broken files: 2") {
		t.Errorf("nothing but broken results: %v", err)
	}
	for i, name := range []string{"b.json", "sub/a.json"} {
		r := example()
		r.Seed = uint64(i)
		if err := r.WriteFile(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	var told bytes.Buffer
	s, err := ReadSide(dir, &told)
	if err != nil || len(s.Results) != 2 || s.Results[1].Seed != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	if want := fmt.Sprintf("Left out: %s/empty.json is broken: unexpected end of JSON input\n"+
		"Left out: %[1]s/sub/half.json is broken: unexpected end of JSON input\n", dir); told.String() != want {
		t.Errorf("told %q, want %q", told.String(), want)
	}
	if _, err := readFolder(dir); err == nil || !strings.Contains(err.Error(), "empty.json is broken") {
		t.Errorf("a folder of results alone has a broken one: %v", err)
	}
	s, err = ReadSide(filepath.Join(dir, "b.json"), io.Discard)
	if err != nil || !reflect.DeepEqual(s.Results, []*Result{func() *Result { r := example(); r.Seed = 0; return r }()}) {
		t.Errorf("%+v, %v", s, err)
	}
	for _, bad := range []string{"transfers.json", "none.json"} {
		if _, err := ReadSide(filepath.Join(dir, bad), io.Discard); err == nil {
			t.Errorf("%s is a side", bad)
		}
	}
	write("later.json", `{"schema":0,"payments_ok":1}`)
	if _, err := ReadSide(dir, io.Discard); err == nil {
		t.Error("a result of no version")
	}
}
