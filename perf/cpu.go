package perf

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// CPU is a logical processor that this process may run on.
type CPU struct {
	ID      int // the kernel's number, as in /proc/cpuinfo
	Package int // socket
	Core    int // physical core; unique within its package only
	Thread  int // rank among the allowed CPUs of its core, 0 for the first
}

// sysCPU is where the kernel shows the topology.
const sysCPU = "/sys/devices/system/cpu"

// CPUs lists the logical processors that this process may use, one of each physical core first, then their siblings, by
// number within each. The answer is that of the first call: a thread that is pinned later does not change it.
var CPUs = sync.OnceValues(func() ([]CPU, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(os.Getpid(), &set); err != nil {
		return nil, fmt.Errorf("perf: allowed CPUs: %w", err)
	}
	return arrange(setMembers(&set), sysCPU), nil
})

// AllowedCPUs is the numbers of CPUs, in its order; never empty.
func AllowedCPUs() []int {
	cpus, err := CPUs()
	if err != nil || len(cpus) == 0 {
		cpus = arrange(make([]int, 1), sysCPU) // there is always CPU 0
	}
	ids := make([]int, len(cpus))
	for i := range cpus {
		ids[i] = cpus[i].ID
	}
	return ids
}

func setMembers(set *unix.CPUSet) []int {
	members := make([]int, 0, set.Count())
	for id := 0; len(members) < set.Count(); id++ {
		if set.IsSet(id) {
			members = append(members, id)
		}
	}
	return members
}

// arrange orders ids as CPUs does, with the topology below root. A CPU whose topology can't be read counts as a core of
// its own.
func arrange(ids []int, root string) []CPU {
	cpus := make([]CPU, 0, len(ids))
	seen := make(map[[2]int]int)
	for _, id := range ids {
		c := CPU{ID: id, Package: -1, Core: id}
		dir := filepath.Join(root, "cpu"+strconv.Itoa(id), "topology")
		pkg, errPkg := readInt(filepath.Join(dir, "physical_package_id"))
		core, errCore := readInt(filepath.Join(dir, "core_id"))
		if errPkg == nil && errCore == nil {
			c.Package, c.Core = pkg, core
		}
		key := [2]int{c.Package, c.Core}
		c.Thread = seen[key]
		seen[key]++
		cpus = append(cpus, c)
	}
	slices.SortStableFunc(cpus, func(a, b CPU) int { return a.Thread - b.Thread })
	return cpus
}

func readInt(file string) (int, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// maxCPU bounds the numbers in a list of CPUs to what an affinity mask holds.
const maxCPU = len(unix.CPUSet{}) * strconv.IntSize

// ParseCPUList reads a list of CPU numbers as the kernel writes them: "0,2-3". Order is kept; a number may stand once.
func ParseCPUList(s string) ([]int, error) {
	var ids []int
	for _, part := range strings.Split(s, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, errFrom := strconv.Atoi(first)
		to, errTo := strconv.Atoi(last)
		if errFrom != nil || errTo != nil || from < 0 || to < from || to >= maxCPU {
			return nil, fmt.Errorf("perf: %q in a list of CPUs: expected a number below %d or a range, as in 0,2-3", part, maxCPU)
		}
		for id := from; id <= to; id++ {
			if slices.Contains(ids, id) {
				return nil, fmt.Errorf("perf: CPU %d stands twice in %q", id, s)
			}
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// PinThread binds the calling thread to one CPU. The goroutine must have called runtime.LockOSThread.
func PinThread(cpu int) error {
	if cpu < 0 || cpu >= maxCPU {
		return fmt.Errorf("perf: pin to CPU %d: no such CPU", cpu)
	}
	var set unix.CPUSet
	set.Set(cpu)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("perf: pin to CPU %d: %w", cpu, err)
	}
	return nil
}
