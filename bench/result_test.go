package bench

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"fastpay/perf"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (go test ./bench -rewrite writes it anew); got\n%s", file, got)
	}
}

// example is a good result with a value in every field.
func example() *Result {
	us := func(v int64) *int64 { return &v }
	p := Percentiles{us(9000), us(11000), us(14500), us(18250), us(21000)}
	return &Result{
		Schema: 1, Command: []string{"fastpay", "bench", "--protocol=tcp", "--committee-size=4"}, Seed: 42, Protocol: "tcp", CommitteeSize: 4,
		NumShards: 2, NumAccounts: 20000, MaxInFlight: 1000, Durability: "none", Seconds: 10, PaymentsOK: 412345,
		PaymentsPerSec: 41234.5, OrdersOK: 412345, ConfirmationsOK: 412345, Conserved: true, Valid: true, Flags: []string{},
		LatencyUs: Latency{p, p}, CPUUsPerPayment: CPUUse{44.25, 0.75}, SignaturesPerPay: 4, MeanBatch: 500, BytesPerPayment: 1003,
		PeakRSSBytes: 80 << 20, GCCycles: 3,
		Environment: perf.Environment{CPU: "A CPU", Cores: 2, Features: []string{"AVX2", "SHA"}, CryptoBackend: "voi", Kernel: "Linux 6",
			MemoryBytes: 8 << 30, Go: "go1.26.8", GOMAXPROCS: 4, GOGC: "100", Commit: "0123456789abcdef0123", LoadBefore: 0.25,
			StealPercent: 0.5, FrequencyMHz: 2600, ThreadsPerCore: 1, RecordedAt: "2026-11-25T12:00:00Z"},
		PerSecond: []int{41234, 41235}, WarmUp: WarmUp{2, 80000}, Prepare: Preparing{500000, 480000, 1.5}, Workers: 2,
		JournalBytesPerPay: 700, SyncsPerPayment: 0.004,
		PerCore: 20617.25, WindowNotFullPercent: 3, NodeIdlePercent: 1, AllocsPerPayment: 0.01, GCPauseUs: 250, BatchP999Us: 9000,
		Rejections: []string{}, ConfirmedAll: 500000, Notes: []string{"shared-cores: the generator runs on the authority's 2 cores"},
		Profiles: []string{}, Phase: "payments", RatePerSec: 41234.5, RatePerCore: 20617.25, Connections: 1,
		StartSeconds: 0.25, RSSQuartersBytes: []int64{78 << 20, 79 << 20, 80 << 20, 80 << 20}, Budget: exampleBudget(),
	}
}

func exampleBudget() *Budget {
	b := &Budget{SumUs: 43.5, MeasuredUs: 44.25, Samples: 1820}
	for i, name := range stageNames {
		b.Stages = append(b.Stages, Stage{Name: name, Us: float64(i) / 2})
	}
	b.Stages[stageRead].Bytes, b.Stages[stageReply].Bytes = 608, 395
	return b
}

// alone is a result of one phase.
func alone(p Phase) *Result {
	r := example()
	r.Phase, r.PaymentsOK, r.PaymentsPerSec, r.PerCore = p.String(), 0, 0, 0
	if p == Orders {
		r.ConfirmationsOK, r.LatencyUs.Confirmation = 0, Percentiles{}
	} else {
		r.OrdersOK, r.LatencyUs.Order = 0, Percentiles{}
	}
	return r
}

// broken is a result that may not be quoted.
func broken() *Result {
	r := example()
	r.Protocol, r.CommitteeSize = "udp", 20
	r.Rejected, r.Lost, r.Retransmitted, r.Conserved, r.Valid = 3, 2, 17, false, false
	r.Flags = []string{FlagRejected, FlagLost, FlagNotConserved, FlagUnsteady}
	r.Rejections = []string{"order: Unknown sender's account"}
	r.Stopped = errHungUp.Error()
	r.LatencyUs.Confirmation.P999 = nil
	return r
}

// nothing is a result without a measurement.
func nothing() *Result {
	r := example()
	r.CommitteeSize, r.PaymentsOK, r.PaymentsPerSec, r.PerCore, r.Valid = 10, 0, 0, 0, false
	r.RatePerSec, r.RatePerCore = 0, 0
	r.Flags, r.Rejected, r.LatencyUs = []string{FlagNothing, FlagRejected}, 2000, Latency{}
	r.Stopped = errRefusing.Error()
	return r
}

func TestResultJSON(t *testing.T) {
	b, err := json.MarshalIndent(example(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "result.json", append(b, '\n'))
}

// TestResultKeepsItsFields holds the names and the order of the first version: readers of results rely on them.
func TestResultKeepsItsFields(t *testing.T) {
	want := strings.Fields(`schema command seed protocol committee_size num_shards num_accounts max_in_flight durability seconds
		payments_ok payments_per_second orders_ok confirmations_ok rejected lost retransmitted conserved valid flags latency_us
		cpu_us_per_payment signatures_per_payment mean_batch bytes_per_payment peak_rss_bytes gc_cycles environment`)
	typ := reflect.TypeFor[Result]()
	for i, name := range want {
		if got := typ.Field(i).Tag.Get("json"); got != name {
			t.Errorf("field %d is %q, was %q", i, got, name)
		}
	}
}

func TestResultFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "deep", "result.json")
	want := example()
	for range 2 { // also over an older one
		if err := want.WriteFile(file); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ReadResult(file)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files are left, %v", len(entries), err)
	}
	for _, bad := range []string{"", "{}", "[1]", "tx/sec: 5"} {
		if err := os.WriteFile(file, []byte(bad), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadResult(file); err == nil {
			t.Errorf("%q is read as a result", bad)
		}
	}
}

func TestText(t *testing.T) {
	for name, r := range map[string]*Result{"text-good.txt": example(), "text-broken.txt": broken(), "text-nothing.txt": nothing(),
		"text-orders.txt": alone(Orders), "text-confirmations.txt": alone(Confirmations)} {
		var b bytes.Buffer
		if err := r.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.Bytes())
	}
}

func TestReport(t *testing.T) {
	file := filepath.Join(t.TempDir(), "RESULTS.md")
	us := func(v int64) *int64 { return &v }
	latency := &TransferLatency{Protocol: "tcp", CommitteeSize: 4, Transfers: 2000,
		Certificate: Percentiles{P50: us(510), P90: us(700)}, Settled: Percentiles{P50: us(900)}}
	update := func(results ...*Result) string {
		t.Helper()
		if err := (&Report{Results: results, Transfers: latency}).Update(file); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	first := update(example(), nothing(), broken(), alone(Orders), alone(Confirmations))
	golden(t, "report.md", []byte(first))
	if again := update(example(), nothing(), broken(), alone(Orders), alone(Confirmations)); again != first {
		t.Errorf("writing it twice changes it:\n%s", again)
	}
	// What others wrote stays.
	if err := os.WriteFile(file, []byte("# Mine\n\nbefore\n\n"+strings.TrimPrefix(first, reportTitle)+"\nafter\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	mixed := update(example())
	if !strings.HasPrefix(mixed, "# Mine\n\nbefore\n\n"+partResults.begin()) || !strings.HasSuffix(mixed, partResults.end()+"\n\nafter\n") ||
		strings.Contains(mixed, FlagUnsteady) {
		t.Errorf("got\n%s", mixed)
	}
	// A file without the markers grows.
	if got, err := partResults.splice("# Other\n", "x\n"); err != nil || !strings.HasPrefix(got, "# Other\n\n"+partResults.begin()) {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := partResults.splice(partResults.begin()+"\nand no end", "x\n"); err == nil {
		t.Error("a report with one marker is rewritten")
	}
	if err := (&Report{Transfers: latency}).Update(file); err == nil {
		t.Error("a report of nothing")
	}
}

func TestPaper(t *testing.T) {
	points, err := paperPoints()
	if err != nil {
		t.Fatal(err)
	}
	f := func(committee int, orders, confirmations, payments float64, interpolated bool) {
		t.Helper()
		p, ok := paperAt(points, committee)
		if !ok || int(p.orders) != int(orders) || int(p.confirmations) != int(confirmations) || int(p.payments()) != int(payments) ||
			p.interpolated != interpolated {
			t.Errorf("committee of %d: got %+v, payments %v, %v", committee, p, p.payments(), ok)
		}
	}
	f(4, 149937, 154143, 76005, false)
	f(10, 147246, 109925, 62938, false)
	f(19, 149388, 75432, 50123, false)
	f(20, 149864, 73033, 49103, true)
	f(28, 148016, 57406, 41364, false)
	for _, outside := range []int{1, 3, 29, 100} {
		if p, ok := paperAt(points, outside); ok {
			t.Errorf("committee of %d: %+v", outside, p)
		}
	}
}

func TestVerdicts(t *testing.T) {
	f := func(r *Result, requireValid bool, want int) {
		t.Helper()
		if got := exitCode(t, r.Err(requireValid)); got != want {
			t.Errorf("flags %v: exit code %d, want %d", r.Flags, got, want)
		}
	}
	flagged := func(flags ...string) *Result {
		r := example()
		r.Flags, r.Valid = flags, len(flags) == 0
		return r
	}
	f(flagged(), true, 0)
	f(flagged(FlagShortWindow, FlagUnsteady, FlagGeneratorBound), false, 0)
	for _, flag := range []string{FlagShortWindow, FlagUnsteady, FlagGeneratorBound, FlagInterrupted, FlagExhausted} {
		f(flagged(flag), false, 0)
		f(flagged(flag), true, ExitNotValid)
	}
	for _, flag := range []string{FlagNothing, FlagRejected, FlagLost, FlagNotAudited} {
		f(flagged(flag), false, ExitFailed)
	}
	f(broken(), false, ExitUnconserved)
}
