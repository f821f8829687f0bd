package authority

import (
	"bytes"
	"testing"

	"fastpay/codec"
)

// TestMergerKeepsPendingOrdersThatLoseTheirPlace gives a Merger so many orders that most find their place taken, and
// settles every other one: those that are left must all be in the snapshot, and no other.
func TestMergerKeepsPendingOrdersThatLoseTheirPlace(t *testing.T) {
	const accounts = 3 * recentFew
	j := &benchJournal{}
	p := newPayments(t, accounts, 0, j)
	m, err := NewMerger(nil, 1, []int{0})
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(accounts) {
		a := address(i)
		if err := m.Fund(&a, codec.NewBalance(1<<40)); err != nil {
			t.Fatal(err)
		}
	}
	cert := newBenchCertificate(3)
	raw, dst := patchable{cert.Bytes()}, make([]byte, 0, 1000)
	for i := range uint64(accounts) {
		raw.set(i, (i+1)%accounts, 0)
		p.shard.Order(dst, cert.Order())
	}
	for i := uint64(0); i < accounts; i += 2 {
		raw.set(i, (i+1)%accounts, 0)
		p.shard.Certificate(dst, cert)
	}
	for _, r := range j.records {
		if err := m.Add(0, r.at, r.record); err != nil {
			t.Fatal(err)
		}
	}
	var snapshot bytes.Buffer
	if err := m.Write(&snapshot); err != nil {
		t.Fatal(err)
	}
	var pending, settled int
	err = WalkSnapshot(&snapshot, 1, []int{0}, func(*SnapshotShard) error { return nil },
		func(_ int, a *SnapshotAccount) error {
			if !a.Pending.IsZero() {
				pending++
			}
			settled += int(a.Next)
			if a.Pending.IsZero() == (a.Next == 0) {
				t.Errorf("%s: %d payments, pending order %v", codec.FormatAddress(&a.Address), a.Next, !a.Pending.IsZero())
			}
			return nil
		})
	if err != nil || pending != accounts/2 || settled != accounts/2 {
		t.Errorf("%d pending, %d settled of %d: %v", pending, settled, accounts, err)
	}
}
