package bench

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func traced(t *testing.T, dir, report string) []Number {
	t.Helper()
	numbers, err := TraceReport(dir, report)
	if err != nil {
		t.Fatal(err)
	}
	return numbers
}

// TestEveryNumberOfResultsIsTraced: what a number in RESULTS.md says is in a file of perf/results, or is a number of the
// text that textNumbers explains.
func TestEveryNumberOfResultsIsTraced(t *testing.T) {
	text, err := os.ReadFile(ourResults)
	if err != nil {
		t.Fatal(err)
	}
	numbers := traced(t, ourRunDir, string(text))
	if len(numbers) < 300 {
		t.Errorf("only %d numbers", len(numbers))
	}
	for _, n := range numbers {
		if !n.Traced() {
			t.Errorf("RESULTS.md:%d: nothing made %s", n.Line, n.Word)
		}
	}
}

func TestTrace(t *testing.T) {
	dir := exampleRunDir(t)
	report, err := markdownOf(dir)
	if err != nil {
		t.Fatal(err)
	}
	numbers := traced(t, dir, report)
	files := make(map[string]bool)
	for _, n := range numbers {
		if !n.Traced() {
			t.Errorf("%d: nothing made %s", n.Line, n.Word)
		}
		for _, f := range n.Files {
			files[f] = true
		}
	}
	for _, f := range []string{"throughput/tcp-10.json", "transfers.json", "endurance/soak.json", "curves/shards-2.json",
		"curves/accounts-3.json", "signatures.txt", "reliability.md", "attacks/slow.json", "attacks/overload.json"} {
		if !files[f] {
			t.Errorf("no number is from %s", f)
		}
	}
	if files["notes.json"] {
		t.Error("a number is from a file that no report reads")
	}
	var out strings.Builder
	if err := WriteTrace(&out, dir, numbers); err != nil || !strings.Contains(out.String(),
		"\t**41,234**\tthroughput/tcp-10.json\tfedcba987654\tfastpay bench --protocol=tcp --committee-size=4\n") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// TestTraceFindsWhatNothingMade: numbers that were written into a report are found, wherever they are.
func TestTraceFindsWhatNothingMade(t *testing.T) {
	dir := exampleRunDir(t)
	whole, err := traceRunDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	report := whole.base
	f := func(name, changed string, want ...string) {
		t.Helper()
		var got []string
		numbers, err := whole.numbersOf(changed)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range numbers {
			if !n.Traced() {
				got = append(got, n.Word)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: found %q, want %q", name, got, want)
		}
		if err := WriteTrace(&strings.Builder{}, dir, numbers); (err != nil) != (len(want) > 0) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f("as it is", report)
	f("in a cell", strings.Replace(report, "**41,234**", "**91,234**", 1), "**91,234**")
	f("a sentence", strings.Replace(report, "## Curves\n", "## Curves\n\nIt is 3 times as fast.\n", 1), "3")
	f("behind a line", strings.Replace(report, "the load generator runs on them too.", "the load generator runs on them too, 5 % of it.", 1), "5")
	row := regexp.MustCompile(`(?m)^\| 4 \| TCP \|.*\n`).FindString(report)
	f("a row again", strings.Replace(report, row, row+strings.Replace(row, "| 4 |", "| 7 |", 1), 1),
		numbersIn(strings.Replace(row, "| 4 |", "| 7 |", 1))...)
	f("at the end", report+"\nSee also 17.\n", "17.")
	f("nothing but", "# 5\n", "5")
}

func numbersIn(line string) (words []string) {
	for _, w := range strings.Fields(line) {
		if hasDigit.MatchString(w) {
			words = append(words, w)
		}
	}
	return words
}

// TestTraceFindsNumbersOfTheCode: what the renderer says by itself follows no file, and is found unless textNumbers has it.
func TestTraceFindsNumbersOfTheCode(t *testing.T) {
	text := "It has 12 cores, and **41,234** a second; see 149,937 of the paper, samples of 10 ms.\n"
	numbers, err := (&trace{text, map[position][]string{{0, 5}: {"a.json"}}}).numbersOf(text)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range numbers {
		if !n.Traced() {
			got = append(got, n.Word)
		}
	}
	if !slices.Equal(got, []string{"12"}) || len(numbers) != 4 {
		t.Errorf("got %q of %+v", got, numbers)
	}
}

// TestTextNumbersAreUsed: an explanation of a number that no report has any more is a hole.
func TestTextNumbersAreUsed(t *testing.T) {
	report, err := markdownOf(exampleRunDir(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range textNumbers {
		if !n.form.MatchString(report) {
			t.Errorf("no report has %s", n.form)
		}
	}
}

// TestCommonVsRecursion compares with the definition.
func TestCommonVsRecursion(t *testing.T) {
	var longest func(a, b []string) int
	longest = func(a, b []string) int {
		switch {
		case len(a) == 0 || len(b) == 0:
			return 0
		case a[0] == b[0]:
			return 1 + longest(a[1:], b[1:])
		}
		return max(longest(a[1:], b), longest(a, b[1:]))
	}
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 8)
		a, b := words.Draw(t, "a"), words.Draw(t, "b")
		pairs := common(a, b)
		if len(pairs) != longest(a, b) {
			t.Fatalf("%d pairs, expected %d", len(pairs), longest(a, b))
		}
		for i, p := range pairs {
			if a[p[0]] != b[p[1]] || i > 0 && (pairs[i-1][0] >= p[0] || pairs[i-1][1] >= p[1]) {
				t.Fatalf("%v", pairs)
			}
		}
	})
}

// TestKinByPlace: a number that stands elsewhere in a line is not the same.
func TestKinByPlace(t *testing.T) {
	got := kin("| a | 1.1 | 1.7 |\nb 5 c\n", "| a | 1.7 | 1.1 |\nb 6 7 c\n")
	for at, want := range map[position]position{{0, 1}: {0, 1}, {1, 0}: {1, 0}, {1, 2}: {1, 3}} {
		if other, ok := got[at]; !ok || other != want {
			t.Errorf("%v is %v, want %v", at, other, want)
		}
	}
	for _, at := range []position{{0, 3}, {0, 5}, {1, 1}} {
		if other, ok := got[at]; ok {
			t.Errorf("%v is %v", at, other)
		}
	}
}

// TestChangedValues: every number changes, equal ones equally, and names stay.
func TestChangedValues(t *testing.T) {
	f := func(name, text, want string) {
		t.Helper()
		got, ok := changedValues(name, []byte(text), proportional)
		if !ok || string(got) != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	f("a.json", `{"schema":1,"n":10,"f":10.0,"s":["x9",9],"b":true,"z":null,"name":"p50"}`,
		`{"b":true,"f":14.31,"n":14,"name":"p50","s":["x0",13],"schema":1,"z":null}`)
	f("a.csv", "figure,x,n\n5,10,a1\n5,10,0\n", "figure,x,n\n5,14,a2\n5,14,1\n")
	f("a.md", "5 of 190", "6 of 201")
	f("a.txt", "cpu: 7\nBenchmarkX/keys=20 1 10.0 µs\n", "cpu: 8\nBenchmarkX/keys=20\t2\t14.31\tµs\n")
	if got, ok := changedValues("a.csv", []byte("source,repetition,x\nours,1,5\npaper,0,6\n"), repeated); !ok ||
		string(got) != "source,repetition,x\nours,1,5\npaper,0,6\nours,1000,5\n" {
		t.Errorf("got %q", got)
	}
	if _, ok := changedValues("a.json", []byte("5"), repeated); ok {
		t.Error("a file without lines has them twice")
	}
	if _, ok := changedValues("a.svg", nil, 0); ok {
		t.Error("a picture has values")
	}
	if _, ok := changedValues("a.json", []byte("{"), 0); ok {
		t.Error("half a file has values")
	}
}
