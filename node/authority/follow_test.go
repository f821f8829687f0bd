package authority

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"fastpay/codec"
)

// Records that do not follow from the snapshot, or from those before, are refused by a merger, and by a shard.
func TestRecordsThatDoNotFollow(t *testing.T) {
	const shards = 3
	from, to := owner(0, shards, 0), owner(1, shards, 0)
	snapshot := firstSnapshot(t, shards, map[codec.Address]codec.Balance{testKey(from): codec.NewBalance(100)})
	record := func(write func(w *writer)) []byte {
		log := newTestLog()
		w := &writer{log: log, members: worldCommittee}
		write(w)
		return log.batch[0].record
	}
	pay := func(seed byte, number uint64, credit uint64, shard int) []byte {
		return record(func(w *writer) {
			w.settlement(certify(newOrder(seed, toFastPay(to), 1, number)), &chain{}, nil, shard, credit)
		})
	}
	order := func(seed byte, number uint64) []byte {
		return record(func(w *writer) { w.order(newOrder(seed, toFastPay(to), 1, number)) })
	}
	credit := func(shard int, number uint64, payee byte) []byte {
		c := certify(newOrder(to, toFastPay(payee), 1, number))
		return record(func(w *writer) { w.creditOutside(shard, number, c, &chain{}) })
	}
	acknowledged := func(shard int, number uint64) []byte {
		return record(func(w *writer) { w.acknowledged(shard, number, 0) })
	}
	added := func(seed byte) []byte {
		k := testKey(seed)
		return record(func(w *writer) { w.funded(&k, codec.NewBalance(1)) })
	}
	a, other := testKey(from), owner(0, shards, 3)
	merged := func(records [][]byte) error {
		m, err := NewMerger(bytes.NewReader(snapshot), shards, []int{0, 1, 2})
		for i, r := range records {
			if err == nil {
				err = m.Add(0, Position(1000+i), r)
			}
		}
		if err == nil {
			err = m.Write(new(bytes.Buffer))
		}
		return err
	}
	replayed := func(records [][]byte) error {
		list := emptyShards(t, shards)
		err := Load(bytes.NewReader(snapshot), list)
		for i, r := range records {
			if err == nil {
				err = list[0].Replay(Position(1000+i), r)
			}
		}
		return err
	}
	// repeats are skipped by a shard, whose record may be in the snapshot.
	f := func(name string, good, repeat bool, records ...[]byte) {
		t.Helper()
		mergeErr, replayErr := merged(records), replayed(records)
		isBad := errors.Is(mergeErr, ErrRecord) || errors.Is(mergeErr, ErrSnapshot) || errors.Is(mergeErr, ErrGap)
		if (mergeErr == nil) != good || !good && !isBad {
			t.Errorf("%s: merged with %v", name, mergeErr)
		}
		if (replayErr == nil) != (good || repeat) || replayErr != nil && !errors.Is(replayErr, ErrRecord) {
			t.Errorf("%s: replayed with %v", name, replayErr)
		}
	}
	f("nothing", true, false)
	f("a payment", true, false, pay(from, 0, 1, 1))
	f("a payment too late", false, false, pay(from, 1, 1, 1))
	f("a payment twice", false, true, pay(from, 0, 1, 1), pay(from, 0, 2, 1))
	f("a payment that leads to no other", false, false, pay(from, 0, 1, 1), pay(from, 1, 2, 1))
	f("a payment of another shard", false, false, pay(to, 0, 1, 2))
	f("a payment between accounts of another shard", false, false, pay(to, 0, 1, 1))
	f("a credit to the wrong shard", false, false, pay(from, 0, 1, 2))
	f("a credit to a shard that is none", false, false, pay(from, 0, 1, shards))
	f("a credit that is missing", false, false, pay(from, 0, 2, 1))
	f("an order of nobody", false, false, order(other, 0))
	f("an order too late", false, false, order(from, 1))
	f("an order twice", false, true, order(from, 0), order(from, 0))
	f("a second order", false, false, order(from, 0), record(func(w *writer) { w.order(newOrder(from, toPrimary(3), 1, 0)) }))
	f("an order that was paid", false, true, pay(from, 0, 1, 1), order(from, 0))
	f("an order of another shard", false, false, order(to, 0))
	f("an account that is there", true, false, added(from))
	f("a new account", true, false, added(other), added(other), order(other, 0))
	f("an account of another shard", false, false, added(to))
	f("a credit", true, false, credit(1, 1, other))
	f("a credit that leads to no other", false, false, credit(1, 1, other), credit(1, 2, other))
	f("a credit too late", false, false, credit(1, 2, other))
	f("a credit from this shard", false, false, credit(0, 1, other))
	f("a credit from a shard that is none", false, false, credit(shards, 1, other))
	f("a credit of another shard", false, false, credit(2, 1, to))
	f("an acknowledgement of nothing", false, false, acknowledged(1, 1))
	f("an acknowledgement", true, false, pay(from, 0, 1, 1), acknowledged(1, 1))
	f("an acknowledgement of a shard that is none", false, false, acknowledged(shards, 0))
	f("a transaction too late", false, false, record(func(w *writer) { w.primary(2, 1, &a) }))
	f("a transaction twice", false, true, record(func(w *writer) { w.primary(1, 1, &a) }), record(func(w *writer) { w.primary(1, 1, &a) }))
	f("what is no record", false, false, []byte{99})
	balance := func(b codec.Balance) []byte { return record(func(w *writer) { w.funded(&a, b) }) }
	f("a debt of more than 128 bits", false, false, balance(codec.MinBalance),
		record(func(w *writer) { w.settlement(certify(newOrder(from, toPrimary(3), 101, 0)), &chain{}, nil, -1, 0) }))
	f("changes of more than 128 bits, which a shard cuts", false, true, balance(codec.MaxBalance), balance(codec.NewBalance(1)))
	f("a balance of more than 128 bits, which a shard cuts", false, true, balance(codec.MaxBalance))
	stranger := record(func(w *writer) {
		w.members = testCommittee(t, append(testMembers, testKey(9))...)
		w.settlement(certify(newOrder(from, toPrimary(3), 1, 0), 0, 1, 9), &chain{}, nil, -1, 0)
	})
	if err := replayed([][]byte{stranger}); !errors.Is(err, ErrRecord) || !strings.Contains(err.Error(), "voter 4 in a committee of 4") {
		t.Errorf("a voter who is not in the committee: %v", err)
	}
	early, err := NewMerger(nil, shards, []int{0})
	if err == nil {
		err = early.Add(0, 1000, pay(from, 0, 1, 1))
	}
	if err != nil {
		t.Fatal(err)
	}
	if err = early.Add(0, 1001, order(from, 2)); err == nil { // an order may be looked at late
		err = early.Write(new(bytes.Buffer))
	}
	if !errors.Is(err, ErrRecord) {
		t.Errorf("an order that does not follow the one payment: %v", err)
	}
	m, err := NewMerger(nil, 3, []int{0, 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, shard := range []int{-1, 1, 3} {
		if err := m.Add(shard, 1000, order(from, 0)); !errors.Is(err, ErrRecord) {
			t.Errorf("a record of shard %d: %v", shard, err)
		}
	}
}
