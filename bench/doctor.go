package bench

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"fastpay/crypto"
	"fastpay/perf"
)

// Examination is what a machine is like for an authority, and what to change. Fields are added at the end.
type Examination struct {
	Schema      int              `json:"schema"`
	Environment perf.Environment `json:"environment"`
	System      perf.System      `json:"system"`
	Backends    []string         `json:"crypto_backends"` // that can run here, the best last
	Calibration Calibration      `json:"calibration"`
	Disk        DiskCheck        `json:"disk"`
	Findings    []Finding        `json:"findings"`
}

// Calibration is what the machine did in a few seconds.
type Calibration struct {
	Seconds           float64      `json:"seconds"`
	OrdersPerCore     float64      `json:"orders_per_second_per_core"` // payers' signatures checked, with all cores at work
	VotesPerCore      float64      `json:"votes_per_second_per_core"`  // votes checked, with all cores at work
	VotesAlone        float64      `json:"votes_per_second_alone"`     // votes checked by one core while the others rest
	PaymentsPerSecond float64      `json:"payments_per_second_bound"`  // of all cores, by signatures alone, in a committee of four
	Loopback          perf.Timings `json:"loopback_round_trip"`
	StealPercent      float64      `json:"steal_percent"`
}

// DiskCheck is how long a disk takes to keep something.
type DiskCheck struct {
	Dir        string       `json:"dir"`
	FileSystem string       `json:"file_system"`
	Sync       perf.Timings `json:"sync"`
	Error      string       `json:"error,omitempty"`
}

// Finding is something that makes this machine slower, or its measurements worth less, and the command that changes it.
type Finding struct {
	What   string `json:"what"`
	Change string `json:"change"` // "" when no command does
}

// Parts of the calibration's time.
const (
	partOrders = 0.25
	partVotes  = 0.25
	partAlone  = 0.15
	partLoop   = 0.2
	partDisk   = 0.15
)

// Examine looks at this machine for about seconds, and tries the disk of dir. What is wrong is in the findings; an error is a
// canceled ctx.
func Examine(ctx context.Context, dir string, seconds float64) (*Examination, error) {
	x := &Examination{Schema: schemaVersion, Environment: perf.NewEnvironment(crypto.Backend()), System: perf.NewSystem(),
		Backends: crypto.Backends(), Findings: []Finding{}}
	steal, began := perf.NewSteal(), time.Now()
	part := func(share float64) time.Duration { return time.Duration(share * seconds * float64(time.Second)) }
	probe, err := newProbe(newWorkload(1, doctorCommittee), crypto.BatchSize()/doctorCommittee)
	if err != nil {
		return nil, err
	}
	c, cores := &x.Calibration, len(perf.AllowedCPUs())
	c.OrdersPerCore = probe.rate(ctx, cores, part(partOrders), true, false)
	c.VotesPerCore = probe.rate(ctx, cores, part(partVotes), false, true)
	c.VotesAlone = probe.rate(ctx, 1, part(partAlone), false, true)
	c.PaymentsPerSecond = float64(cores) / (1/c.OrdersPerCore + float64(len(probe.work.voters))/c.VotesPerCore)
	if c.Loopback, err = perf.RoundTrips(ctx, part(partLoop)); err != nil {
		x.find("", "loopback does not work: %s", err)
	}
	x.Disk = checkDisk(dir, part(partDisk))
	c.Seconds, c.StealPercent = time.Since(began).Seconds(), perf.NewSteal().PercentSince(steal)
	x.Environment.StealPercent = c.StealPercent
	x.judge()
	return x, ctx.Err()
}

// doctorCommittee is the size of the committee whose payments are tried.
const doctorCommittee = 4

// rate checks signatures on so many threads at once, and returns how many each checked a second.
func (p *probe) rate(ctx context.Context, threads int, atMost time.Duration, orders, votes bool) float64 {
	var total atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for range threads {
		all.Go(func() {
			runtime.LockOSThread() // ends with the goroutine
			v := p.verifier()
			for first := true; first || time.Since(began) < atMost && ctx.Err() == nil; first = false {
				total.Add(int64(p.check(v, orders, votes)))
			}
		})
	}
	all.Wait()
	return float64(total.Load()) / time.Since(began).Seconds() / float64(threads)
}

func checkDisk(dir string, atMost time.Duration) DiskCheck {
	d := DiskCheck{Dir: dir, FileSystem: perf.FileSystem(dir)}
	var err error
	if d.Sync, err = perf.SyncLatency(dir, atMost); err != nil {
		d.Error = err.Error()
	}
	return d
}

// WriteText prints x on one screen.
func (x *Examination) WriteText(w io.Writer) error {
	var b strings.Builder
	e, s, c := &x.Environment, &x.System, &x.Calibration
	fmt.Fprintf(&b, "%s\n MACHINE\n", rule)
	line(&b, "CPU", "%s, %d CPUs on %d cores in %d %s, %d threads a core", e.CPU, e.Cores, s.PhysicalCores, s.Sockets,
		plural(s.Sockets, "socket"), e.ThreadsPerCore)
	line(&b, "Instruction sets", "%s", orNone(strings.Join(e.Features, " ")))
	line(&b, "Signatures", "backend %s, of %s", e.CryptoBackend, strings.Join(x.Backends, ", "))
	line(&b, "Frequency", "%s now, %s at most, governor %s", megahertz(e.FrequencyMHz), megahertz(s.FrequencyMaxMHz), orNone(s.Governor))
	line(&b, "CPU quota", "%s", orNone(cpus(s.CPUQuota)))
	line(&b, "Load, steal", "%.2f, %.1f %% of CPU time", s.LoadNow, c.StealPercent)
	line(&b, "Memory", "%.1f GiB", float64(e.MemoryBytes)/(1<<30))
	line(&b, "Kernel, Go", "%s, %s, GOMAXPROCS %d, GOGC %s", e.Kernel, e.Go, e.GOMAXPROCS, e.GOGC)
	line(&b, "Descriptors", "%s, may be raised to %s", grouped(int(s.OpenFiles)), grouped(int(s.OpenFilesHard)))
	line(&b, "Socket buffers", "%s KiB to receive, %s KiB to send; %s connections wait to be accepted",
		grouped(s.ReceiveBufferMax>>10), grouped(s.SendBufferMax>>10), grouped(s.ListenQueueMax))
	if x.Disk.Error != "" {
		line(&b, "Disk", "%s", x.Disk.Error)
	} else {
		line(&b, "Disk", "%s (%s): a sync takes %s", x.Disk.Dir, x.Disk.FileSystem, timings(x.Disk.Sync))
	}
	fmt.Fprintf(&b, "\n CALIBRATION, %.1f s\n", c.Seconds)
	line(&b, "Votes checked", "%s/s and core with all at work, %s/s by one alone", grouped(int(c.VotesPerCore)), grouped(int(c.VotesAlone)))
	line(&b, "Orders checked", "%s/s and core with all at work", grouped(int(c.OrdersPerCore)))
	line(&b, "Bound of payments", "%s/s by checking signatures alone, committee of %d, all cores, nothing else on them",
		grouped(int(c.PaymentsPerSecond)), doctorCommittee)
	line(&b, "Loopback round trip", "%s", timings(c.Loopback))
	fmt.Fprintf(&b, "\n TO CHANGE\n")
	for _, f := range x.Findings {
		fmt.Fprintf(&b, " - %s\n", f.What)
		if f.Change != "" {
			fmt.Fprintf(&b, "     %s\n", f.Change)
		}
	}
	if len(x.Findings) == 0 {
		fmt.Fprintf(&b, " nothing\n")
	}
	fmt.Fprintln(&b, rule)
	_, err := io.WriteString(w, b.String())
	return err
}

func timings(t perf.Timings) string {
	return fmt.Sprintf("p50 %.0f, p99 %.0f, max %.0f µs (%s times)", t.P50Us, t.P99Us, t.MaxUs, grouped(t.Times))
}

func megahertz(mhz float64) string {
	if mhz == 0 {
		return "not shown"
	}
	return fmt.Sprintf("%.0f MHz", mhz)
}

func cpus(n float64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f CPUs", n)
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
