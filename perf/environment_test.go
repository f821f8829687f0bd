package perf

import (
	"encoding/json"
	"runtime/debug"
	"testing"
)

func TestEnvironmentJSON(t *testing.T) {
	e := Environment{CPU: "c", Cores: 2, Features: []string{"AVX2"}, CryptoBackend: "voi", Kernel: "k", MemoryBytes: 3, Go: "go1",
		GOMAXPROCS: 4, GOGC: "100", Commit: "abc", Dirty: true, LoadBefore: 0.5, StealPercent: 1.5, FrequencyMHz: 2000,
		ThreadsPerCore: 1, RecordedAt: "2026-11-25T12:00:00Z"}
	got, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	// Readers of results rely on names and order: fields are added at the end, never changed.
	const want = `{"cpu":"c","cores":2,"features":["AVX2"],"crypto_backend":"voi","kernel":"k","memory_bytes":3,"go":"go1",` +
		`"gomaxprocs":4,"gogc":"100","commit":"abc","dirty":true,"load_before":0.5,"steal_percent":1.5,"frequency_mhz":2000,"threads_per_core":1,"recorded_at":"2026-11-25T12:00:00Z"}`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestNewEnvironmentFindsThisMachine(t *testing.T) {
	e := NewEnvironment("voi")
	if e.CPU == "" || e.Cores < 1 || e.Kernel == "" || e.MemoryBytes < 1<<26 || e.Go == "" || e.GOMAXPROCS < 1 || e.Commit == "" {
		t.Errorf("%+v", e)
	}
}

func TestCommit(t *testing.T) {
	defer func(was string) { commit = was }(commit)
	f := func(linked string, wantHash string, wantDirty bool) {
		t.Helper()
		commit = linked
		if hash, dirty := Commit(); hash != wantHash || dirty != wantDirty {
			t.Errorf("%q: got %q, %v", linked, hash, dirty)
		}
	}
	f("0a1b", "0a1b", false)
	f("0a1b-dirty", "0a1b", true)

	settings := []debug.BuildSetting{{Key: "vcs.revision", Value: "ff"}, {Key: "vcs.modified", Value: "true"}}
	if hash, dirty := vcsCommit(settings); hash != "ff" || !dirty {
		t.Errorf("got %q, %v", hash, dirty)
	}
	if hash, dirty := vcsCommit(nil); hash != "unknown" || dirty {
		t.Errorf("got %q, %v", hash, dirty)
	}
}
