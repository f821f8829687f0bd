package crc32c

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestGeneratedFilesAreCurrent generates the assembly again and compares. It fetches the generator's modules, so it
// runs only when asked to: FASTPAY_REGENERATE=1 go test -run GeneratedFiles ./node/journal/crc32c
func TestGeneratedFilesAreCurrent(t *testing.T) {
	if os.Getenv("FASTPAY_REGENERATE") == "" {
		t.Skip("FASTPAY_REGENERATE is not set")
	}
	dir := t.TempDir()
	assembly, stubs := filepath.Join(dir, "crc32c_amd64.s"), filepath.Join(dir, "stubs_amd64.go")
	cmd := exec.Command("go", "run", "-C", "_asm", ".", "-out", assembly, "-stubs", stubs, "-pkg", "crc32c")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("generator: %v\n%s", err, out)
	}
	for _, path := range []string{assembly, stubs} {
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Base(path))
		if err != nil {
			t.Fatal(err)
		}
		_, got, _ = bytes.Cut(got, []byte("\n")) // the first line names the output files
		_, want, _ = bytes.Cut(want, []byte("\n"))
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the generator makes: run go generate", filepath.Base(path))
		}
	}
}
