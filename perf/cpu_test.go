package perf

import (
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// fakeTopology writes package and core of each CPU as the kernel shows them.
func fakeTopology(t *testing.T, cores map[int][2]int) string {
	root := t.TempDir()
	for id, at := range cores {
		dir := filepath.Join(root, "cpu"+strconv.Itoa(id), "topology")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]int{"physical_package_id": at[0], "core_id": at[1]} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(strconv.Itoa(value)+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return root
}

func TestArrangePutsPhysicalCoresFirst(t *testing.T) {
	f := func(ids []int, cores map[int][2]int, want []int) {
		t.Helper()
		var got []int
		for _, c := range arrange(ids, fakeTopology(t, cores)) {
			got = append(got, c.ID)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%v: got %v, want %v", cores, got, want)
		}
	}
	// Siblings side by side, as on most Intel machines in a VM.
	f([]int{0, 1, 2, 3}, map[int][2]int{0: {0, 0}, 1: {0, 0}, 2: {0, 1}, 3: {0, 1}}, []int{0, 2, 1, 3})
	// Siblings in the second half.
	f([]int{0, 1, 2, 3}, map[int][2]int{0: {0, 0}, 1: {0, 1}, 2: {0, 0}, 3: {0, 1}}, []int{0, 1, 2, 3})
	// Core numbers repeat in the second socket.
	f([]int{0, 1, 2, 3}, map[int][2]int{0: {0, 0}, 1: {1, 0}, 2: {0, 0}, 3: {1, 0}}, []int{0, 1, 2, 3})
	// Only some CPUs are allowed: the sibling that is left is a core.
	f([]int{1, 3, 5}, map[int][2]int{0: {0, 0}, 1: {0, 0}, 2: {0, 1}, 3: {0, 1}, 4: {0, 2}, 5: {0, 2}}, []int{1, 3, 5})
	// No topology.
	f([]int{4, 7}, nil, []int{4, 7})
}

func TestCPUsAreThoseOfTheProcess(t *testing.T) {
	cpus, err := CPUs()
	if err != nil {
		t.Fatal(err)
	}
	if len(cpus) != runtime.NumCPU() {
		t.Errorf("%d CPUs, the runtime counts %d", len(cpus), runtime.NumCPU())
	}
	for i, id := range AllowedCPUs() {
		if id != cpus[i].ID {
			t.Errorf("number %d: CPU %d and %d", i, id, cpus[i].ID)
		}
	}
}

func TestParseCPUList(t *testing.T) {
	f := func(in string, want []int) {
		t.Helper()
		got, err := ParseCPUList(in)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v, %v, want %v", in, got, err, want)
		}
	}
	f("0", []int{0})
	f("3,0-1", []int{3, 0, 1})
	f("1023", []int{1023})

	refused := func(in string) {
		t.Helper()
		if got, err := ParseCPUList(in); err == nil {
			t.Errorf("%q: got %v, want an error", in, got)
		}
	}
	for _, in := range []string{"", ",", "a", "-1", "1-", "2-1", "1,1", "0-2,1", "1024", "0-99999999", "1--2", " 1"} {
		refused(in)
	}
}

func TestPinThread(t *testing.T) {
	cpus, err := CPUs()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { // never unlocked, so that the pinned thread ends with it
		runtime.LockOSThread()
		done <- PinThread(cpus[len(cpus)-1].ID)
		var set unix.CPUSet
		err := unix.SchedGetaffinity(0, &set)
		if err == nil && (set.Count() != 1 || !set.IsSet(cpus[len(cpus)-1].ID)) {
			t.Errorf("mask %v after pinning to CPU %d", setMembers(&set), cpus[len(cpus)-1].ID)
		}
		done <- err
	}()
	for range 2 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	for _, bad := range []int{-1, maxCPU} {
		if PinThread(bad) == nil {
			t.Errorf("pinned to CPU %d", bad)
		}
	}
}
