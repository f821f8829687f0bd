package bench

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestCheckOutput(t *testing.T) {
	dir := t.TempDir()
	taken := filepath.Join(dir, "file")
	if err := os.WriteFile(taken, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := CheckOutput("", taken, filepath.Join(dir, "new", "deep", "file")); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(taken); err != nil || string(text) != "old" {
		t.Errorf("%q, %v: a check has changed the file", text, err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "new", "deep")); err != nil || len(left) > 0 {
		t.Errorf("a check leaves %v, %v", left, err)
	}
	for _, bad := range []string{dir, filepath.Join(taken, "below"), filepath.Join(dir, strings.Repeat("x", 300), "file")} {
		if err := CheckOutput("", bad); err == nil || !strings.Contains(err.Error(), "can't write "+bad) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestReplacedFilesAreWhole(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a", "file")
	for _, text := range []string{"one", "another"} {
		if err := replaceFile(file, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
	}
	if err := replaceFile(filepath.Dir(file), nil); err == nil {
		t.Error("a folder was replaced by a file")
	}
	left, err := os.ReadDir(filepath.Dir(filepath.Dir(file)))
	if err != nil || len(left) != 1 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

// TestAppendedLinesAreWhole has many write at the same time behind a line that a crash cut off.
func TestAppendedLinesAreWhole(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lines")
	if err := os.WriteFile(file, []byte("torn"), 0o644); err != nil {
		t.Fatal(err)
	}
	const lines = 50
	long := strings.Repeat("x", 10_000)
	var all sync.WaitGroup
	for range lines {
		all.Go(func() {
			if err := appendLine(file, []byte(long)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(string(text), "\n")
	if want := slices.Concat([]string{"torn"}, slices.Repeat([]string{long}, lines), []string{""}); !slices.Equal(got, want) {
		t.Errorf("%d lines, the first %.10q", len(got), got[0])
	}
}
