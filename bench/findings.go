package bench

import (
	"fmt"
	"runtime"
	"slices"
)

// What a machine should have. Below, something is worth changing.
const (
	enoughDescriptors  = 65_536  // connections of many clients, beside ports and logs
	enoughSocketBuffer = 8 << 20 // what a node asks for each UDP socket
	enoughListenQueue  = 1024    // clients that come at once
	enoughMemory       = 2 << 30 // certificates of a run, prepared and archived
	muchSteal          = 1       // percent: a window loses as much
	muchLoad           = 0.25    // of each core, by other programs
	slowSyncUs         = 10_000  // p99: each reply waits for one
	slowLoopbackUs     = 200     // p99 of an idle machine
	slowestGovernor    = 0.8     // of the highest frequency
	fastestBackend     = "ifma"  // where the CPU has it
	fastestNeeds       = "AVX512IFMA"
	instantSyncUs      = 2 // no disk is as fast: it does not sync
)

func (x *Examination) find(change, format string, args ...any) {
	x.Findings = append(x.Findings, Finding{fmt.Sprintf(format, args...), change})
}

// judge lists what is worth changing, what costs most first.
func (x *Examination) judge() {
	x.judgeCPU()
	x.judgeLimits()
	x.judgeDisk()
}

func (x *Examination) judgeCPU() {
	e, s, c := &x.Environment, &x.System, &x.Calibration
	if best := x.Backends[len(x.Backends)-1]; e.CryptoBackend != best {
		x.find("unset FASTPAY_CRYPTO", "signatures are checked by %s, and %s would be faster", e.CryptoBackend, best)
	} else if best != fastestBackend && slices.Contains(e.Features, fastestNeeds) {
		x.find("", "the CPU has %s, and the backend that uses it does not run here", fastestNeeds)
	} else if best != fastestBackend && runtime.GOARCH == "amd64" {
		x.find("", "the CPU has no %s: with it (Intel Ice Lake, AMD Zen 4, or later) signatures are checked several times as fast",
			fastestNeeds)
	}
	if s.Governor != "" && s.Governor != "performance" {
		x.find("sudo cpupower frequency-set -g performance", "the frequency follows the load (governor %s): short windows are slower", s.Governor)
	}
	if s.FrequencyMaxMHz > 0 && e.FrequencyMHz > 0 && e.FrequencyMHz < slowestGovernor*s.FrequencyMaxMHz {
		x.find("", "the CPU runs at %.0f of %.0f MHz: it may be hot, or save power", e.FrequencyMHz, s.FrequencyMaxMHz)
	}
	if s.CPUQuota > 0 && s.CPUQuota < float64(e.Cores) {
		x.find("docker update --cpus 0 CONTAINER  # or the limit of the pod",
			"the control group grants %.1f of %d CPUs: a loop that has used its share stops in the middle of a batch", s.CPUQuota, e.Cores)
	}
	if c.StealPercent > muchSteal {
		x.find("", "the hypervisor gave %.1f %% of the CPU time to others: measure on a machine of your own, or several times "+
			"(fastpay bench compare tells noise from change)", c.StealPercent)
	}
	if s.LoadNow > muchLoad*float64(e.Cores) {
		x.find("ps -eo pcpu,comm --sort=-pcpu | head", "other programs use the CPUs (load %.2f): stop them before a measurement", s.LoadNow)
	}
	if e.Cores < 2 {
		x.find("", "one CPU: the load generator takes its time from the authority")
	}
	if c.Loopback.P99Us > slowLoopbackUs {
		x.find("", "a message to another thread takes %.0f µs (p99): the machine is busy, or its CPUs sleep deeply", c.Loopback.P99Us)
	}
}

func (x *Examination) judgeLimits() {
	e, s := &x.Environment, &x.System
	if s.OpenFilesHard < enoughDescriptors {
		x.find("ulimit -Hn 1048576  # as root, or LimitNOFILE= of the service",
			"%s descriptors at most: an authority refuses connections beyond", grouped(int(s.OpenFilesHard)))
	}
	for _, buffer := range [...]struct {
		name, key string
		bytes     int
	}{{"receive", "rmem_max", s.ReceiveBufferMax}, {"send", "wmem_max", s.SendBufferMax}} {
		if buffer.bytes > 0 && buffer.bytes < enoughSocketBuffer {
			x.find(fmt.Sprintf("sudo sysctl -w net.core.%s=%d", buffer.key, enoughSocketBuffer),
				"UDP sockets may buffer %s KiB to %s: bursts of datagrams are lost, and sent again", grouped(buffer.bytes>>10), buffer.name)
		}
	}
	if s.ListenQueueMax > 0 && s.ListenQueueMax < enoughListenQueue {
		x.find(fmt.Sprintf("sudo sysctl -w net.core.somaxconn=%d", 4*enoughListenQueue),
			"%d connections may wait to be accepted: many clients that come at once wait for a second try", s.ListenQueueMax)
	}
	if e.MemoryBytes > 0 && e.MemoryBytes < enoughMemory {
		x.find("", "%.1f GiB of memory: runs are prepared with fewer payments", float64(e.MemoryBytes)/(1<<30))
	}
}

func (x *Examination) judgeDisk() {
	d := &x.Disk
	switch {
	case d.Error != "":
		x.find("fastpay doctor --dir FOLDER", "the disk can't be tried: %s", d.Error)
	case d.FileSystem == "tmpfs":
		x.find("fastpay doctor --dir FOLDER", "%s is in memory: nothing that is kept there outlives the machine", d.Dir)
	case d.Sync.P50Us < instantSyncUs:
		x.find("", "a sync in %s takes %.1f µs: it does not reach a disk", d.Dir, d.Sync.P50Us)
	case d.Sync.P99Us > slowSyncUs:
		x.find("fastpay doctor --dir FOLDER  # on another disk", "a sync in %s takes %.1f ms (p99): each reply of a durable authority waits for one",
			d.Dir, d.Sync.P99Us/1e3)
	}
}
