package bench

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

func TestCSV(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.csv")
	few := broken()
	few.Flags = []string{"a, b", `"quoted"`}
	if err := WriteCSV(file, example(), few, nothing()); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) != 4 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	at := func(row int, column string) string {
		t.Helper()
		for i, name := range rows[0] {
			if name == column {
				return rows[row][i]
			}
		}
		t.Fatalf("no column %q", column)
		return ""
	}
	for _, want := range []struct {
		row           int
		column, value string
	}{
		{1, "rate_per_second", "41234.500"}, {1, "latency_p99_us", "14500"}, {1, "valid", "true"}, {1, "recorded_at", "2026-11-25T12:00:00Z"},
		{1, "seed", "42"}, {1, "crypto_backend", "voi"}, {2, "latency_p99_9_us", ""}, {2, "flags", `a, b "quoted"`}, {2, "lost", "2"},
		{3, "rate_per_second", "0.000"},
	} {
		if got := at(want.row, want.column); got != want.value {
			t.Errorf("row %d, %s: %q, want %q", want.row, want.column, got, want.value)
		}
	}
}

func TestMarkdown(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.md")
	if err := WriteMarkdown(file, example(), broken(), nothing(), alone(Orders)); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "quote.md", got)
}

// TestBenchmarkLine: name, iterations, then pairs of value and unit, as benchstat's parser has it.
func TestBenchmarkLine(t *testing.T) {
	format := regexp.MustCompile(`^Benchmark[A-Z]\S*-\d+ \d+( [0-9.]+ [^ ]+)+$`)
	for _, r := range []*Result{example(), alone(Orders), alone(Confirmations)} {
		line := r.benchmarkLine()
		if !format.MatchString(line) || !strings.Contains(line, " ns/op ") {
			t.Errorf("not in Go's benchmark format: %s", line)
		}
	}
}

func readHistory(t *testing.T, file string) (lines []historyLine) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for s.Scan() {
		var h historyLine
		if err := json.Unmarshal(s.Bytes(), &h); err != nil {
			continue // a torn line is skipped by readers
		}
		lines = append(lines, h)
	}
	return lines
}

// TestHistoryAppendsTogether: many writers at once lose nothing.
func TestHistoryAppendsTogether(t *testing.T) {
	file := filepath.Join(t.TempDir(), "deep", "history.ndjson")
	const writers, each = 8, 25
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for range each {
				r := example()
				r.Seed = uint64(w)
				if err := r.AppendHistory(file); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	seen := make(map[uint64]int)
	for _, h := range readHistory(t, file) {
		seen[h.Seed]++
	}
	for w := range uint64(writers) {
		if seen[w] != each {
			t.Errorf("writer %d: %d lines, want %d", w, seen[w], each)
		}
	}
}

func TestHistoryAfterTornLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history.ndjson")
	if err := os.WriteFile(file, []byte(`{"at":"2026`), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := example().AppendHistory(file); err != nil {
		t.Fatal(err)
	}
	lines := readHistory(t, file)
	if len(lines) != 1 || lines[0].Rate != 41234.5 || *lines[0].P99Us != 14500 || !lines[0].Valid ||
		lines[0].Benchmark != "Payments/protocol=tcp/committee=4/shards=2/in-flight=1000" {
		t.Errorf("got %+v", lines)
	}
	if err := example().AppendHistory(filepath.Join(file, "below")); err == nil {
		t.Error("a folder that is a file is no error")
	}
}

// TestBenchmarkNamesTellApart what must not be compared as if it were the same; the names of plain runs stay as they were.
func TestBenchmarkNamesTellApart(t *testing.T) {
	const plain = "Payments/protocol=tcp/committee=4/shards=2/in-flight=1000"
	f := func(want string, change func(*Result)) {
		t.Helper()
		r := example()
		r.Load = &Load{Loop: "closed", Workload: Mix{}.String()}
		change(r)
		if got := r.benchmarkName(); got != plain+want || strings.ContainsAny(got, " \t\n") {
			t.Errorf("%q, want %q", got, plain+want)
		}
	}
	f("", func(*Result) {})
	f("", func(r *Result) { r.Load = nil })
	f("/durability=sync", func(r *Result) { r.Durability = "sync" })
	f("/workload=zipf:0.9+20%-to-the-Primary+with-user-data", func(r *Result) {
		r.Load.Workload = Mix{Pattern: Zipf, Skew: 0.9, ToPrimary: 20, UserData: true}.String()
	})
	f("/topology=committee/faults=crash:1@2s/durability=async", func(r *Result) {
		r.Durability, r.Committee = "async", &CommitteeRun{Faults: []string{"crash:1@2s"}}
	})
	f("/rate=500/arrival=poisson/peer=server", func(r *Result) {
		r.Load.AskedPerSec, r.Load.Loop, r.Load.Peer = 500, "poisson", "./bin/server --server {server} run"
	})
}
