package authority

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"fastpay/codec"
)

// sampleEntries are accounts of a snapshot with all combinations of what they can have, and logs of all lengths that matter.
func sampleEntries() (list []entry) {
	for content := range hasAll + 1 {
		for _, n := range []uint64{1, nearStep - 1, nearStep, farStep - 1, farStep} {
			c := chain{tail: 1<<32 | 9000}
			if n >= nearStep {
				c.near = 1<<32 | 5000
			}
			if n >= farStep {
				c.far = 1<<32 | 5000
			}
			e := entry{account: account{address: testKey(10), balance: codec.NewBalance(n)}}
			if content&hasPaid != 0 {
				e.next, e.confirmed, e.confirmedChain = n, n, c
			}
			if content&hasReceived != 0 {
				e.received, e.receivedChain = n, c
			}
			if content&hasSynchronized != 0 {
				e.synchronized = uint32(n)
			}
			if content&hasPending != 0 {
				e.order = signOrder(10, codec.Transfer{Recipient: toFastPay(11), Amount: 1, SequenceNumber: e.next,
					UserData: codec.UserData{Present: n%2 == 0}})
			}
			list = append(list, e)
		}
	}
	return list
}

// An account is read from exactly its bytes, whatever follows; cut anywhere, it is none; with a bit changed it is none, or
// is exactly what the bytes say.
func TestEntriesAreStrict(t *testing.T) {
	for _, want := range sampleEntries() {
		b := want.append(nil)
		var got entry
		for _, more := range []string{"", "x", strings.Repeat("\xff", maxEntrySize)} {
			if size, ok := got.parse(append(bytes.Clone(b), more...)); !ok || size != len(b) || got.account != want.account ||
				!bytes.Equal(got.order.Bytes(), want.order.Bytes()) {
				t.Fatalf("%+v became %+v, %d of %d bytes, %v", want, got, size, len(b), ok)
			}
		}
		for n := range len(b) {
			if _, ok := got.parse(b[:n]); ok {
				t.Fatalf("%d of %d bytes are an account: %+v", n, len(b), got)
			}
		}
		for i := range 8 * len(b) {
			other := bytes.Clone(b)
			other[i/8] ^= 1 << (i % 8)
			if size, ok := got.parse(other); ok && !bytes.Equal(got.append(nil), other[:size]) {
				t.Fatalf("%x is read as %+v", other, got)
			}
		}
	}
}

// Accounts that contradict themselves are none.
func TestEntriesThatContradictThemselves(t *testing.T) {
	at := func(i int, v uint64) func([]byte) {
		return func(b []byte) { binary.LittleEndian.PutUint64(b[i:], v) }
	}
	const begin, tail = 49, 1<<32 | 9000
	long := chain{tail: tail, near: 8000, far: 7000}
	f := func(name string, good entry, change func(b []byte)) {
		t.Helper()
		var got entry
		b := good.append(nil)
		if _, ok := got.parse(b); !ok {
			t.Fatalf("%s: the good one is not read", name)
		}
		if change(b); len(b) > 0 {
			if size, ok := got.parse(b); ok || size != 0 {
				t.Errorf("%s: read as %+v", name, got)
			}
		}
	}
	for _, e := range []entry{
		{account: account{address: testKey(10), next: farStep, confirmed: farStep, confirmedChain: long}},
		{account: account{address: testKey(10), received: farStep, receivedChain: long}},
	} {
		f("no tail", e, at(begin+8, 0))
		f("a tail in a batch", e, at(begin+8, provisional|5))
		for i, name := range []string{"near", "far"} {
			f(name+" is nowhere", e, at(begin+16+8*i, 0))
			f(name+" is in a batch", e, at(begin+16+8*i, provisional|5))
			f(name+" is after the tail", e, at(begin+16+8*i, tail+1))
		}
	}
	short := entry{account: account{address: testKey(10), received: 1, receivedChain: chain{tail: tail}}}
	f("a log without records", short, at(begin, 0))
	f("unknown content", short, func(b []byte) { b[0] |= hasAll + 1 })
	f("no transactions", entry{account: account{address: testKey(10), synchronized: 1}}, func(b []byte) { clear(b[begin:]) })
	o := newOrder(10, toFastPay(11), 1, 0)
	pending := entry{account: account{address: testKey(10)}, order: o}
	f("another's order", pending, func(b []byte) { b[1] ^= 1 })
	f("an order of another number", entry{account: account{address: testKey(10), next: 1, confirmed: 1,
		confirmedChain: chain{tail: tail}}, order: newOrder(10, toFastPay(11), 1, 1)}, at(begin, 2))
	for n := 1; n < 4; n++ {
		b := pending.append(nil)
		b[begin] += byte(n) // longer than the order
		var got entry
		if _, ok := got.parse(append(b, make([]byte, n)...)); ok {
			t.Errorf("an order and %d bytes are read as %+v", n, got)
		}
	}
}

// snapshotOf is a snapshot of sections without lanes' content, as they are given.
func snapshotOf(numShards int, sections ...[]entry) []byte {
	var heads []*head
	for i := range sections {
		heads = append(heads, &head{shard: i, lanes: make([]lane, numShards)})
	}
	b := appendPreamble(nil, numShards, heads)
	for _, list := range sections {
		for i := range list {
			b = list[i].append(b)
		}
		b = binary.LittleEndian.AppendUint64(append(b, endOfSection), uint64(len(list)))
	}
	return b
}

// What is wrong with a snapshot is said.
func TestSnapshotSaysWhatIsWrong(t *testing.T) {
	var here, there []entry
	for i := range 3 {
		here = append(here, entry{account: account{address: testKey(owner(0, 2, i))}})
		there = append(there, entry{account: account{address: testKey(owner(1, 2, i))}})
	}
	byAddress := func(a, b entry) int { return bytes.Compare(a.address[:], b.address[:]) }
	slices.SortFunc(here, byAddress)
	slices.SortFunc(there, byAddress)
	f := func(name, hint string, b []byte) {
		t.Helper()
		err := Load(bytes.NewReader(b), emptyShards(t, 2))
		if hint == "" && err == nil || hint != "" && errors.Is(err, ErrSnapshot) && strings.Contains(err.Error(), hint) {
			return
		}
		t.Errorf("%s: %v, expected %q", name, err, hint)
	}
	whole := snapshotOf(2, here, there)
	f("whole", "", whole)
	f("two in another order", " after ", snapshotOf(2, []entry{here[1], here[0]}, there))
	f("the last ones in another order", " after ", snapshotOf(2, []entry{here[0], here[2], here[1]}, there))
	f("one twice", " after ", snapshotOf(2, []entry{here[0], here[0]}, there))
	f("one of another shard", "is of shard 1, not 0", snapshotOf(2, there[:1], nil))
	f("one less than counted", "3 accounts in shard 1, expected 4", func() []byte {
		b := bytes.Clone(whole)
		b[len(b)-8]++
		return b
	}())
	f("cut within an account", "account 2 of shard 1 can't be read", whole[:len(whole)-9-20])
	f("not to be read", "account 0 of shard 0 can't be read", func() []byte {
		b := bytes.Clone(whole)
		b[len(appendPreamble(nil, 2, []*head{{lanes: make([]lane, 2)}, {lanes: make([]lane, 2)}}))] = hasAll + 1
		return b
	}())
}

// Lanes that no shard has are refused, each for one thing.
func TestLanesThatContradictThemselves(t *testing.T) {
	good := func() lane {
		return lane{cursor: 7, out: outbox{issued: 3*markInterval + 5, acknowledged: markInterval + 3, first: markInterval + 1,
			interval: markInterval, marks: []Position{100, 200, 300}}}
	}
	f := func(name, hint string, change func(l *lane)) {
		t.Helper()
		l := good()
		change(&l)
		b := appendPreamble(nil, 2, []*head{{lanes: []lane{{}, l}}})
		b = binary.LittleEndian.AppendUint64(append(b, endOfSection), 0)
		err := Load(bytes.NewReader(b), emptyShards(t, 2)[:1])
		if hint == "" && err == nil || hint != "" && errors.Is(err, ErrSnapshot) && strings.Contains(err.Error(), hint) {
			return
		}
		t.Errorf("%s: %v, expected %q", name, err, hint)
	}
	f("good", "", func(*lane) {})
	f("all acknowledged", "", func(l *lane) { l.out.acknowledged, l.out.marks = l.out.issued, nil })
	f("more acknowledged than issued", "0 marks", func(l *lane) { l.out.acknowledged, l.out.marks = l.out.issued+1, nil })
	f("no marks", "0 marks", func(l *lane) { l.out.marks = nil })
	f("marks, though all is acknowledged", "3 marks", func(l *lane) { l.out.acknowledged = l.out.issued })
	many := func(n int) func(l *lane) {
		return func(l *lane) {
			l.out = outbox{issued: uint64(n) * markInterval, first: 1, interval: markInterval}
			for i := range n {
				l.out.marks = append(l.out.marks, Position(100+i))
			}
		}
	}
	f("all marks", "", many(maxMarks))
	f("one more", fmt.Sprintf("%d marks", maxMarks+1), many(maxMarks+1))
	f("a short interval", "every 512", func(l *lane) { l.out.interval = markInterval / 2 })
	f("an interval that is no power of two", "every 1536", func(l *lane) {
		l.out = outbox{issued: 3 * 1536, acknowledged: 0, first: 1, interval: 1536, marks: []Position{1, 2, 3}}
	})
	f("from nowhere", "from credit 0", func(l *lane) {
		l.out = outbox{issued: markInterval - 1, first: 0, interval: markInterval, marks: []Position{1}}
	})
	f("from after what waits", "from credit 9", func(l *lane) {
		l.out = outbox{issued: 10, acknowledged: 7, first: 9, interval: markInterval, marks: []Position{1}}
	})
	f("from what waits", "", func(l *lane) {
		l.out = outbox{issued: 10, acknowledged: 7, first: 8, interval: markInterval, marks: []Position{1}}
	})
	f("a mark too few", "2 marks", func(l *lane) { l.out.marks = l.out.marks[:2] })
	f("a mark too many", "4 marks", func(l *lane) { l.out.marks = append(l.out.marks, 400) })
	f("marks that fall", " after one ", func(l *lane) { l.out.marks[2] = 150 })
	f("marks that stay", " after one ", func(l *lane) { l.out.marks[2] = 200 })
	f("a mark nowhere", " after one ", func(l *lane) { l.out.marks[0] = 0 })
	f("a mark in a batch", " after one ", func(l *lane) { l.out.marks[2] = Provisional(5) })
}

// failsOnce fails at one offset, and goes on when it is asked again.
type failsOnce struct {
	r      *bytes.Reader
	at     int64
	failed bool
}

func (f *failsOnce) Read(b []byte) (int, error) {
	left := f.at - (f.r.Size() - int64(f.r.Len()))
	if f.failed || left > 0 && left >= int64(f.r.Len()) {
		return f.r.Read(b)
	}
	if left == 0 {
		f.failed = true
		return 0, errFault
	}
	return f.r.Read(b[:min(int64(len(b)), left)])
}

// An error of what is read ends it, wherever it comes, and even if it would not come again.
func TestErrorOfAReaderIsNotForgotten(t *testing.T) {
	good := sampleSnapshot(t)
	for at := range int64(len(good)) {
		r := func() io.Reader { return &failsOnce{r: bytes.NewReader(good), at: at} }
		if err := Load(r(), emptyShards(t, 2)); !errors.Is(err, errFault) {
			t.Fatalf("load, at %d of %d: %v", at, len(good), err)
		}
		err := WalkSnapshot(r(), 2, []int{0, 1}, func(*SnapshotShard) error { return nil }, func(int, *SnapshotAccount) error { return nil })
		if !errors.Is(err, errFault) {
			t.Fatalf("walk, at %d of %d: %v", at, len(good), err)
		}
		m, err := NewMerger(r(), 2, []int{0, 1})
		if err == nil {
			err = m.Write(io.Discard)
		}
		if !errors.Is(err, errFault) {
			t.Fatalf("merge, at %d of %d: %v", at, len(good), err)
		}
	}
}
