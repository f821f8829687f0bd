package bench

import (
	"slices"
	"strings"
	"testing"
)

func TestSplitCommand(t *testing.T) {
	for text, want := range map[string][]string{
		"a":                     {"a"},
		"  a  b\tc ":            {"a", "b", "c"},
		`a 'b c' "d 'e'" f"g"h`: {"a", "b c", "d 'e'", "fgh"},
		`a ''`:                  {"a", ""},
	} {
		if got, err := splitCommand(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q is %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "  ", "a 'b", `"`} {
		if got, err := splitCommand(text); err == nil {
			t.Errorf("%q is taken as %q", text, got)
		}
	}
}

func TestPlaceholders(t *testing.T) {
	for text, want := range map[string]string{
		"run": "", "run {server} {shard}": "", "run {serve} {x}": "{serve}", "run {": "", "awk '{print}'": "{print}", "{port}{port": "",
	} {
		if got := unknownPlaceholder(text); got != want {
			t.Errorf("%q has %q, want %q", text, got, want)
		}
	}
}

func TestTailIsBounded(t *testing.T) {
	var tl lastOutput
	for range 100 {
		_, _ = tl.Write([]byte(strings.Repeat("x", 999) + "\n"))
	}
	_, _ = tl.Write([]byte("the end\n"))
	if s := tl.String(); len(s) > peerTail || !strings.HasSuffix(s, "x\nthe end") {
		t.Errorf("%d bytes: ...%q", len(s), s[max(0, len(s)-20):])
	}
}
