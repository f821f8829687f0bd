package authority

import (
	"errors"
	"strings"
	"testing"

	"fastpay/codec"
)

func TestCreditRefusals(t *testing.T) {
	const shards = 3
	d := newTestDriver(t, shards)
	here, there := owner(0, shards, 0), owner(1, shards, 0)
	good := certify(newOrder(there, toFastPay(here), 1, 0))
	f := func(name string, want error, from int, number uint64, c codec.Certificate, hint string) {
		t.Helper()
		wantUnchanged(t, d, func() {
			if err := d.credit(0, from, number, 0, c); !errors.Is(err, want) || !strings.Contains(err.Error(), hint) {
				t.Errorf("%s: %v, expected %v with %q", name, err, want, hint)
			}
		})
		if d.shards[0].Cursor(1) != 0 || len(d.log.all) != 0 {
			t.Errorf("%s: cursor %d, %d records", name, d.shards[0].Cursor(1), len(d.log.all))
		}
	}
	f("to the Primary", ErrCredit, 1, 1, certify(newOrder(there, toPrimary(here), 1, 0)), "which is not here")
	f("to another shard", ErrCredit, 1, 1, certify(newOrder(there, toFastPay(owner(2, shards, 0)), 1, 0)), "which is not here")
	f("from this shard", ErrCredit, 0, 1, certify(newOrder(here, toFastPay(here), 1, 0)), "got one from shard 0 of 3")
	f("from a shard that is none", ErrCredit, 3, 1, good, "got one from shard 3 of 3")
	f("from a shard before the first", ErrCredit, -1, 1, good, "got one from shard -1 of 3")
	f("from another shard than it says", ErrCredit, 2, 1, good, "of an account of shard 1")
	f("without votes", ErrCredit, 1, 1, certify(newOrder(there, toFastPay(here), 1, 0), []byte{}...), "with 0 votes")
	f("after a gap", ErrGap, 1, 2, good, "got credit 2 of shard 1, expected 1")
	settled := func(name string, want error, from int, number uint64, to byte, hint string) {
		t.Helper()
		wantUnchanged(t, d, func() {
			payee := testKey(to)
			err := d.shards[0].CreditSettled(from, number, 8, &payee, 1)
			if !errors.Is(err, want) || !strings.Contains(err.Error(), hint) {
				t.Errorf("settled, %s: %v, expected %v with %q", name, err, want, hint)
			}
		})
	}
	settled("to another shard", ErrCredit, 1, 1, owner(2, shards, 0), "which is not here")
	settled("from this shard", ErrCredit, 0, 1, here, "got one from shard 0 of 3")
	settled("after a gap", ErrGap, 1, 2, here, "got credit 2 of shard 1, expected 1")
	if err := d.credit(0, 1, 1, 0, good); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

// A number decides what is a repeat, whatever certificate comes with it.
func TestCreditIsAppliedOnceByItsNumber(t *testing.T) {
	const shards = 2
	d := newTestDriver(t, shards)
	from, to := owner(1, shards, 0), owner(0, shards, 0)
	payee := testKey(to)
	for i := range uint64(3) {
		c := certify(newOrder(from, toFastPay(to), 10, i))
		if err := d.credit(0, 1, i+1, 0, c); err != nil {
			t.Fatal(err)
		}
		wantUnchanged(t, d, func() {
			for n := range i + 2 { // number 0 as well, which is none
				if err := d.credit(0, 1, n, 0, c); err != nil {
					t.Errorf("credit %d again: %v", n, err)
				}
			}
		})
	}
	s := d.shards[0]
	if b, _ := s.Balance(&payee); b != codec.NewBalance(30) || s.Cursor(1) != 3 || s.Stats().RepeatedCredits != 2+3+4 {
		t.Errorf("balance %v, cursor %d, %+v", b, s.Cursor(1), s.Stats())
	}
}

func TestCreditIsCappedAndCounted(t *testing.T) {
	const shards = 2
	d := newTestDriver(t, shards)
	from, to := owner(1, shards, 0), owner(0, shards, 0)
	almost, _ := codec.MaxBalance.Sub(codec.NewBalance(5))
	d.fund(t, testKey(to), almost)
	for i, want := range []uint64{0, 1, 2} {
		c := certify(newOrder(from, toFastPay(to), uint64(5-i%2), uint64(i)))
		if err := d.credit(0, 1, uint64(i+1), 0, c); err != nil {
			t.Fatal(err)
		}
		payee := testKey(to)
		if b, _ := d.shards[0].Balance(&payee); b != codec.MaxBalance || d.shards[0].Stats().CappedCredits != want {
			t.Errorf("credit %d: %v, %+v", i, b, d.shards[0].Stats())
		}
	}
}
