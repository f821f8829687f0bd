//go:build !purego

package ifma

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestSecretKernelsHaveNoSecretBranches reads the assembly of the kernels that signing calls. No value of a vector or
// mask register may reach a general register, so that neither a jump nor an address can depend on it; what is left are
// the jumps that count windows or squarings. Memory that a general register is loaded from holds arguments only.
func TestSecretKernelsHaveNoSecretBranches(t *testing.T) {
	jump := regexp.MustCompile(`^\tJ[A-Z]+\s`)
	fromVector := regexp.MustCompile(`^\t(V\w+|KMOV\w)\s.*[XYZK]\d+, (AX|BX|CX|DX|SI|DI|BP|R\d+)$`)
	byVector := regexp.MustCompile(`^\tVP?(GATHER|SCATTER|COMPRESS|EXPAND)|^\t(KORTEST|KTEST|VPTEST |VCOMI|VUCOMI)|\(Z\d+`)
	load := regexp.MustCompile(`^\tMOV\w+\s+([^$]\S*\)), (AX|BX|CX|DX|SI|DI|BP|R\d+)$`)
	for _, k := range []struct {
		file, name string
		jumps      int
	}{
		{"sign_amd64.s", "multiplyBase", 1},
		{"encode_amd64.s", "encode", 0},
		{"encode_amd64.s", "storeRows", 0},
		{"field_amd64.s", "mul", 0},
		{"field_amd64.s", "square", 0},
		{"field_amd64.s", "add", 0},
		{"field_amd64.s", "squareTimes", 1},
		{"field_amd64.s", "squareTimesOne", 1},
	} {
		source, err := os.ReadFile(k.file)
		if err != nil {
			t.Fatal(err)
		}
		_, body, found := strings.Cut(string(source), "TEXT ·"+k.name+"IFMA(SB)")
		if !found {
			t.Fatalf("%s: not in the assembly", k.name)
		}
		body, _, _ = strings.Cut(body, "TEXT ·")
		jumps := 0
		for line := range strings.Lines(body) {
			line = strings.TrimRight(line, "\n")
			if jump.MatchString(line) {
				jumps++
			}
			if m := load.FindStringSubmatch(line); m != nil && !strings.HasSuffix(m[1], "(FP)") {
				t.Errorf("%s: a general register is loaded from memory that may hold secrets: %s", k.name, line)
			}
			if fromVector.MatchString(line) || byVector.MatchString(line) {
				t.Errorf("%s: a value leaves the vector registers: %s", k.name, line)
			}
		}
		if jumps != k.jumps {
			t.Errorf("%s: %d jumps, want %d", k.name, jumps, k.jumps)
		}
	}
}
