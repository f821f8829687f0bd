package lanes

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestSecretKernelsHaveNoSecretBranches reads the assembly that handles nonces and keys. No value of a vector or mask
// register may reach a general register, so that neither a jump nor an address can depend on one; then the jumps that
// are left are counted: they test the block number, lengths, or the round.
func TestSecretKernelsHaveNoSecretBranches(t *testing.T) {
	source, err := os.ReadFile("lanes_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	jump := regexp.MustCompile(`^\tJ[A-Z]+\s`)
	fromVector := regexp.MustCompile(`^\t(V?P?MOV[A-Z0-9]*|VMOVMSK\w+|VPEXTR\w+|KMOV\w|PEXT\w*)\s+[XYZK]\d+, (AX|BX|CX|DX|SI|DI|BP|R\d+)$`)
	byVector := regexp.MustCompile(`^\tVP?(GATHER|SCATTER)|^\t(KORTEST|KTEST|VPTEST |VCOMI|VUCOMI)`)
	for kernel, jumps := range map[string]int{
		"reduceHash8": 0, "reduceWide8": 0, "mulAdd8": 0, // no jump at all
		"compress8": 1, "compress16": 1, // the rounds: one loop each
	} {
		_, body, found := strings.Cut(string(source), "TEXT ·"+kernel+"AVX512(SB)")
		if !found {
			t.Fatalf("%s: not in the assembly", kernel)
		}
		body, _, _ = strings.Cut(body, "TEXT ·")
		got := 0
		for line := range strings.Lines(body) {
			line = strings.TrimRight(line, "\n")
			if jump.MatchString(line) {
				got++
			}
			if fromVector.MatchString(line) || byVector.MatchString(line) {
				t.Errorf("%s: a value leaves the vector registers: %s", kernel, line)
			}
		}
		if got != jumps {
			t.Errorf("%s: %d jumps, want %d", kernel, got, jumps)
		}
	}
	// load8 moves prefixes and messages, and looks at lengths alone: what leaves the vectors are the masks of the lanes
	// that have bytes in the second half, that fill it, and that are active. All come from the gathered lengths.
	_, body, _ := strings.Cut(string(source), "TEXT ·load8AVX512(SB)")
	body, _, _ = strings.Cut(body, "TEXT ·")
	leaves := 0
	for line := range strings.Lines(body) {
		if fromVector.MatchString(strings.TrimRight(line, "\n")) {
			leaves++
		}
	}
	if leaves != 3 || strings.Count(body, "VPGATHERQQ") != 1 {
		t.Errorf("load8: %d values leave the vector registers, want the 3 masks of lengths", leaves)
	}
}
