package perf

import (
	"bytes"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/cpuid/v2"
	"golang.org/x/sys/unix"
)

// Environment is the machine and the build that a result was measured with. Later versions add fields at the end.
type Environment struct {
	CPU           string   `json:"cpu"`
	Cores         int      `json:"cores"`    // logical CPUs that the process may use
	Features      []string `json:"features"` // instruction sets that the arithmetic can use
	CryptoBackend string   `json:"crypto_backend"`
	Kernel        string   `json:"kernel"`
	MemoryBytes   uint64   `json:"memory_bytes"`
	Go            string   `json:"go"`
	GOMAXPROCS    int      `json:"gomaxprocs"`
	GOGC          string   `json:"gogc"`
	Commit        string   `json:"commit"`
	Dirty         bool     `json:"dirty"`
	LoadBefore    float64  `json:"load_before"`   // 1-minute load average when the record was made
	StealPercent  float64  `json:"steal_percent"` // CPU time that the hypervisor gave to others, filled in with a Steal
	FrequencyMHz  float64  `json:"frequency_mhz"` // of the first CPU when the record was made, 0 when not shown

	ThreadsPerCore int `json:"threads_per_core"` // that the CPU has; a virtual machine may hide it

	RecordedAt string `json:"recorded_at"` // when the record was made: RFC 3339, UTC
}

// NewEnvironment records the machine as it is now; backend names the signature backend in use. StealPercent is left 0.
func NewEnvironment(backend string) Environment {
	e := Environment{
		CPU:           cpuid.CPU.BrandName,
		Cores:         len(AllowedCPUs()),
		Features:      Features(),
		CryptoBackend: backend,
		Kernel:        kernel(),
		MemoryBytes:   MemoryBytes(),
		Go:            runtime.Version(),
		GOMAXPROCS:    runtime.GOMAXPROCS(0),
		GOGC:          os.Getenv("GOGC"),

		ThreadsPerCore: max(1, cpuid.CPU.ThreadsPerCore),
		RecordedAt:     time.Now().UTC().Format(time.RFC3339),
	}
	if e.CPU == "" {
		e.CPU = cpuinfo("model name")
	}
	if e.GOGC == "" {
		e.GOGC = "100" // the runtime's default
	}
	e.Commit, e.Dirty = Commit()
	load, _ := os.ReadFile("/proc/loadavg")
	if fields := strings.Fields(string(load)); len(fields) > 0 {
		e.LoadBefore, _ = strconv.ParseFloat(fields[0], 64)
	}
	e.FrequencyMHz, _ = strconv.ParseFloat(cpuinfo("cpu MHz"), 64)
	return e
}

// mattering are the instruction sets that Ed25519 and SHA-512 arithmetic gains from.
var mattering = []string{
	"ADX", "AVX2", "AVX512F", "AVX512BW", "AVX512DQ", "AVX512VL", "AVX512VBMI", "AVX512VBMI2", "AVX512IFMA", "BMI2", "SHA",
	"ASIMD", "SHA512", "SVE",
}

// Features lists the instruction sets of this CPU that matter to signatures, sorted.
func Features() []string {
	found := make([]string, 0, len(mattering))
	for _, feature := range cpuid.CPU.FeatureSet() {
		if slices.Contains(mattering, feature) {
			found = append(found, feature)
		}
	}
	slices.Sort(found)
	return found
}

// cpuinfo is the first value of key in /proc/cpuinfo, "" when there is none.
func cpuinfo(key string) string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	return colonValue(text, key)
}

// colonValue finds the first line "key : value" in text.
func colonValue(text []byte, key string) string {
	for line := range bytes.Lines(text) {
		name, value, ok := bytes.Cut(line, []byte(":"))
		if ok && string(bytes.TrimSpace(name)) == key {
			return string(bytes.TrimSpace(value))
		}
	}
	return ""
}

func kernel() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
}

// MemoryBytes is the machine's memory, 0 when it can't be told.
func MemoryBytes() uint64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0
	}
	return uint64(info.Totalram) * uint64(info.Unit)
}
