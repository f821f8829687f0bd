package authority

import (
	"errors"
	"testing"

	"pgregory.net/rapid"
)

// The model remembers where every credit is. The outbox leads to a credit at or before the one that is asked for, close
// to it, and keeps few marks.
func TestOutboxMatchesModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var o outbox
		at := []Position{0}
		batch := 1 // first credit of the batch that is being filled
		base := Position(1 << 32)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0, 1:
				n := rapid.SampledFrom([]int{1, 10, 1023, 1024, 1025, 5000, 40_000}).Draw(t, "credits")
				for range n {
					at = append(at, Provisional(uint64(8*(len(at)-batch))))
					o.issue(at[len(at)-1])
				}
			case 2:
				for i := batch; i < len(at); i++ {
					at[i] = at[i].Rebase(base)
				}
				o.rebase(base)
				batch, base = len(at), base+1<<30
			case 3:
				number := rapid.Uint64Range(0, uint64(len(at))).Draw(t, "acknowledged")
				before := o.acknowledged
				changed, err := o.acknowledge(number, number)
				if beyond := number > o.issued; beyond != errors.Is(err, ErrGap) || changed != (!beyond && number > before) {
					t.Fatalf("acknowledge %d of %d after %d: %v, %v", number, o.issued, before, changed, err)
				}
			}
			checkOutbox(t, &o, at)
		}
	})
}

func checkOutbox(t *rapid.T, o *outbox, at []Position) {
	if o.issued != uint64(len(at)-1) || len(o.marks) > maxMarks || (len(o.marks) > 0) != (o.acknowledged < o.issued) {
		t.Fatalf("%+v after %d credits", o, len(at)-1)
	}
	waiting := o.issued - o.acknowledged
	for _, n := range []uint64{o.acknowledged + 1, o.acknowledged + waiting/3 + 1, o.acknowledged + waiting/2, o.issued} {
		if n <= o.acknowledged || n > o.issued {
			continue
		}
		p := o.find(n)
		first := n // the credit that is there
		for first > 1 && at[first] != p {
			first--
		}
		if at[first] != p || n-first > max(markInterval, 4*waiting/maxMarks+markInterval) {
			t.Fatalf("credit %d is looked for from %d on, of %d to %d", n, first, o.acknowledged+1, o.issued)
		}
	}
	if need := o.needed(); waiting > 0 && need > at[o.acknowledged+1] || waiting == 0 && need != 0 {
		t.Fatalf("needs %v, but credit %d is at %v", need, o.acknowledged+1, at[min(o.acknowledged+1, o.issued)])
	}
	if len(o.marks) > 0 && !o.marks[len(o.marks)-1].IsProvisional() {
		if err := o.check(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestUndelivered(t *testing.T) {
	d := newTestDriver(t, 2)
	s := d.shards[0]
	s.lanes[1].out = outbox{issued: 10, acknowledged: 4, first: 5, interval: markInterval, marks: []Position{77}}
	f := func(cursor, want uint64, wantErr error) {
		t.Helper()
		at, count, err := s.Undelivered(1, cursor)
		if !errors.Is(err, wantErr) || count != want || (at == 77) != (want > 0) {
			t.Errorf("cursor %d: %d from %v on, %v", cursor, count, at, err)
		}
	}
	f(3, 0, ErrGap)
	f(4, 6, nil)
	f(9, 1, nil)
	f(10, 0, nil)
	f(11, 0, ErrGap)
	if s.Needed() != 77 || d.shards[1].Needed() != 0 || s.Stats().Undelivered != 6 {
		t.Errorf("needs %v and %v, %+v", s.Needed(), d.shards[1].Needed(), s.Stats())
	}
	if err := s.Acknowledge(1, 11, 0); !errors.Is(err, ErrGap) {
		t.Errorf("acknowledged what was never issued: %v", err)
	}
	for range 2 {
		if err := s.Acknowledge(1, 10, 7); err != nil || s.Acknowledged(1) != 10 || s.AcknowledgedSum(1) != 7 || s.Issued(1) != 10 || s.Needed() != 0 {
			t.Errorf("%v, acknowledged %d of %d", err, s.Acknowledged(1), s.Issued(1))
		}
	}
	if d.commit(); len(d.log.all) != 1 {
		t.Errorf("%d records of one acknowledgement", len(d.log.all))
	}
}
