package node

import (
	"errors"
	"os"
	"testing"

	"fastpay/codec"
	"fastpay/node/journal"
)

// TestAddedAccountsAreFundedOnce adds accounts to an authority of two journals, of which one was paid before.
func TestAddedAccountsAreFundedOnce(t *testing.T) {
	w := newWorld(t, 4, 2, 20)
	later := key('u', 1000)
	w.accounts = append(w.accounts, later)
	paid := len(w.accounts) - 1
	whole, few := w.accounts, w.accounts[:20]
	dir := t.TempDir()
	w.accounts = few
	halves := []Options{w.withAccounts(w.onDisk(dir, DurabilitySync, 0)), w.withAccounts(w.onDisk(dir, DurabilitySync, 1))}
	if _, err := AddAccounts(halves[0]); err == nil {
		t.Fatal("added to nothing")
	} else {
		wantRefusal(t, err, "no journal yet")
	}
	for _, o := range halves {
		w.once(o, nil)
	}
	w.accounts = whole
	payer := w.accountIn(w.shardOf(paid), 0)
	w.once(halves[w.shardOf(paid)], func(*Node) {
		w.dial(w.shardOf(payer)).ask(codec.AppendCertificate(nil, w.certificate(w.order(payer, paid, 7, 0))))
	})

	for i := range 20 {
		w.accounts = append(w.accounts, key('u', 2000+i))
	}
	more := w.withAccounts(w.onDisk(dir, DurabilitySync))
	for _, want := range []uint64{21, 0, 0} {
		done, err := AddAccounts(more)
		if err != nil || len(done) != 2 || done[0].Added+done[1].Added != want {
			t.Fatalf("%+v, %v; want %d", done, err, want)
		}
	}
	for shard := range 2 {
		o := w.withAccounts(w.onDisk(dir, DurabilitySync, shard))
		w.refused(halves[shard], o, "other initial accounts") // the list is longer now
		w.once(o, func(*Node) {
			for i := range w.accounts {
				want := uint64(initialBalance)
				switch i {
				case payer:
					want -= 7
				case paid:
					want += 7
				}
				if w.shardOf(i) == shard && w.balance(i) != want {
					t.Errorf("account %d has %d, want %d", i, w.balance(i), want)
				}
			}
		})
	}
}

// TestAddingFailsWhole lets each operation of the disk fail while accounts are added: afterwards all are there, or none,
// and a second try adds them.
func TestAddingFailsWhole(t *testing.T) {
	w := newWorld(t, 4, 2, 12)
	few, dir := w.accounts[:6], t.TempDir()
	name := w.members[0].Name
	d, err := openDataDir(dir, &name, []int{0, 1}, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(d.folder(), 0o700); err != nil { // the journal in it is in memory
		t.Fatal(err)
	}
	d.close()
	for fail := int64(1); ; fail++ {
		f := &faulty{w: w, mem: new(journal.MemFS), dir: dir, err: errInjected}
		whole := w.accounts
		w.accounts = few
		w.once(w.withAccounts(f.options()), nil)
		w.accounts = whole
		f.failAt = f.count.Load() + fail
		o := w.withAccounts(f.options())
		_, err := AddAccounts(o)
		if f.count.Load() < f.failAt {
			if err != nil || fail < 10 {
				t.Fatalf("%d operations, %v", fail, err)
			}
			return
		}
		if err != nil && !errors.Is(err, errInjected) {
			t.Fatalf("operation %d: %v", fail, err)
		}
		f.mem = f.mem.Crash(func() bool { return false })
		if _, err := AddAccounts(w.withAccounts(f.options())); err != nil {
			t.Fatalf("operation %d (%+v) failed, and then: %v", fail, f.failed, err)
		}
		f.h = newHistory(w)
		if err := f.restart(t); err != nil {
			t.Fatalf("operation %d (%+v): %v", fail, f.failed, err)
		}
	}
}
