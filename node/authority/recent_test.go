package authority

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"fastpay/codec"
)

// chosenAddress has the first bytes that whoever wants all orders to have one place chooses.
func chosenAddress(n uint64) (a codec.Address) {
	binary.LittleEndian.PutUint64(a[16:], n)
	return a
}

// TestMergerKeepsPendingOrders gives a Merger so many orders that most don't find room, or have to go before they are
// settled, and then settles every other one, some soon and some late, in place of one by another order of the same number.
// Those that are left must all be in the snapshot, and no other, whoever chose the addresses.
func TestMergerKeepsPendingOrders(t *testing.T) {
	for _, orders := range []int{slotsOfPlace + 1, fewerSlots + 10, 3 * recentFew, 2*recentMost + 100} {
		for name, payer := range map[string]func(uint64) codec.Address{"any": address, "chosen": chosenAddress} {
			for _, apart := range []int{3, 100, recentMost, 3 * recentMost} { // an order and its settlement
				for _, memory := range []int{1, 50, 10 * recentMost} { // records that stay
					if apart > 10*orders || name == "chosen" && orders > recentMost {
						continue
					}
					t.Run(fmt.Sprintf("%s/orders=%d/apart=%d/memory=%d", name, orders, apart, memory), func(t *testing.T) {
						testPendingOrders(t, orders, apart, memory, payer)
					})
				}
			}
		}
	}
}

func testPendingOrders(t *testing.T, orders, apart, memory int, payer func(uint64) codec.Address) {
	m, err := NewMerger(nil, 1, []int{0})
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(orders) {
		a := payer(i)
		if err := m.Fund(&a, codec.NewBalance(1<<40)); err != nil {
			t.Fatal(err)
		}
	}
	var kept []Logged
	at := Position(1 << 32)
	add := func(change func(w *writer)) {
		log := newTestLog()
		change(&writer{log: log, members: worldCommittee})
		kept = append(kept, Logged{0, at, log.batch[0].record})
		at += 1000
		if err := m.AddAll(kept[len(kept)-1:]); err != nil {
			t.Fatal(err)
		}
		if len(kept) > memory {
			if err := m.Leave(kept[0].At + 1); err != nil {
				t.Fatal(err)
			}
			clear(kept[0].Record)
			kept = kept[1:]
		}
	}
	transfer := func(i int, amount uint64) codec.Transfer {
		return codec.Transfer{Sender: payer(uint64(i)), Recipient: toPrimary(3), Amount: amount}
	}
	for i := range orders + apart {
		if i < orders {
			order := transfer(i, 1)
			add(func(w *writer) { w.order(codec.NewOrder(&order, &testSignature)) })
		}
		if n := i - apart; n >= 0 && n%2 == 0 {
			settled := transfer(n, 1+uint64(n/2%2))
			o := codec.NewOrder(&settled, &testSignature)
			add(func(w *writer) { w.settlement(certify(o), &chain{}, nil, -1, 0) })
		}
	}
	var snapshot bytes.Buffer
	if err := m.Write(&snapshot); err != nil {
		t.Fatal(err)
	}
	seen := 0
	err = WalkSnapshot(&snapshot, 1, []int{0}, func(*SnapshotShard) error { return nil },
		func(_ int, a *SnapshotAccount) error {
			seen++
			if a.Pending.IsZero() == (a.Next == 0) || !a.Pending.IsZero() && *a.Pending.Sender() != a.Address {
				t.Errorf("%x: %d payments, pending order %v", a.Address[:24], a.Next, !a.Pending.IsZero())
			}
			return nil
		})
	if err != nil || seen != orders {
		t.Errorf("%d accounts of %d: %v", seen, orders, err)
	}
}
