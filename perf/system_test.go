package perf

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestReadSystem(t *testing.T) {
	root := t.TempDir()
	for file, text := range map[string]string{
		"proc/sys/net/core/rmem_max":                           "212992\n",
		"proc/sys/net/core/wmem_max":                           "many",
		"proc/loadavg":                                         "1.25 0.5 0.1 1/99 1234\n",
		"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave\n",
		"sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq": "3500000\n",
		"sys/fs/cgroup/cpu.max":                                "150000 100000\n",
	} {
		path := filepath.Join(root, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := readSystem(root)
	if s.ReceiveBufferMax != 212992 || s.SendBufferMax != 0 || s.ListenQueueMax != 0 || s.LoadNow != 1.25 || s.Governor != "powersave" ||
		s.FrequencyMaxMHz != 3500 || s.CPUQuota != 1.5 {
		t.Errorf("got %+v", s)
	}
	if s.OpenFiles == 0 || s.OpenFilesHard < s.OpenFiles || s.PhysicalCores < 1 || s.Sockets < 1 || s.PhysicalCores > len(AllowedCPUs()) {
		t.Errorf("of this process: %+v", s)
	}
	if nothing := readSystem(filepath.Join(root, "none")); nothing.LoadNow != 0 || nothing.Governor != "" || nothing.CPUQuota != 0 {
		t.Errorf("of no files: %+v", nothing)
	}
}

func TestQuota(t *testing.T) {
	for text, want := range map[string]float64{"max 100000": 0, "50000 100000": 0.5, "": 0, "1 0": 0, "x y": 0, "200000 100000": 2} {
		if got := quota(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestSyncLatency(t *testing.T) {
	dir := t.TempDir()
	got, err := SyncLatency(dir, 20*time.Millisecond)
	if err != nil || got.Times < 1 || got.P50Us <= 0 || got.P99Us < got.P50Us || got.MaxUs < got.P99Us {
		t.Errorf("%+v, %v", got, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
	if _, err := SyncLatency(filepath.Join(dir, "none"), time.Millisecond); err == nil {
		t.Error("a folder that is not there")
	}
	if FileSystem(dir) == "" || FileSystem(filepath.Join(dir, "none")) != "" {
		t.Errorf("file systems %q and %q", FileSystem(dir), FileSystem(filepath.Join(dir, "none")))
	}
}

func TestRoundTrips(t *testing.T) {
	got, err := RoundTrips(t.Context(), 20*time.Millisecond)
	if err != nil || got.Times < 1 || got.P50Us <= 0 || got.MaxUs < got.P99Us {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestNewTimings(t *testing.T) {
	took := make([]time.Duration, 100)
	for i := range took {
		took[99-i] = time.Duration(i+1) * time.Microsecond
	}
	if got := newTimings(took); got != (Timings{100, 50, 99, 100}) {
		t.Errorf("got %+v", got)
	}
	if got := newTimings(nil); got != (Timings{}) {
		t.Errorf("of nothing: %+v", got)
	}
}
