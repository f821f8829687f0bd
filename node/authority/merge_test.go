package authority

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"fastpay/codec"
)

// manyAccounts is a merger without an old snapshot that has n accounts in one shard, and what they have.
func manyAccounts(t testing.TB, n int) (*Merger, map[codec.Address]codec.Balance) {
	t.Helper()
	m, err := NewMerger(nil, 1, []int{0})
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[codec.Address]codec.Balance)
	for i := range uint64(n) {
		a, b := address(i*0x9e3779b97f4a7c15), codec.NewBalance(i)
		if err := m.Fund(&a, b); err != nil {
			t.Fatal(err)
		}
		want[a] = b
	}
	return m, want
}

// writes counts how often it is written to, and fails at one of them.
type writes struct {
	bytes.Buffer
	count, fails int
	largest      int
}

var errFault = errors.New("fault")

func (w *writes) Write(b []byte) (int, error) {
	w.count, w.largest = w.count+1, max(w.largest, len(b))
	if w.count == w.fails {
		return 0, errFault
	}
	return w.Buffer.Write(b)
}

// A snapshot that does not fit in the buffer is written in pieces of at most its size, which together are the whole, and
// an error of any of them ends it.
func TestLargeSnapshotIsWrittenInPieces(t *testing.T) {
	const n = 20_000
	m, want := manyAccounts(t, n)
	var w writes
	if err := m.Write(&w); err != nil {
		t.Fatal(err)
	}
	if least := w.Len() / snapshotBuffer; least < 3 || w.count < least || w.count > least+2 || w.largest > snapshotBuffer {
		t.Errorf("%d bytes in %d pieces of up to %d", w.Len(), w.count, w.largest)
	}
	s := emptyShards(t, 1)[0]
	if err := Load(bytes.NewReader(w.Bytes()), []*Shard{s}); err != nil {
		t.Fatal(err)
	}
	for a, b := range want {
		if got, ok := s.Balance(&a); !ok || got != b {
			t.Fatalf("%x has %v, %v, expected %v", a[:8], got, ok, b)
		}
	}
	if s.NumAccounts() != n {
		t.Errorf("%d accounts", s.NumAccounts())
	}
	for fails := 1; fails <= w.count; fails++ {
		m, _ := manyAccounts(t, n)
		if err := m.Write(&writes{fails: fails}); !errors.Is(err, errFault) {
			t.Errorf("piece %d of %d fails: %v", fails, w.count, err)
		}
	}
}

// What was funded before the first snapshot must not be in an old one, and nobody is funded twice.
func TestFundedAccountsAreNew(t *testing.T) {
	a := testKey(10)
	old := firstSnapshot(t, 1, map[codec.Address]codec.Balance{a: codec.NewBalance(1)})
	m, err := NewMerger(bytes.NewReader(old), 1, []int{0})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Fund(&a, codec.NewBalance(2)); err != nil {
		t.Fatal(err)
	}
	if err := m.Fund(&a, codec.NewBalance(2)); !errors.Is(err, ErrFunded) {
		t.Errorf("funded twice: %v", err)
	}
	if err := m.Write(io.Discard); !errors.Is(err, ErrSnapshot) {
		t.Errorf("funded, and in the old snapshot: %v", err)
	}
}

// endless says that it ends, and then that something failed.
type endless struct {
	r     *bytes.Reader
	ended bool
}

func (e *endless) Read(b []byte) (int, error) {
	if e.r.Len() > 0 {
		return e.r.Read(b)
	}
	if !e.ended {
		e.ended = true
		return 0, io.EOF
	}
	return 0, errFault
}

// An error where the snapshot should have ended comes through.
func TestSnapshotEndsWithAnError(t *testing.T) {
	good := firstSnapshot(t, 1, nil)
	if err := Load(&endless{r: bytes.NewReader(good)}, emptyShards(t, 1)); !errors.Is(err, errFault) {
		t.Errorf("load: %v", err)
	}
	m, err := NewMerger(&endless{r: bytes.NewReader(good)}, 1, []int{0})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Write(io.Discard); !errors.Is(err, errFault) {
		t.Errorf("merge: %v", err)
	}
}

// The number of an account's transactions of the Primary stays at its largest value, in life, in a merger, and by both.
func TestSynchronizedStaysAtItsLargest(t *testing.T) {
	a := testKey(10)
	d := newTestDriver(t, 1)
	d.fund(t, a, codec.Balance{})
	for i, begin := range []uint32{0, math.MaxUint32 - 1, math.MaxUint32} {
		s := d.shards[0]
		s.table.find(&a).synchronized = begin
		s.SyncPrimary(nil, &a, 1, s.LastTransaction()+1)
		if got, want := s.table.find(&a).synchronized, max(begin, begin+1); got != want {
			t.Errorf("lived: after %d: %d, expected %d", begin, got, want)
		}
		d.commit()
		old := merge(t, firstSnapshot(t, 1, map[codec.Address]codec.Balance{a: {}}), 1, d.log.all[:i])
		m, err := NewMerger(bytes.NewReader(old), 1, []int{0})
		if err != nil {
			t.Fatal(err)
		}
		m.parts[0].open(&a).synchronized = begin
		if err := m.Add(0, d.log.all[i].at, d.log.all[i].record); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := m.Write(&out); err != nil {
			t.Fatal(err)
		}
		twin := d.recovered(t, out.Bytes(), nil)
		before := uint64(i) + uint64(begin) // in the old snapshot, and added
		if got, want := uint64(twin.shards[0].table.find(&a).synchronized), min(before+1, math.MaxUint32); got != want {
			t.Errorf("merged: %d, expected %d", got, want)
		}
	}
}

// A snapshot has all of a large shard's lanes.
func TestPreambleOfManyShards(t *testing.T) {
	const shards = 5
	d := newTestDriver(t, shards)
	for i, s := range d.shards {
		for j := range s.lanes {
			if i != j {
				s.lanes[j].cursor, s.lanes[j].sum = uint64(100*i+j), uint64(i)<<40|uint64(j)
				s.lanes[j].out.issued, s.lanes[j].out.acknowledged = uint64(7*i+j), uint64(7*i+j)
				s.lanes[j].out.sum = uint64(j)<<40 | uint64(i)
			}
		}
		s.lastTransaction = uint64(i) << 33
	}
	var heads []*head
	for i, s := range d.shards {
		heads = append(heads, &head{shard: i, lastTransaction: s.lastTransaction, lanes: s.lanes})
	}
	b := appendPreamble(nil, shards, heads)
	for range d.shards {
		b = binary.LittleEndian.AppendUint64(append(b, endOfSection), 0)
	}
	twin := d.recovered(t, b, nil)
	if got, want := twin.image(), d.image(); got != want {
		t.Errorf("read\n%s\nexpected\n%s", got, want)
	}
}

// A merger uses the slots of orders that were settled again.
func TestMergerUsesSlotsAgain(t *testing.T) {
	d, from := orderFixture(t)
	m, err := NewMerger(nil, 1, []int{0})
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(20) {
		o := newOrder(from, toPrimary(3), 1, i)
		d.batch(0, orderMessage(o), certMessage(certify(o)))
	}
	for _, l := range d.log.all {
		if err := m.Add(0, l.at, l.record); err != nil {
			t.Fatal(err)
		}
	}
	if n := m.parts[0].pending.slots.n; n > 1 { // none, when they were settled soon
		t.Errorf("%d slots for orders of which one was pending at a time", n)
	}
}

// Every shard follows the Primary's whole log, and a merger credits the account where it lives.
func TestMergerFollowsThePrimary(t *testing.T) {
	d := newTestDriver(t, 2)
	for i := range uint64(6) {
		a := testKey(owner(int(i%2), 2, int(i/2)))
		for _, s := range d.shards {
			s.SyncPrimary(nil, &a, 10+i, i+1)
		}
		d.commit()
	}
	twin := d.recovered(t, merge(t, firstSnapshot(t, 2, nil), 2, d.log.all), nil)
	if got, want := twin.image(), d.image(); got != want {
		t.Errorf("merged\n%s\nlived\n%s", got, want)
	}
}

// An order that does not follow is refused when it is looked at: when there is no room for another one, its record is let go,
// many orders have come, or the snapshot is written.
func TestMergerRefusesOrdersLate(t *testing.T) {
	a := owner(0, 1, 0)
	log := newTestLog()
	w := &writer{log: log, members: worldCommittee}
	w.order(newOrder(a, toPrimary(3), 1, 0))
	record := log.batch[0].record
	for name, looks := range map[string]func(m *Merger, add func() error) error{
		"no room": func(_ *Merger, add func() error) (err error) {
			for i := 0; i < slotsOfPlace && err == nil; i++ {
				err = add()
			}
			return err
		},
		"ring full": func(m *Merger, add func() error) error {
			m.recent.end += uint32(len(m.recent.orders)) - 2
			if err := add(); err != nil {
				return err
			}
			return add()
		},
		"let go": func(m *Merger, _ func() error) error { return m.Leave(2000) },
		"many": func(m *Merger, add func() error) error {
			m.recent.met = recentFew - 1
			return add()
		},
		"written": func(m *Merger, _ func() error) error { return m.Write(io.Discard) },
	} {
		m, err := NewMerger(nil, 1, []int{0})
		if err != nil {
			t.Fatal(err)
		}
		at := Position(1000)
		add := func() error {
			at++
			return m.Add(0, at, record)
		}
		for range 2 {
			if err := add(); err != nil {
				t.Fatalf("%s: kept: %v", name, err)
			}
		}
		if err := looks(m, add); !errors.Is(err, ErrRecord) {
			t.Errorf("%s: an order twice: %v", name, err)
		}
	}
}

// A record that is bad ends a group after those before it, whose refusals come first.
func TestMergerAddsInOrder(t *testing.T) {
	log := newTestLog()
	w := &writer{log: log, members: worldCommittee}
	w.order(newOrder(owner(0, 1, 0), toPrimary(3), 1, 0))
	good := log.batch[0].record
	m, err := NewMerger(nil, 1, []int{0})
	if err != nil {
		t.Fatal(err)
	}
	gap := []byte{byte(RecordPrimary), 48: 1}
	gap[1] = 9
	err = m.AddAll([]Logged{{0, 1000, good}, {0, 1100, gap}, {0, 1200, []byte{99}}, {1, 1300, good}})
	if !errors.Is(err, ErrRecord) || !strings.Contains(err.Error(), "transaction 9") {
		t.Errorf("%v, expected the gap in the transactions of the Primary", err)
	}
	if err := m.AddAll([]Logged{{0, 1100, []byte{99}}}); !errors.Is(err, ErrRecord) {
		t.Errorf("no record: %v", err)
	}
	if m.recent.met != 1 {
		t.Errorf("%d orders were added before", m.recent.met)
	}
}
