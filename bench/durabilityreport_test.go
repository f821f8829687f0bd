package bench

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"fastpay/node"
)

// writeDurability writes the folder of what durability costs and gives into an example of a run directory.
func writeDurability(t *testing.T, dir string) {
	t.Helper()
	us := func(v int64) *int64 { return &v }
	dir = filepath.Join(dir, durabilityFolder)
	for i, rate := range []float64{412000, 351000, 433000, 377000} {
		r := example()
		r.Durability, r.RatePerSec = []string{"none", "sync"}[i%2], rate
		r.JournalBytesPerPay, r.SyncsPerPayment = float64(i%2)*610.5, float64(i%2)*0.0034
		if err := r.WriteFile(filepath.Join(dir, durabilityTurnsFolder, fmt.Sprintf("4-%d-%s.json", 1+i/2, r.Durability))); err != nil {
			t.Fatal(err)
		}
	}
	soak, snapshots := example(), example()
	soak.Durability, soak.PaymentsOK, soak.Node.Snapshots = "sync", 2*longRun, 3
	soak.LiveHeap = newLiveHeap([]HeapPoint{{300_000, 0, 51_000_000, 1}, {700_000, 1, 51_200_000, 1}, {900_000, 2, 51_050_000, 1}})
	snapshots.Durability, snapshots.NumAccounts = "sync", 1_000_000
	snapshots.Snapshots = &SnapshotEffect{Made: 3, Seconds: 7.25, Bytes: 119 << 20, During: Percentiles{us(610), us(700), us(1720), us(3110), us(4150)},
		Else:  Percentiles{us(590), us(690), us(1680), us(3020), us(4230)},
		Loops: &LoopWaits{During: LoopWait{7.25, 81000, 2900, 0}, Else: LoopWait{22.5, 140000, 6200, 2}}}
	snapshots.Recovery = &RecoveryTime{StartSeconds: 3.1, SnapshotSeconds: 0.45, Records: 1_700_000, Bytes: 700 << 20, ReplaySeconds: 0.81,
		FromDisk: true, SameBooks: true, Certificates: 1000, ColdUs: Percentiles{P50: us(310), P99: us(560)},
		AgainUs: Percentiles{P50: us(170), P99: us(220)}, PlainUs: Percentiles{P50: us(150), P99: us(190)}}
	l := &TransferLatency{Protocol: "tcp", CommitteeSize: 1, Transfers: 2000, Certificate: Percentiles{P50: us(310)},
		Settled: Percentiles{P50: us(590)}, Durability: "sync", Environment: example().Environment,
		Command: []string{"fastpay", "bench", "transfers"},
		Memory:  &MemoryLatency{Certificate: Percentiles{P50: us(190)}, Settled: Percentiles{P50: us(340)}, SyncP50Us: 93}}
	restart := &RestartTime{Accounts: 10_000_000, NumShards: 2, Seconds: 6.21, FirstSeconds: 31.5, FromDisk: true, PeakRSSBytes: 1900 << 20,
		Environment: example().Environment, Command: []string{"fastpay", "bench", "restart"}}
	for _, err := range []error{soak.WriteFile(filepath.Join(dir, durabilitySoak)), snapshots.WriteFile(filepath.Join(dir, durabilitySnapshots)),
		l.WriteFile(filepath.Join(dir, transfersFile)), restart.WriteFile(filepath.Join(dir, durabilityRestart))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	again, err := ReadRestartTime(filepath.Join(dir, durabilityRestart))
	if err != nil || again.Seconds != restart.Seconds {
		t.Fatalf("read again: %+v, %v", again, err)
	}
}

// TestDurabilityReport: the median of the ratios of turns, by committee; a file whose name says something else than its run
// is refused.
func TestDurabilityReport(t *testing.T) {
	dir := t.TempDir()
	write := func(name, durability string, committee int, rate float64) {
		t.Helper()
		r := example()
		r.Durability, r.CommitteeSize, r.RatePerSec = durability, committee, rate
		if durability == string(node.DurabilityNone) {
			r.SyncsPerPayment, r.JournalBytesPerPay = 0, 0
		}
		if err := r.WriteFile(filepath.Join(dir, durabilityFolder, durabilityTurnsFolder, name+".json")); err != nil {
			t.Fatal(err)
		}
	}
	none, sync := string(node.DurabilityNone), string(node.DurabilitySync)
	for i, rate := range []float64{70, 90, 80} {
		turn := fmt.Sprintf("4-%d-", 1+i)
		write(turn+none, none, 4, 100)
		write(turn+sync, sync, 4, rate)
	}
	write("4-1-async", "async", 4, 85)
	write("20-1-none", none, 20, 50)
	write("20-1-sync", sync, 20, 30)
	text, err := markdownOf(dir)
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for _, want := range []string{
		"",
		"\n| 4 | none | 3 | 100 | - | 9.0 / 14.5 / 18.2 | 44.25 | 0 | - | 0 / 0 | yes | valid |\n",
		"| 4 | async | 1 | 85 | **0.85** | ",
		"| 4 | sync | 3 | 80 | **0.80** (0.70 to 0.90) | 9.0 / 14.5 / 18.2 | 44.25 | 700 | 250 | 0 / 0 | yes | valid |\n",
		"| 20 | none | 1 | 50 | - |",
		"| 20 | sync | 1 | 30 | **0.60** |",
		"Measured 2026-11-25 at commit 0123456789ab. ",
	} {
		i := strings.Index(text[at:], want)
		if i < 0 {
			t.Fatalf("expected in this order: %s\n%s", want, text)
		}
		at += i
	}
	for _, name := range []string{"4-4-none", "4-4-more", "4-sync"} {
		write(name, sync, 4, 1)
		if _, err := ReadRunDir(dir); err == nil || !strings.Contains(err.Error(), "COMMITTEE-TURN-MODE") {
			t.Errorf("%s: %v", name, err)
		}
		removeResult(t, filepath.Join(dir, durabilityFolder, durabilityTurnsFolder, name+".json"))
	}
}

// TestDurabilityReportHasEverything: each part of the folder is in the report, with its figures.
func TestDurabilityReportHasEverything(t *testing.T) {
	dir := t.TempDir()
	writeDurability(t, dir)
	text, err := markdownOf(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| Order to certificate | 0.190 | 0.310 | 1.29 |",
		"| 4,000,000 | 3 | **+0.14** ± 0.31 | 48.6 / 48.7 | 78, 79, 80, 80 |",
		"| while one is made | 0.6 / 1.7 / 3.1 / 4.2 | 2.9 | 0 |", "| else | 0.6 / 1.7 / 3.0 / 4.2 | 6.2 | 2 |",
		"**2,098,765 records/s**, 0.91 GB/s", "p50 / p99 0.31 / 0.56 ms, of 1,000", "**6.21 s** from the start of the process",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
