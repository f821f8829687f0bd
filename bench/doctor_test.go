package bench

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"fastpay/perf"
)

// healthy is a machine on which there is nothing to change.
func healthy() *Examination {
	x := &Examination{Schema: 1, Environment: example().Environment, Backends: []string{"generic", "voi", "ifma"}, Findings: []Finding{}}
	x.Environment.CryptoBackend, x.Environment.StealPercent = "ifma", 0
	x.Environment.Features = []string{"AVX2", "AVX512IFMA"}
	x.System = perf.System{OpenFiles: 1024, OpenFilesHard: 1 << 20, ReceiveBufferMax: 16 << 20, SendBufferMax: 16 << 20, ListenQueueMax: 4096,
		Governor: "performance", FrequencyMaxMHz: 2600, LoadNow: 0.1, PhysicalCores: 2, Sockets: 1}
	x.Calibration = Calibration{Seconds: 3, OrdersPerCore: 400_000, VotesPerCore: 1_000_000, VotesAlone: 1_100_000, PaymentsPerSecond: 363_636,
		Loopback: perf.Timings{Times: 20_000, P50Us: 12, P99Us: 20, MaxUs: 300}}
	x.Disk = DiskCheck{Dir: "/data", FileSystem: "ext4", Sync: perf.Timings{Times: 400, P50Us: 900, P99Us: 1500, MaxUs: 9000}}
	return x
}

func TestFindings(t *testing.T) {
	if x := healthy(); true {
		if x.judge(); len(x.Findings) != 0 {
			t.Errorf("a healthy machine: %+v", x.Findings)
		}
	}
	f := func(what, change string, spoil func(*Examination)) {
		t.Helper()
		x := healthy()
		spoil(x)
		x.judge()
		if len(x.Findings) != 1 || !strings.Contains(x.Findings[0].What, what) || !strings.HasPrefix(x.Findings[0].Change, change) {
			t.Errorf("%s: %+v", what, x.Findings)
		}
	}
	f("ifma would be faster", "unset FASTPAY_CRYPTO", func(x *Examination) { x.Environment.CryptoBackend = "voi" })
	f("has no AVX512IFMA", "", func(x *Examination) {
		x.Backends, x.Environment.CryptoBackend, x.Environment.Features = x.Backends[:2], "voi", nil
	})
	f("does not run here", "", func(x *Examination) { x.Backends, x.Environment.CryptoBackend = x.Backends[:2], "voi" })
	f("governor powersave", "sudo cpupower", func(x *Examination) { x.System.Governor = "powersave" })
	f("1000 of 2600 MHz", "", func(x *Examination) { x.Environment.FrequencyMHz = 1000 })
	f("grants 1.5 of 2", "docker update", func(x *Examination) { x.System.CPUQuota = 1.5 })
	f("gave 4.0 %", "", func(x *Examination) { x.Calibration.StealPercent = 4 })
	f("load 3.00", "ps ", func(x *Examination) { x.System.LoadNow = 3 })
	f("one CPU", "", func(x *Examination) { x.Environment.Cores = 1 })
	f("900 µs (p99)", "", func(x *Examination) { x.Calibration.Loopback.P99Us = 900 })
	f("4,096 descriptors", "ulimit -Hn", func(x *Examination) { x.System.OpenFilesHard = 4096 })
	f("208 KiB to receive", "sudo sysctl -w net.core.rmem_max=8388608", func(x *Examination) { x.System.ReceiveBufferMax = 212992 })
	f("208 KiB to send", "sudo sysctl -w net.core.wmem_max=8388608", func(x *Examination) { x.System.SendBufferMax = 212992 })
	f("128 connections", "sudo sysctl -w net.core.somaxconn=4096", func(x *Examination) { x.System.ListenQueueMax = 128 })
	f("1.0 GiB of memory", "", func(x *Examination) { x.Environment.MemoryBytes = 1 << 30 })
	f("no such folder", "fastpay doctor --dir", func(x *Examination) { x.Disk.Error = "no such folder" })
	f("in memory", "fastpay doctor --dir", func(x *Examination) { x.Disk.FileSystem = "tmpfs" })
	f("does not reach a disk", "", func(x *Examination) { x.Disk.Sync.P50Us = 0.5 })
	f("25.0 ms (p99)", "fastpay doctor --dir", func(x *Examination) { x.Disk.Sync.P99Us = 25_000 })
}

func TestDoctorText(t *testing.T) {
	x := healthy()
	x.System.OpenFilesHard, x.System.Governor = 4096, "powersave"
	x.judge()
	var b bytes.Buffer
	if err := x.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "doctor.txt", b.Bytes())
}

// TestExamine: a short look at the machine of the test finds plausible figures, and keeps them as JSON.
func TestExamine(t *testing.T) {
	x, err := Examine(t.Context(), t.TempDir(), 0.05)
	if err != nil {
		t.Fatal(err)
	}
	c := x.Calibration
	if c.VotesPerCore < 1000 || c.OrdersPerCore < 1000 || c.VotesAlone < c.VotesPerCore/10 || c.Loopback.Times == 0 || x.Disk.Sync.Times == 0 {
		t.Errorf("got %+v, %+v", c, x.Disk)
	}
	text, err := json.Marshal(x)
	if err != nil || !bytes.Contains(text, []byte(`"findings":[`)) {
		t.Errorf("%s, %v", text, err)
	}
}

// TestProbeIsValid: what the calibration checks is good, so that it does not time refusals.
func TestProbeIsValid(t *testing.T) {
	p, err := newProbe(newWorkload(1, doctorCommittee), 10)
	if err != nil {
		t.Fatal(err)
	}
	v := p.verifier()
	if n := p.check(v, true, true); n != 10*(1+len(p.work.voters)) || n != v.Len() {
		t.Errorf("%d of %d checks", n, v.Len())
	}
	for i := range v.Len() {
		if !v.Valid(i) {
			t.Errorf("check %d is refused", i)
		}
	}
}
