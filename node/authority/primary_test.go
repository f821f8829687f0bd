package authority

import (
	"math"
	"testing"

	"fastpay/codec"
)

func TestPrimaryFollowsTheWholeLog(t *testing.T) {
	const shards = 2
	d := newTestDriver(t, shards)
	here, there := testKey(owner(0, shards, 0)), testKey(owner(1, shards, 0))
	s := d.shards[0]
	out := s.SyncPrimary(nil, &here, 5, 1)
	if r := infoOf(t, out.Reply); !out.Changed || r.Balance != codec.NewBalance(5) {
		t.Errorf("%+v, %v", out, r.Balance)
	}
	out = s.SyncPrimary([]byte("x"), &there, 7, 2)
	if !out.Accepted || !out.Changed || string(out.Reply) != "x" || s.LastTransaction() != 2 || s.NumAccounts() != 1 {
		t.Errorf("for another shard: %+v, last %d", out, s.LastTransaction())
	}
	wantUnchanged(t, d, func() {
		for _, index := range []uint64{0, 1, 2} {
			for _, a := range []codec.Address{here, there, testKey(owner(0, shards, 1))} {
				if out := s.SyncPrimary(nil, &a, 9, index); !out.Accepted || out.Changed {
					t.Errorf("repeat of %d: %+v", index, out)
				}
			}
		}
		for _, index := range []uint64{4, math.MaxUint64} {
			out := s.SyncPrimary(nil, &here, 9, index)
			if err := errorOf(out.Reply); err == nil || err.Code != codec.UnexpectedTransactionIndex || out.Changed {
				t.Errorf("index %d: %v", index, err)
			}
		}
	})
}

func TestPrimaryIndexEnds(t *testing.T) {
	d := newTestDriver(t, 1)
	a := testKey(10)
	s := d.shards[0]
	s.lastTransaction = codec.MaxSequenceNumber - 1
	if out := s.SyncPrimary(nil, &a, 1, codec.MaxSequenceNumber); !out.Changed {
		t.Errorf("the last index: %+v", out)
	}
	if out := s.SyncPrimary(nil, &a, 1, codec.MaxSequenceNumber+1); out.Accepted {
		t.Errorf("beyond the last index: %+v", out)
	}
}

// Refusing a synchronization that overflows would stop the log for ever; the prototype does.
func TestPrimaryOverflowIsCappedAndAdvances(t *testing.T) {
	d := newTestDriver(t, 1)
	almost, _ := codec.MaxBalance.Sub(codec.NewBalance(5))
	d.fund(t, testKey(10), almost)
	a, s := testKey(10), d.shards[0]
	out := s.SyncPrimary(nil, &a, math.MaxUint64, 1)
	if r := infoOf(t, out.Reply); r.Balance != codec.MaxBalance || s.Stats().CappedCredits != 1 || s.LastTransaction() != 1 {
		t.Errorf("balance %v, %+v, last %d", r.Balance, s.Stats(), s.LastTransaction())
	}
	if out := s.SyncPrimary(nil, &a, 1, 2); !out.Changed || s.LastTransaction() != 2 {
		t.Errorf("the log stopped: %+v", out)
	}
	s.table.find(&a).synchronized = math.MaxUint32
	s.SyncPrimary(nil, &a, 1, 3)
	if got := s.table.find(&a).synchronized; got != math.MaxUint32 {
		t.Errorf("the count wrapped to %d", got)
	}
}
