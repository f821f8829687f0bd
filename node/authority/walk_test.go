package authority

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"fastpay/codec"
)

// What is walked is what Load brings into shards.
func TestWalkSnapshotMatchesLoad(t *testing.T) {
	snapshot := sampleSnapshot(t)
	shards := emptyShards(t, 2)
	if err := Load(bytes.NewReader(snapshot), shards); err != nil {
		t.Fatal(err)
	}
	heads, accounts, pending := 0, 0, 0
	begin := func(h *SnapshotShard) error {
		s := shards[heads]
		heads++
		for other := range 2 {
			got := [5]uint64{h.Cursors[other], h.Issued[other], h.Acknowledged[other], h.CursorSums[other], h.AcknowledgedSums[other]}
			want := [5]uint64{s.Cursor(other), s.Issued(other), s.Acknowledged(other), s.CursorSum(other), s.AcknowledgedSum(other)}
			if got != want {
				t.Errorf("shard %d with %d: %v, want %v", h.Shard, other, got, want)
			}
		}
		if h.Shard != heads-1 || h.LastTransaction != s.LastTransaction() {
			t.Errorf("head %d: %+v", heads-1, h)
		}
		return nil
	}
	err := WalkSnapshot(bytes.NewReader(snapshot), 2, []int{0, 1}, begin, func(shard int, a *SnapshotAccount) error {
		s := shards[shard]
		want := s.table.find(&a.Address)
		if want == nil || a.Balance != want.balance || a.Next != want.next || a.Received != want.received ||
			a.Synchronized != want.synchronized || a.ConfirmedLinks != want.confirmedChain.links() ||
			a.ReceivedLinks != want.receivedChain.links() || a.Pending.IsZero() != (want.pending == 0) {
			t.Errorf("shard %d: %+v, want %+v", shard, a, want)
		} else if !a.Pending.IsZero() && !bytes.Equal(a.Pending.Bytes(), s.pending.slots.at(want.pending-1).orderBytes()) {
			t.Errorf("another order of %s is pending", codec.FormatAddress(&a.Address))
		}
		accounts++
		if !a.Pending.IsZero() {
			pending++
		}
		return nil
	})
	if err != nil || accounts != int(shards[0].table.accounts.n+shards[1].table.accounts.n) || pending == 0 {
		t.Errorf("%d accounts, %d with an order, %v", accounts, pending, err)
	}
}

func TestWalkSnapshotErrors(t *testing.T) {
	snapshot := sampleSnapshot(t)
	nothing := func(*SnapshotShard) error { return nil }
	none := func(int, *SnapshotAccount) error { return nil }
	bad := errors.New("enough")
	f := func(what string, b []byte, want error, begin func(*SnapshotShard) error, visit func(int, *SnapshotAccount) error) {
		t.Helper()
		if err := WalkSnapshot(bytes.NewReader(b), 2, []int{0, 1}, begin, visit); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	f("begin fails", snapshot, bad, func(*SnapshotShard) error { return bad }, none)
	f("visit fails", snapshot, bad, nothing, func(int, *SnapshotAccount) error { return bad })
	f("cut", snapshot[:len(snapshot)-1], ErrSnapshot, nothing, none)
	f("more", append(slices.Clone(snapshot), 0), ErrSnapshot, nothing, none)
	f("nothing", nil, ErrSnapshot, nothing, none)
}
