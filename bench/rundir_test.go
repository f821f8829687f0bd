package bench

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The repository's run directory, and what is made from it.
const (
	ourRunDir  = "../perf/results"
	ourResults = "../RESULTS.md"
)

// exampleRunDir has every part.
func exampleRunDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, r *Result) {
		if err := r.WriteFile(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	more, soak := example(), example()
	more.CommitteeSize, more.Environment.Commit = 10, "fedcba9876543210fedc"
	soak.PaymentsOK = 2 * longRun
	write("throughput/tcp-4.json", example())
	write("throughput/tcp-10.json", more)
	write("throughput/orders-4.json", alone(Orders))
	confirmations := alone(Confirmations)
	confirmations.CommitteeSize = 20
	write("throughput/confirmations-20.json", confirmations)
	write("endurance/soak.json", soak)
	for i, name := range CurveNames() {
		slow := example()
		slow.MaxInFlight, slow.Workers = 100+i, 1
		for value, p := range []Point{{Result: slow}, {Result: more}, {LeftOut: "left out: 7 GiB"}} {
			if p.Value = value + 1; p.Result != nil && name == rateCurve {
				p.Result.Load = &Load{AskedPerSec: float64(1000 * p.Value)}
			}
			if err := p.write(filepath.Join(dir, curvesFolder), name); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := KeepPaper(examplePaperRun(t), dir); err != nil {
		t.Fatal(err)
	}
	us := func(v int64) *int64 { return &v }
	l := &TransferLatency{Protocol: "tcp", CommitteeSize: 4, Transfers: 2000, Certificate: Percentiles{P50: us(510), P99: us(700)},
		Settled: Percentiles{P50: us(900), P90: us(1100)}, Environment: example().Environment, Command: []string{"fastpay", "bench", "transfers"}}
	if err := l.WriteFile(filepath.Join(dir, transfersFile)); err != nil {
		t.Fatal(err)
	}
	writeDurability(t, dir)
	for _, r := range exampleAttacks() {
		if err := r.WriteFile(filepath.Join(dir, attacksFolder, r.Rows[0].Attack+".json")); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		signaturesFile:   "commit: 0123abcd\ncommand: go test -bench 7\n" + benchmarkOutput,
		"reliability.md": "<!-- how to add: 99 -->\n\n## Reliability\n\n| 2026-11-26 | 0123abc | `x` | 300 |\n",
		"notes.json":     `{"number": 5}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// exampleAttacks are two results of a row each that go into one table, and one of another setting.
func exampleAttacks() []*AttackResult {
	f := func(a Attack, rate float64) *AttackResult {
		r := &AttackResult{Schema: schemaVersion, Command: []string{"fastpay", "bench", "attack", "--attacks=" + a.String()}, CommitteeSize: 4,
			NumShards: 1, MaxInFlight: 1000, Durability: "none", Rate: rate, Hostile: 2000, TurnSeconds: 0.7, Environment: example().Environment}
		row := newAttackRow(a)
		turn := AttackTurn{PerSec: 90_000, P50Us: 5000, P99Us: 9000, MaxUs: 12_000, CPUUs: 9.25}
		row.Pairs = []AttackPair{{turn, turn}, {turn, AttackTurn{PerSec: 88_000, P99Us: 9900, CPUUs: 9.5}}}
		row.Conserved, row.PeakWithout, row.PeakWith = true, 100<<20, 123<<20
		row.Attackers = attackCounts{Seconds: 5, CPUSeconds: 1.5, Connections: 2004, Closed: 4, Messages: 10_000, Bytes: 5 << 20}
		if a == AttackOverload {
			row.Overload = &OverloadRow{PeakPerSec: 90_000, OfferedPerSec: 270_000, Half: turn, RecoverSeconds: 0.3,
				Impatient: &Recovery{Seconds: 0.3, Waited: 0.6, Left: Backlog{100_000, 90_000, 5000}, GivenUp: 89_000},
				Patient:   &Recovery{Seconds: -1, Waited: 11, Left: Backlog{100_000, 91_000, 6000}}}
		}
		row.judge()
		r.Rows = append(r.Rows, row)
		return r
	}
	return []*AttackResult{f(AttackOverload, 0), f(AttackSlow, 0), f(AttackIdle, 2500)}
}

// TestAttacksOfOneSettingShareATable: rows of several results, in the order of the attacks.
func TestAttacksOfOneSettingShareATable(t *testing.T) {
	text := renderAttacks(exampleAttacks())
	slow, overload, idle := strings.Index(text, "| slow | 90,000"), strings.Index(text, "| overload | 90,000"), strings.Index(text, "| idle | 90,000")
	if slow < 0 || overload < slow || idle < overload || strings.Count(text, "| Attack | Honest") != 2 ||
		!strings.Contains(text, " cores. 4 members, 1 shard, durability none; ") ||
		!strings.Contains(text, "| wait for all of it | 100,000 | 91,000 / 6,000 | 0 | 9.0 | not within 11 s |") ||
		!strings.Contains(text, "fastpay bench attack --attacks=slow  # 0123456789ab") {
		t.Errorf("got\n%s", text)
	}
}

// TestResultsAreOfTheRunDirectory: RESULTS.md is what 'fastpay bench results --from perf/results' writes.
func TestResultsAreOfTheRunDirectory(t *testing.T) {
	want, err := markdownOf(ourRunDir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(ourResults)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		first := "its end"
		for i, line := range lines(want) {
			if has := lines(string(got)); i >= len(has) || has[i] != line {
				first = "line " + grouped(i+1) + ", which should be\n" + line
				break
			}
		}
		t.Errorf("RESULTS.md is not made from perf/results, from %s\nIt is written by: go run ./cmd/fastpay bench results --from perf/results\n"+
			"Records of reliability are added to perf/results/reliability.md, not to RESULTS.md.", first)
	}
}

func TestRunDir(t *testing.T) {
	dir := exampleRunDir(t)
	r, err := ReadRunDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Results) != 4 || r.Results[0].CommitteeSize != 4 || r.Results[1].CommitteeSize != 10 || r.Results[2].Phase != "orders" ||
		len(r.Curves) != len(CurveNames()) || len(r.Endurance) != 1 || r.Crypto == nil || r.Transfers == nil {
		t.Errorf("got %+v", r)
	}
	text, err := r.Markdown()
	if err != nil {
		t.Fatal(err)
	}
	last := -1
	for _, part := range reportParts {
		if i := strings.Index(text, part.begin()); i <= last {
			t.Errorf("%s is not there, or not in order", part)
		} else {
			last = i
		}
	}
	for _, want := range []string{"| 0123abc |", "at commits 0123456789ab, fedcba987654", "--committee-size=4  # fedcba987654", "left out: 7 GiB",
		"Measured at commit 0123abcd by `go test -bench 7`"} {
		if !strings.Contains(text, want) {
			t.Errorf("expected %s in\n%s", want, text)
		}
	}
	if strings.Contains(text, "how to add") {
		t.Error("what is for those who add is in the report")
	}
	// Records stand for a part only as long as it is not measured.
	for _, part := range []string{"crypto.md", "curves.md"} {
		if err := os.WriteFile(filepath.Join(dir, part), []byte("## From long ago\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, signaturesFile)); err != nil {
		t.Fatal(err)
	}
	if text, err = markdownOf(dir); err != nil || strings.Count(text, "From long ago") != 1 {
		t.Errorf("%v\n%s", err, text)
	}
	if _, err := ReadRunDir(t.TempDir()); err == nil {
		t.Error("an empty directory makes a report")
	}
	if err := os.WriteFile(filepath.Join(dir, "curves", "shards-x.json"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadRunDir(dir); err == nil {
		t.Error("a curve with a point that is none")
	}
}

// TestRecordsSayCommitAndCommand: a line of a table of records is worth nothing if nobody can repeat it.
func TestRecordsSayCommitAndCommand(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(ourRunDir, "reliability.md"))
	if err != nil {
		t.Fatal(err)
	}
	record := regexp.MustCompile("^\\| 20\\d\\d-\\d\\d-\\d\\d \\| [0-9a-f]{7,40} \\| `[^`]+`[^|]*(\\|[^|]+){3}\\|$")
	_, table, _ := strings.Cut(string(text), "| Date | Commit | Command |")
	table, _, _ = strings.Cut(table, "\n\n")
	rows := lines(strings.TrimSpace(table))
	if len(rows) < 10 {
		t.Fatalf("got the rows %q", rows)
	}
	for _, row := range rows[2:] {
		if !record.MatchString(row) {
			t.Errorf("expected | date | commit | `command` | worlds | payments | violations |, got\n%s", row)
		}
	}
	_, text, _ = bytes.Cut(text, []byte("-->"))
	source := regexp.MustCompile("(?s)`[^`]+`.*\\b(commit [0-9a-f]{7,40}|every commit)\\b")
	for paragraph := range strings.SplitSeq(string(text), "\n\n") {
		paragraph = strings.TrimSpace(paragraph)
		if hasDigit.MatchString(paragraph) && !strings.HasPrefix(paragraph, "|") && !source.MatchString(paragraph) {
			t.Errorf("expected a `command` and a commit beside the numbers of\n%s", paragraph)
		}
	}
}
