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
					next := Provisional(uint64(8 * (len(at) - batch)))
					at = append(at, next)
					marked := o.issue(next)
					if marked != (o.marks[len(o.marks)-1] == next) {
						t.Fatalf("credit %d is marked: %v", len(at)-1, marked)
					}
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

func checkOutbox(t rapid.TB, o *outbox, at []Position) {
	if o.issued != uint64(len(at)-1) || len(o.marks) > maxMarks || (len(o.marks) > 0) != (o.acknowledged < o.issued) {
		t.Fatalf("%+v after %d credits", o, len(at)-1)
	}
	waiting := o.issued - o.acknowledged
	for i, p := range o.marks { // of every interval-th credit, from the one before the first that waits
		if n := o.first + uint64(i)*o.interval; n >= uint64(len(at)) || p != at[n] {
			t.Fatalf("mark %d of credit %d is %v", i, n, p)
		}
	}
	if waiting > 0 && (o.first > o.acknowledged+1 || o.first+o.interval <= o.acknowledged+1) {
		t.Fatalf("marks from credit %d on, every %d, but the first that waits is %d", o.first, o.interval, o.acknowledged+1)
	}
	for _, n := range []uint64{o.acknowledged + 1, o.acknowledged + waiting/3 + 1, o.acknowledged + waiting/2, o.issued} {
		if n <= o.acknowledged || n > o.issued {
			continue
		}
		p := o.find(n)
		first := n // the credit that is there
		for first > 1 && at[first] != p {
			first--
		}
		if at[first] != p || n-first >= o.interval {
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

// positions of n credits, by number; there is none with number 0.
func positions(n int) (at []Position) {
	for i := range n + 1 {
		at = append(at, Position(1<<32+8*i))
	}
	at[0] = 0
	return at
}

// Millions of credits that wait have as many marks as one thousand of thousands, whenever it is that they are counted.
func TestOutboxOfMillions(t *testing.T) {
	const n = 5_000_000
	at := positions(n)
	var o outbox
	for i := 1; i <= n; i++ {
		if o.issue(at[i]); i%250_007 == 0 || i == maxMarks*markInterval || i == maxMarks*markInterval+1 {
			checkOutbox(t, &o, at[:i+1])
		}
	}
	if o.interval != 8*markInterval {
		t.Errorf("a mark every %d credits", o.interval)
	}
	for _, number := range []uint64{1, 8191, 8192, 8193, 1_000_000, 3_333_333, n - 1, n} {
		if changed, err := o.acknowledge(number, 0); !changed || err != nil {
			t.Fatalf("acknowledge %d: %v, %v", number, changed, err)
		}
		checkOutbox(t, &o, at)
	}
}

// Whatever number is acknowledged, the marks begin with what still waits.
func TestOutboxForgetsWhatIsAcknowledged(t *testing.T) {
	const n = 4*markInterval + 5
	at := positions(n)
	for number := uint64(1); number <= n; number++ {
		var o outbox
		for _, p := range at[1:] {
			o.issue(p)
		}
		for _, next := range []uint64{number / 2, number, min(number+3, n)} {
			if _, err := o.acknowledge(next, next); err != nil {
				t.Fatal(err)
			}
			checkOutbox(t, &o, at)
		}
	}
}

// What a lane needs is the lowest position of all that any lane needs.
func TestNeeded(t *testing.T) {
	for _, marks := range [][]Position{{0, 90, 70}, {0, 70, 90}, {70, 0, 90}, {90, 70, 0}, {0, 0, 70}, {70, 70, 90}, {0, 0, 0}} {
		d := newTestDriver(t, 4)
		s := d.shards[3]
		for to, p := range marks {
			if p != 0 {
				s.lanes[to].out = outbox{issued: 1, first: 1, interval: markInterval, marks: []Position{p}}
			}
		}
		if want := map[bool]Position{true: 0, false: 70}[marks[2] == 0 && marks[1] == 0]; s.Needed() != want {
			t.Errorf("lanes need %v, the shard %v", marks, s.Needed())
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
	two := outbox{issued: 2000, acknowledged: 4, first: 5, interval: markInterval, marks: []Position{77, 88}}
	s.lanes[1].out = two
	for cursor, want := range map[uint64]Position{4: 77, 5 + markInterval - 2: 77, 5 + markInterval - 1: 88, 1999: 88} {
		if at, count, err := s.Undelivered(1, cursor); at != want || count != 2000-cursor || err != nil {
			t.Errorf("after %d: %d from %v on, %v; expected %v", cursor, count, at, err, want)
		}
	}
	s.lanes[1].out = outbox{issued: 10, acknowledged: 4, first: 5, interval: markInterval, marks: []Position{77}}
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
