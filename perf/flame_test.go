package perf

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
)

// sampled is a profile of stacks, each as names from the innermost on, with "+" for an inlined call.
func sampled(unit string, stacks map[string]int64) *profile.Profile {
	p := &profile.Profile{SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: unit}},
		DefaultSampleType: "cpu"}
	for stack, value := range stacks {
		s := &profile.Sample{Value: []int64{1, value}}
		for location := range strings.SplitSeq(stack, " ") {
			l := new(profile.Location)
			for name := range strings.SplitSeq(location, "+") {
				l.Line = append(l.Line, profile.Line{Function: &profile.Function{Name: name}})
			}
			s.Location = append(s.Location, l)
		}
		p.Sample = append(p.Sample, s)
	}
	return p
}

func TestFramesAddUp(t *testing.T) {
	root := frames(sampled("nanoseconds", map[string]int64{"leaf+inlined middle main": 5, "other middle main": 3, "main": 2, "idle": 0}), 1)
	f := func(want int64, path ...string) {
		t.Helper()
		at := root
		for _, name := range path {
			if at = at.children[name]; at == nil {
				t.Errorf("%v is not there", path)
				return
			}
		}
		if at.value != want {
			t.Errorf("%v: %d, want %d", path, at.value, want)
		}
	}
	f(10)
	f(10, "main")
	f(8, "main", "middle")
	f(5, "main", "middle", "inlined", "leaf")
	f(3, "main", "middle", "other")
	if len(root.children) != 1 || root.depth() != 5 {
		t.Errorf("%d roots, depth %d", len(root.children), root.depth())
	}
}

// wellFormed reads XML to its end, and counts elements by name.
func wellFormed(t *testing.T, text string) map[string]int {
	t.Helper()
	count := make(map[string]int)
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return count
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if e, ok := token.(xml.StartElement); ok {
			count[e.Name.Local]++
		}
	}
}

func TestFlame(t *testing.T) {
	p := sampled("nanoseconds", map[string]int64{
		"fastpay/crypto/internal/eight.mul fastpay/node.(*batch).verify runtime.main": 600e6,
		"internal/runtime/syscall.Syscall6 runtime.main":                              398e6,
		"a.<b>&\"c\"[go.shape.int] runtime.main":                                      2e6,
		"never.seen runtime.main":                                                     1,
	})
	var b strings.Builder
	if err := WriteFlame(&b, p, `CPU of <one> & "all"`); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if n := wellFormed(t, text); n["svg"] != 1 || n["title"] != 6 || n["rect"] != 6+len(flameKinds) {
		t.Errorf("%v in\n%s", n, text)
	}
	for _, want := range []string{"fastpay/node.(*batch).verify: 600ms, 60.00 %", ">node.(*batch).verify<", `class="sig"`, `class="net"`, "cpu: 1s in all",
		"CPU of &lt;one&gt;", "a.&lt;b&gt;"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
	for _, outside := range []string{"<script", "href", "url(", "never.seen"} {
		if strings.Contains(text, outside) {
			t.Errorf("the graph has %s", outside)
		}
	}
	var again strings.Builder
	if err := WriteFlame(&again, p, `CPU of <one> & "all"`); err != nil || again.String() != text {
		t.Errorf("the same profile makes another graph, %v", err)
	}
}

// TestFlameOfAnything: deep and wide profiles stay in their bounds, and empty ones are an error.
func TestFlameOfAnything(t *testing.T) {
	deep := make([]string, 3*flameDeepest)
	wide := make(map[string]int64)
	for i := range deep {
		deep[i] = fmt.Sprintf("deep.f%d", i)
		wide[fmt.Sprintf("wide.f%d main", i)] = int64(i)
	}
	wide[strings.Join(deep, " ")] = 1 << 40
	var b strings.Builder
	if err := WriteFlame(&b, sampled("bytes", wide), "anything"); err != nil {
		t.Fatal(err)
	}
	if n := wellFormed(t, b.String()); n["title"] > flameDeepest+1 {
		t.Errorf("%d frames", n["title"])
	}
	for _, empty := range []*profile.Profile{{}, sampled("count", nil), sampled("count", map[string]int64{"f": 0})} {
		if err := WriteFlame(io.Discard, empty, ""); err == nil {
			t.Error("a graph of nothing")
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "bad.pprof"), []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"none.pprof", "bad.pprof"} {
		if err := WriteFlameFile(filepath.Join(dir, name), filepath.Join(dir, "out.svg"), ""); err == nil {
			t.Errorf("%s is drawn", name)
		}
	}
}

func TestShortFunction(t *testing.T) {
	for name, want := range map[string]string{
		"runtime.mallocgc":                                "runtime.mallocgc",
		"fastpay/node.(*batch).verify":                    "node.(*batch).verify",
		"fastpay/crypto/internal/eight.mul":               "eight.mul",
		"github.com/panjf2000/gnet/v2.(*eventloop).run":   "gnet/v2.(*eventloop).run",
		"github.com/x/y/v2/pkg/netpoll.Poll":              "netpoll.Poll",
		"slices.Sort[go.shape.[]fastpay/node.conn]":       "slices.Sort[go.shape.[]fastpay/node.conn]",
		"fastpay/node.f[go.shape.struct { fastpay/a.b }]": "node.f[go.shape.struct { fastpay/a.b }]",
		"": "",
	} {
		if got := shortFunction(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
