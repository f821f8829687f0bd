package ifma

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestGenerated writes the assembly anew and compares it with the files of this folder. It needs the generator's module
// dependencies, so it runs only with FASTPAY_GENERATE=1.
func TestGenerated(t *testing.T) {
	if os.Getenv("FASTPAY_GENERATE") != "1" {
		t.Skip("set FASTPAY_GENERATE=1 to compare the assembly with its generator")
	}
	dir := t.TempDir()
	for _, set := range []string{"field", "point", "walk", "encode", "bucket", "sign", "quad", "comb"} {
		files := []string{set + "_amd64.s", set + "_stubs_amd64.go"}
		cmd := exec.Command("go", "-C", "_asm", "run", ".", "-set", set, "-pkg", "ifma",
			"-out", filepath.Join(dir, files[0]), "-stubs", filepath.Join(dir, files[1]))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", cmd, err, out)
		}
		for _, file := range files {
			if !bytes.Equal(sourceOf(t, file), sourceOf(t, filepath.Join(dir, file))) {
				t.Errorf("%s differs from what the generator writes; run go generate", file)
			}
		}
	}
}

// sourceOf is a generated file without its first line, which names the command that wrote it.
func sourceOf(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(b, []byte("\n"))
	return rest
}
