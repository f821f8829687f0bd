package bench

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fastpay/node"
)

// writeJournal writes the folder of what a journal costs into an example of a run directory.
func writeJournal(t *testing.T, dir string) {
	t.Helper()
	us := func(v int64) *int64 { return &v }
	for i, rate := range []float64{412000, 351000, 433000, 377000} {
		r := example()
		r.Durability, r.RatePerSec = []string{"none", "sync"}[i%2], rate
		r.JournalBytesPerPay, r.SyncsPerPayment = float64(i%2)*610.5, float64(i%2)*0.0034
		if err := r.WriteFile(filepath.Join(dir, journalFolder, journalPairs, "4-"+string(rune('1'+i/2))+"-"+string(rune('1'+i%2))+".json")); err != nil {
			t.Fatal(err)
		}
	}
	soak := example()
	soak.Durability, soak.PaymentsOK, soak.Node.Snapshots = "sync", 2*longRun, 3
	l := &TransferLatency{Protocol: "tcp", CommitteeSize: 1, Transfers: 2000, Certificate: Percentiles{P50: us(310)},
		Settled: Percentiles{P50: us(590)}, Durability: "sync", Environment: example().Environment,
		Command: []string{"fastpay", "bench", "transfers"},
		Memory:  &MemoryLatency{Certificate: Percentiles{P50: us(190)}, Settled: Percentiles{P50: us(340)}, SyncP50Us: 93}}
	restart := &RestartTime{Accounts: 10_000_000, NumShards: 2, Seconds: 6.21, FromDisk: true, PeakRSSBytes: 1900 << 20,
		Environment: example().Environment, Command: []string{"fastpay", "bench", "restart"}}
	for _, err := range []error{soak.WriteFile(filepath.Join(dir, journalFolder, journalSoak, "payments.json")),
		l.WriteFile(filepath.Join(dir, journalFolder, transfersFile)), restart.WriteFile(filepath.Join(dir, journalFolder, journalRestart))} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestRestart starts an authority twice, the second time from its snapshot.
func TestRestart(t *testing.T) {
	r, err := RunRestart(context.Background(), RestartOptions{Accounts: 5000, NumShards: 2, DataDir: t.TempDir(), Stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	if r.Seconds <= 0 || r.FirstSeconds <= 0 || r.DiskBytes < 5000*49 {
		t.Errorf("%+v", r)
	}
	file := filepath.Join(t.TempDir(), "restart.json")
	if err := r.WriteFile(file); err != nil {
		t.Fatal(err)
	}
	if again, err := ReadRestartTime(file); err != nil || again.Seconds != r.Seconds {
		t.Errorf("read again: %+v, %v", again, err)
	}
	if _, err := RunRestart(context.Background(), RestartOptions{}); err == nil {
		t.Error("no accounts: no error")
	}
}

// TestJournalReport: the median of the ratios of pairs, by committee; runs that are not in turn are refused.
func TestJournalReport(t *testing.T) {
	dir := t.TempDir()
	write := func(name, durability string, committee int, rate float64) {
		t.Helper()
		r := example()
		r.Durability, r.CommitteeSize, r.RatePerSec = durability, committee, rate
		path := filepath.Join(dir, journalFolder, journalPairs, name+".json")
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := r.WriteFile(path); err != nil {
			t.Fatal(err)
		}
	}
	none, sync := string(node.DurabilityNone), string(node.DurabilitySync)
	for i, rate := range []float64{70, 90, 80} {
		pair := "4-" + string(rune('1'+i))
		write(pair+"-1", none, 4, 100)
		write(pair+"-2", sync, 4, rate)
	}
	write("20-1-1", none, 20, 50)
	write("20-1-2", sync, 20, 30)
	r, err := ReadRunDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := r.Markdown()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| 4 | 100 | 80 | **0.80** (0.70 to 0.90) |", "| 20 | 50 | 30 | **0.60** (0.60 to 0.60) |"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	write("4-4-1", sync, 4, 1)
	if _, err := ReadRunDir(dir); err == nil || !strings.Contains(err.Error(), "in turn") {
		t.Errorf("not in turn: %v", err)
	}
}
