package perf

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	pprofile "github.com/google/pprof/profile"

	"fastpay/perf/leaks"
)

func TestMain(m *testing.M) { os.Exit(leaks.Checked(m).Run()) }

func TestParseProfiles(t *testing.T) {
	for _, list := range []string{"", "cpu", "cpu,mem,mutex,block,trace,clock", "allocs"} {
		if _, err := ParseProfiles(list); err != nil {
			t.Errorf("%q: %v", list, err)
		}
	}
	for _, list := range []string{",", "cpu,", "gpu", "cpu,cpu", "mem,allocs"} {
		if kinds, err := ParseProfiles(list); err == nil {
			t.Errorf("%q: got %v, want an error", list, kinds)
		}
	}
}

// work gives every kind of profile something to see for a while.
func work() {
	lock := make(chan struct{}, 1)
	for end := time.Now().Add(120 * time.Millisecond); time.Now().Before(end); {
		sink = bytes.Repeat([]byte("x"), 1<<16)
		lock <- struct{}{}
		go func() { time.Sleep(time.Millisecond); <-lock }()
		lock <- struct{}{}
		<-lock
	}
}

var sink []byte

func takeProfiles(t *testing.T, kinds []string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "made", "here")
	p, err := StartProfiles(kinds, dir)
	if err != nil {
		t.Fatal(err)
	}
	work()
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	hints := strings.Join(p.Hints(), "\n")
	for _, kind := range kinds {
		file := filepath.Join(dir, fileName(kind))
		if !strings.Contains(hints, file) {
			t.Errorf("%s: no hint how to open it in\n%s", kind, hints)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if kind == "trace" {
			if !bytes.HasPrefix(b, []byte("go 1.")) {
				t.Errorf("trace begins with %q", b[:min(16, len(b))])
			}
			continue
		}
		if _, err := pprofile.ParseData(b); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestEachProfileAlone(t *testing.T) {
	for _, kind := range ProfileKinds {
		t.Run(kind, func(t *testing.T) { takeProfiles(t, []string{kind}) })
	}
}

func TestProfilesAtOnce(t *testing.T) {
	takeProfiles(t, []string{"cpu", "mem", "mutex", "block", "trace", "clock"})
	takeProfiles(t, []string{"cpu", "allocs"})
}

func TestMemoryProfileSeesItsWindowAlone(t *testing.T) {
	defer func(rate int) { runtime.MemProfileRate = rate }(runtime.MemProfileRate)
	Prepare([]string{"allocs"})
	window := func(f func()) (before, within int64) {
		dir := t.TempDir()
		p, err := StartProfiles([]string{"allocs"}, dir)
		if err != nil {
			t.Fatal(err)
		}
		f()
		if err := p.Stop(); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "mem.pprof")
		return allocations(t, file, "allocateBeforeTheWindow"), allocations(t, file, "allocateInTheWindow")
	}
	before0, within0 := window(func() {}) // what earlier runs of this test left
	for range 100 {
		allocateBeforeTheWindow()
	}
	before, within := window(allocateInTheWindow)
	if within-within0 != 1 {
		t.Errorf("%d allocations in the window are seen, want 1", within-within0)
	}
	if n := before - before0; n > int64(runtime.GOMAXPROCS(0)) {
		t.Errorf("%d of 100 allocations before the window are in its profile", n)
	}
}

// allocations counts those that function made itself.
func allocations(t *testing.T, file, function string) (n int64) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := pprofile.ParseData(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, sample := range parsed.Sample {
		if strings.HasSuffix(sample.Location[0].Line[0].Function.Name, function) {
			n += sample.Value[0] // alloc_objects
		}
	}
	return n
}

//go:noinline
func allocateBeforeTheWindow() { sink = make([]byte, 8<<20) }

//go:noinline
func allocateInTheWindow() { sink = make([]byte, 8<<20) }

func TestProfilesInABadFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := StartProfiles([]string{"cpu"}, file); err == nil {
		t.Error("no error for a file in place of the folder")
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "cpu.pprof"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := StartProfiles([]string{"cpu"}, dir); err == nil {
		t.Error("no error for a folder in place of the file, alone")
	}
	if _, err := StartProfiles([]string{"mutex", "cpu"}, dir); err == nil {
		t.Error("no error for a folder in place of the file, beside another")
	}
	if p, err := StartProfiles([]string{"cpu"}, t.TempDir()); err != nil {
		t.Error("a failed start left a profile running:", err)
	} else if err := p.Stop(); err != nil {
		t.Error(err)
	}
}
