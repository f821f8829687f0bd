package audit

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPairs: one process's folder is put back to an older state.
func TestPairs(t *testing.T) {
	folder := t.TempDir()
	a, b := newProcess(t, folder, 0, 1), newProcess(t, folder, 2)
	pay := func(from, to *process, sender, recipient int, sequence uint64) {
		from.settle(certify(newOrder(sender, toPayer(recipient), 1, sequence), 3), to)
	}
	pay(a, b, payerIn(0, 0), payerIn(2, 0), 0)
	old := filepath.Join(t.TempDir(), "old")
	if err := os.CopyFS(old, os.DirFS(a.path)); err != nil {
		t.Fatal(err)
	}
	pay(a, b, payerIn(0, 0), payerIn(2, 0), 1)
	pay(b, a, payerIn(2, 0), payerIn(0, 0), 0)
	b.acknowledge(2, 0, 1, a.cores[0].CursorSum(2))
	a.close()
	b.close()
	o := Options{Verify: true, Committee: testCommittee(t)}
	if r := audited(t, folder, o); !r.OK() || len(r.Pairs) != 2 {
		t.Fatalf("%+v", r)
	}
	if err := errors.Join(os.RemoveAll(a.path), os.CopyFS(a.path, os.DirFS(old))); err != nil {
		t.Fatal(err)
	}
	r := audited(t, folder, o)
	if r.OK() || len(r.Problems) != 2 || !strings.Contains(r.Problems[0].Text, "was the receiver put back") ||
		!strings.Contains(r.Problems[1].Text, "shard 2 has 2 credits of shard 0, which sent 1") {
		t.Errorf("%+v", r.Problems)
	}
	for _, j := range r.Journals {
		if !j.OK() {
			t.Errorf("%+v", j)
		}
	}
}

// TestPairsThatDiffer: as many credits as were sent arrived at another process, but not the same ones. The sums tell, and
// where amounts differ, so does the total.
func TestPairsThatDiffer(t *testing.T) {
	folder := t.TempDir()
	a, b := newProcess(t, folder, 0, 1), newProcess(t, folder, 2)
	sender, other := payerIn(0, 0), payerIn(0, 1)
	a.settle(certify(newOrder(sender, toPayer(payerIn(2, 0)), 5, 0), 3), b)
	a.settle(certify(newOrder(sender, toPayer(payerIn(2, 0)), 5, 1), 3)) // and this one is under way
	o := Options{Verify: true, Committee: testCommittee(t), Accounts: initialAccounts}
	total := func(r *Report) Total {
		if len(r.Totals) != 1 {
			t.Fatalf("%d totals", len(r.Totals))
		}
		return *r.Totals[0]
	}
	a.close()
	b.close()
	r := audited(t, folder, o)
	if want := (Total{r.Journals[0].Authority, "8995", "5", "9000"}); !r.OK() || total(r) != want || r.Pairs[0].InFlight != "5" {
		t.Errorf("%+v, %+v, %+v", total(r), r.Pairs[0], r.Problems)
	}

	if err := os.RemoveAll(b.path); err != nil {
		t.Fatal(err)
	}
	b = newProcess(t, folder, 2)
	if err := b.cores[2].Credit(0, 1, 0, certify(newOrder(other, toPayer(payerIn(2, 0)), 7, 0), 3)); err != nil {
		t.Fatal(err)
	}
	b.commit()
	b.close()
	r = audited(t, folder, o)
	if r.OK() || len(r.Problems) != 2 || !strings.Contains(r.Problems[1].Text, "they are not the same payments") ||
		!strings.Contains(r.Problems[0].Text, "accounts have 8997, and 5 is under way, but 9000 was put in") {
		t.Errorf("%+v", r.Problems)
	}
	if r = audited(t, b.path, o); !r.OK() || len(r.Totals) != 0 {
		t.Errorf("one of two journals: %+v, %+v", r.Totals, r.Problems)
	}
}
