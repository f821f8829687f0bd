package authority

import (
	"bytes"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/iotest"

	"fastpay/codec"
	"fastpay/node/committee"
)

// longLog is a driver of one shard whose account 10 paid n times to account 11, with snapshots on the way.
func longLog(t testing.TB, n int) (d *driver, first []byte) {
	t.Helper()
	d, _ = orderFixture(t)
	for i := range n {
		d.one(0, certMessage(certify(newOrder(10, toFastPay(11), 1, uint64(i)))))
	}
	return d, firstSnapshot(t, 1, map[codec.Address]codec.Balance{testKey(10): codec.NewBalance(100)})
}

// Logs that are long enough for all links survive snapshots that cut them anywhere.
func TestSnapshotsOfLongLogs(t *testing.T) {
	const n = 2100
	d, snapshot := longLog(t, n)
	want := d.image()
	at := 0
	for _, cut := range []int{1, 31, 32, 33, 1023, 1024, 1030, 2047, 2048, n} {
		snapshot = merge(t, snapshot, 1, d.log.all[at:cut])
		at = cut
		r := d.recovered(t, snapshot, d.log.all[cut:])
		if got := r.image(); got != want {
			t.Fatalf("from a snapshot after %d:\n%s\nlived:\n%s", cut, got, want)
		}
		if cut != n {
			continue
		}
		for i := range uint64(n) {
			q := codec.InfoRequest{Account: testKey(10), HasSequence: true, Sequence: i}
			if a, b := r.info(0, &q, 8192), d.info(0, &q, 8192); a.err != nil || !bytes.Equal(a.reply, b.reply) {
				t.Fatalf("certificate %d: %v, %v", i, a.err, b.err)
			}
		}
	}
}

// sampleSnapshot has accounts of all kinds in two shards, and credits on their way.
func sampleSnapshot(t testing.TB) []byte {
	t.Helper()
	records := sampleRecords(t)
	from := testKey(owner(0, 2, 0))
	order := signOrder(owner(0, 2, 0), codec.Transfer{Recipient: toFastPay(11), Amount: 1, SequenceNumber: 141})
	log := newTestLog()
	w := writer{log: log}
	w.order(order)
	last := records[len(records)-1].at + 1000
	records = append(records, logged{last, 0, log.batch[0].record})
	var open []logged // without the acknowledgement
	for _, r := range records {
		if RecordKind(r.record[0]) != RecordAcknowledged {
			open = append(open, r)
		}
	}
	return merge(t, firstSnapshot(t, 2, map[codec.Address]codec.Balance{from: codec.NewBalance(10_000)}), 2, open)
}

func emptyShards(t testing.TB, numShards int) (list []*Shard) {
	t.Helper()
	for i := range numShards {
		s, err := New(Options{Committee: worldCommittee, Name: testKey(0), Shard: i, NumShards: numShards, Log: newTestLog()})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	return list
}

// A snapshot that is cut anywhere, or has bytes behind its end, is refused; with any bit changed it is refused, or is
// another snapshot. A merge with it says the same.
func TestSnapshotIsStrict(t *testing.T) {
	good := sampleSnapshot(t)
	again := func(b []byte) ([]byte, error) {
		m, err := NewMerger(bytes.NewReader(b), 2, []int{0, 1})
		if err != nil {
			return nil, err
		}
		var out bytes.Buffer
		err = m.Write(&out)
		return out.Bytes(), err
	}
	f := func(name string, b []byte, want error) {
		t.Helper()
		err := Load(bytes.NewReader(b), emptyShards(t, 2))
		out, mergeErr := again(b)
		if !errors.Is(err, want) || !errors.Is(mergeErr, want) {
			t.Fatalf("%s: %v, %v", name, err, mergeErr)
		}
		if err == nil && !bytes.Equal(out, b) {
			t.Fatalf("%s: without records it becomes another one", name)
		}
	}
	f("whole", good, nil)
	for n := range len(good) {
		f(fmt.Sprintf("%d of %d bytes", n, len(good)), good[:n], ErrSnapshot)
	}
	f("a byte more", append(bytes.Clone(good), 0), ErrSnapshot)
	refused := 0
	for i := range len(good) * 8 {
		b := bytes.Clone(good)
		b[i/8] ^= 1 << (i % 8)
		err := Load(bytes.NewReader(b), emptyShards(t, 2))
		if err != nil {
			refused++
			f(fmt.Sprintf("bit %d", i), b, ErrSnapshot)
		} else {
			f(fmt.Sprintf("bit %d", i), b, nil)
		}
	}
	if refused < len(good) {
		t.Errorf("%d of %d changes are refused", refused, len(good)*8)
	}
}

func TestSnapshotOfOthers(t *testing.T) {
	good := sampleSnapshot(t)
	three := emptyShards(t, 3)
	two := emptyShards(t, 2)
	f := func(name string, shards []*Shard) {
		t.Helper()
		if err := Load(bytes.NewReader(good), shards); !errors.Is(err, ErrSnapshot) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f("no shards", nil)
	f("of three shards", three[:2])
	f("one shard only", two[:1])
	f("the wrong order", []*Shard{two[1], two[0]})
	if err := Load(bytes.NewReader(good), two); err != nil {
		t.Fatal(err)
	}
	if err := Load(bytes.NewReader(good), two); err == nil {
		t.Error("loaded into shards that have accounts")
	}
}

// Errors of what is read and written come through.
func TestSnapshotErrorsOfOthers(t *testing.T) {
	good, fault := sampleSnapshot(t), errors.New("fault")
	for _, n := range []int{0, 10, 100, len(good) / 2, len(good)} {
		r := func() *faultyReader { return &faultyReader{bytes.NewReader(good[:n]), fault} }
		if err := Load(r(), emptyShards(t, 2)); !errors.Is(err, fault) {
			t.Errorf("read after %d bytes: %v", n, err)
		}
		m, err := NewMerger(r(), 2, []int{0, 1})
		if err == nil {
			err = m.Write(new(bytes.Buffer))
		}
		if !errors.Is(err, fault) {
			t.Errorf("merge after %d bytes: %v", n, err)
		}
	}
	m, err := NewMerger(iotest.OneByteReader(bytes.NewReader(good)), 2, []int{0, 1})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := m.Write(&out); err != nil || !bytes.Equal(out.Bytes(), good) {
		t.Errorf("read byte by byte: %v", err)
	}
	m, err = NewMerger(bytes.NewReader(good), 2, []int{0, 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Write(failingWriter{fault}); !errors.Is(err, fault) {
		t.Errorf("write: %v", err)
	}
}

type faultyReader struct {
	r   *bytes.Reader
	err error
}

func (f *faultyReader) Read(b []byte) (int, error) {
	if f.r.Len() == 0 {
		return 0, f.err
	}
	return f.r.Read(b)
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// Accounts of shards that are not in the snapshot are left out of the first one.
func TestFirstSnapshotOfSomeShards(t *testing.T) {
	m, err := NewMerger(nil, 3, []int{1})
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	for seed := range byte(50) {
		a := testKey(100 + seed)
		if err := m.Fund(&a, codec.NewBalance(uint64(seed))); err != nil {
			t.Fatal(err)
		}
		if committee.ShardOf(&a, 3) == 1 {
			want++
		}
	}
	var out bytes.Buffer
	if err := m.Write(&out); err != nil {
		t.Fatal(err)
	}
	s := emptyShards(t, 3)[1]
	if err := Load(&out, []*Shard{s}); err != nil || s.NumAccounts() != want || want == 0 {
		t.Errorf("%v, %d accounts, expected %d", err, s.NumAccounts(), want)
	}
}

// FuzzSnapshot gives any bytes to what reads snapshots: what it accepts is written again byte by byte.
func FuzzSnapshot(f *testing.F) {
	f.Add(sampleSnapshot(f))
	f.Add(firstSnapshot(f, 2, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		err := Load(bytes.NewReader(b), emptyShards(t, 2))
		if err != nil && !errors.Is(err, ErrSnapshot) {
			t.Fatal(err)
		}
		m, mergeErr := NewMerger(bytes.NewReader(b), 2, []int{0, 1})
		var out bytes.Buffer
		if mergeErr == nil {
			mergeErr = m.Write(&out)
		}
		if (err == nil) != (mergeErr == nil) || err == nil && !bytes.Equal(out.Bytes(), b) {
			t.Fatalf("load %v, merge %v, %d bytes become %d", err, mergeErr, len(b), out.Len())
		}
	})
}

// TestRankingVsSort: changed accounts come by their addresses, whatever these are, and are sorted in pieces, but where
// addresses were chosen to be alike.
func TestRankingVsSort(t *testing.T) {
	for name, alike := range map[string]int{"spread": 0, "first bytes alike": 3, "words alike": 8, "all but one": 31} {
		for _, n := range []int{0, 1, 100, rankedPiece - 1, rankedPiece, 5 * rankedPiece} {
			m, err := NewMerger(nil, 1, []int{0})
			if err != nil {
				t.Fatal(err)
			}
			var want []codec.Address
			for i := range uint64(n) {
				a := codec.Address(sha512.Sum512_256(binary.LittleEndian.AppendUint64(nil, i)))
				clear(a[:alike])
				if m.Fund(&a, codec.Balance{}) == nil { // else it is there already
					want = append(want, a)
				}
			}
			slices.SortFunc(want, func(a, b codec.Address) int { return bytes.Compare(a[:], b[:]) })
			pauses := 0
			r, longest := m.parts[0].ranking(func() { pauses++ }), 0
			if most := 2 * ((len(want) + rankedPiece - 1) / rankedPiece); pauses != most { // two passes
				t.Errorf("%s: %d accounts: %d pauses, want %d", name, len(want), pauses, most)
			}
			for _, piece := range r.pieces {
				longest = max(longest, len(piece))
			}
			for i := range want {
				number, ok := r.first()
				if !ok || m.parts[0].table.accounts.at(number).address != want[i] {
					t.Fatalf("%s: %d accounts: account %d is not the next", name, n, i)
				}
				r.pass()
			}
			if _, ok := r.first(); ok {
				t.Errorf("%s: %d accounts: one more", name, n)
			}
			if alike == 0 && longest > 2*rankedPiece {
				t.Errorf("%d accounts: a piece of %d", n, longest)
			}
		}
	}
}
