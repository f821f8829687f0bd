package perf

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// System is what the kernel allows this process, and how it runs the CPUs. What can't be read is zero or "".
type System struct {
	OpenFiles        uint64  `json:"open_files"`         // descriptors that this process may have now
	OpenFilesHard    uint64  `json:"open_files_hard"`    // and may raise that to
	ReceiveBufferMax int     `json:"receive_buffer_max"` // bytes that a socket may ask for
	SendBufferMax    int     `json:"send_buffer_max"`
	ListenQueueMax   int     `json:"listen_queue_max"` // connections that wait to be accepted
	Governor         string  `json:"governor"`         // of the first CPU's frequency
	FrequencyMaxMHz  float64 `json:"frequency_max_mhz"`
	CPUQuota         float64 `json:"cpu_quota"` // CPUs that the control group grants; 0 means no limit
	LoadNow          float64 `json:"load_now"`  // 1-minute load average
	PhysicalCores    int     `json:"physical_cores"`
	Sockets          int     `json:"sockets"`
}

// NewSystem reads it now.
func NewSystem() System { return readSystem("/") }

// readSystem reads below root, but for limits and CPUs, which are the process's.
func readSystem(root string) System {
	s := System{
		ReceiveBufferMax: number(root, "proc/sys/net/core/rmem_max"),
		SendBufferMax:    number(root, "proc/sys/net/core/wmem_max"),
		ListenQueueMax:   number(root, "proc/sys/net/core/somaxconn"),
		Governor:         word(root, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
		FrequencyMaxMHz:  float64(number(root, "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq")) / 1e3,
		CPUQuota:         quota(word(root, "sys/fs/cgroup/cpu.max")),
	}
	var files unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &files) == nil {
		s.OpenFiles, s.OpenFilesHard = files.Cur, files.Max
	}
	s.LoadNow, _ = strconv.ParseFloat(first(word(root, "proc/loadavg")), 64)
	cores, sockets := make(map[[2]int]bool), make(map[int]bool)
	cpus, _ := CPUs()
	for _, c := range cpus {
		cores[[2]int{c.Package, c.Core}], sockets[c.Package] = true, true
	}
	s.PhysicalCores, s.Sockets = len(cores), len(sockets)
	return s
}

// word is a file's text without spaces around it, "" when it can't be read.
func word(root, file string) string {
	text, _ := os.ReadFile(filepath.Join(root, file))
	return strings.TrimSpace(string(text))
}

func number(root, file string) int {
	n, _ := strconv.Atoi(word(root, file))
	return n
}

func first(text string) string {
	word, _, _ := strings.Cut(text, " ")
	return word
}

// quota reads "MICROSECONDS PERIOD" or "max PERIOD" as CPUs.
func quota(text string) float64 {
	granted, period, _ := strings.Cut(text, " ")
	g, errGranted := strconv.ParseFloat(granted, 64)
	p, errPeriod := strconv.ParseFloat(period, 64)
	if errGranted != nil || errPeriod != nil || p <= 0 {
		return 0
	}
	return g / p
}
