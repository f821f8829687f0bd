package perf

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Usage is what a process or thread has consumed since it began. Differences of two are what counts.
type Usage struct {
	CPU                time.Duration // user and system
	PeakRSSBytes       int64         // largest resident memory; of the process, since the last ResetPeakRSS
	VoluntarySwitches  int64         // times it waited
	PreemptiveSwitches int64         // times it was taken off a CPU
}

// ProcessUsage is the usage of this process with all its threads.
func ProcessUsage() Usage { return usage(unix.RUSAGE_SELF, unix.CLOCK_PROCESS_CPUTIME_ID) }

// ThreadUsage is the usage of the calling thread; the goroutine must be locked to it. PeakRSSBytes is the process's.
func ThreadUsage() Usage { return usage(unix.RUSAGE_THREAD, unix.CLOCK_THREAD_CPUTIME_ID) }

// usage takes CPU time from a clock, because getrusage may know it to the last timer tick only.
func usage(who int, clock int32) Usage {
	var r unix.Rusage
	var cpu unix.Timespec
	if unix.Getrusage(who, &r) != nil || unix.ClockGettime(clock, &cpu) != nil { // fail for bad arguments only
		return Usage{}
	}
	u := Usage{
		CPU:                time.Duration(cpu.Nano()),
		PeakRSSBytes:       r.Maxrss << 10,
		VoluntarySwitches:  r.Nvcsw,
		PreemptiveSwitches: r.Nivcsw,
	}
	// Unlike ru_maxrss, VmHWM can be reset.
	if status, err := os.ReadFile("/proc/self/status"); err == nil {
		kib, unit, _ := strings.Cut(colonValue(status, "VmHWM"), " ")
		if n, err := strconv.ParseInt(kib, 10, 64); err == nil && unit == "kB" {
			u.PeakRSSBytes = n << 10
		}
	}
	return u
}

// ResetPeakRSS makes the peak of resident memory begin anew, with what is resident now.
func ResetPeakRSS() error {
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		return fmt.Errorf("perf: reset peak memory: %w", err)
	}
	return nil
}

// RunQueueWait is how long all threads of this process together were ready to run and had no CPU, since each began; 0
// when the kernel does not tell. With CPU time it separates a process that had no work from one that was kept from it.
func RunQueueWait() time.Duration { return RunQueueWaitOf(os.Getpid()) }

// RunQueueWaitOf is RunQueueWait of another process.
func RunQueueWaitOf(pid int) time.Duration {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	var total time.Duration
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil { // the thread has just ended
			continue
		}
		total += runQueueWait(string(text))
	}
	return total
}

// runQueueWait reads the second of schedstat's three numbers: time on a CPU (ns), time waiting for one (ns), time slices.
func runQueueWait(schedstat string) time.Duration {
	fields := strings.Fields(schedstat)
	if len(fields) != 3 {
		return 0
	}
	wait, _ := strconv.ParseInt(fields[1], 10, 64)
	return time.Duration(wait)
}

// Steal is a moment in the machine's account of CPU time, in the kernel's ticks.
type Steal struct{ stolen, total uint64 }

// NewSteal reads the account now; it is zero when it can't be read.
func NewSteal() Steal {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return Steal{}
	}
	return parseSteal(string(text))
}

// parseSteal reads the line "cpu user nice system idle iowait irq softirq steal guest guest_nice". Guest time is already
// in user time.
func parseSteal(stat string) Steal {
	const stolen, counted = 8, 9
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	if len(fields) < counted || fields[0] != "cpu" {
		return Steal{}
	}
	var s Steal
	for i, field := range fields[1:counted] {
		ticks, err := strconv.ParseUint(field, 10, 64)
		if err != nil {
			return Steal{}
		}
		s.total += ticks
		if i+1 == stolen {
			s.stolen = ticks
		}
	}
	return s
}

// PercentSince is the share of all CPU time since earlier that the hypervisor gave to others, 0 to 100.
func (s Steal) PercentSince(earlier Steal) float64 {
	if s.total <= earlier.total || s.stolen < earlier.stolen {
		return 0
	}
	return 100 * float64(s.stolen-earlier.stolen) / float64(s.total-earlier.total)
}
