package bench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadmeIsOfTheRunDirectory: the README's table is what 'fastpay bench results --from perf/results --table README.md' writes.
func TestReadmeIsOfTheRunDirectory(t *testing.T) {
	r, err := ReadRunDir(ourRunDir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if want, err := r.renderTable(string(text)); err != nil || want != string(text) {
		t.Errorf("the README's table is not made from perf/results (%v)\n"+
			"It is written by: go run ./cmd/fastpay bench results --from perf/results --table README.md", err)
	}
}

func TestUpdateTable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "README.md")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := &Report{Results: []*Result{example(), broken(), alone(Orders)}}
	write("# Mine\n")
	if err := r.UpdateTable(file); err == nil {
		t.Error("a file without markers has a table")
	}
	old := "# Mine\n\n" + partTable.begin() + "\n\nold\n\n" + partTable.end() + "\n\nafter\n"
	write(old)
	if err := (&Report{}).UpdateTable(file); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != old {
		t.Errorf("a report of nothing changed the file to %s, %v", text, err)
	}
	for range 2 { // the second time changes nothing
		if err := r.UpdateTable(file); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# Mine\n\n<!--", "\n| 4 | TCP | 41,234 | 9.0 / 14.5 | 44.25 |\n", "| 20 | UDP | 41,234 (rejected, lost, not-conserved, unsteady) |",
		"Measured 2026-11-25 at commit 0123456789ab on 2 cores (A CPU)", "-->\n\nafter\n"} {
		if strings.Count(string(text), want) != 1 {
			t.Errorf("expected once %q in\n%s", want, text)
		}
	}
}
