package authority

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

// A logged is a record of a testLog.
type logged struct {
	at     Position
	shard  int
	record []byte
}

// A testLog is a journal as shards see it: positions are offsets in a batch until commit, then absolute. It forgets
// what is before gone.
type testLog struct {
	batch []logged
	size  uint64
	end   Position // where the next batch begins
	all   []logged
	gone  Position
}

// testRecordHeader is what a record takes beside its bytes.
const testRecordHeader = 12

func newTestLog() *testLog { return &testLog{end: 1<<32 | 4096} }

func (l *testLog) Next() Position { return Provisional(l.size) }

func (l *testLog) Append(shard int, record []byte) Position {
	at := l.Next()
	l.batch = append(l.batch, logged{at, shard, bytes.Clone(record)})
	l.size += testRecordHeader + uint64(len(record))
	return at
}

// commit ends a batch and returns its base.
func (l *testLog) commit() (base Position) {
	if uint32(l.end) > 16<<10 { // segments are small, so that logs lead through several
		l.end = l.end>>32<<32 + 1<<32 | 4096
	}
	base = l.end + 32
	for _, r := range l.batch {
		r.at = r.at.Rebase(base)
		l.all = append(l.all, r)
	}
	l.end = base + Position(l.size)
	l.batch, l.size = nil, 0
	return base
}

// find is the number of the record at a position.
func (l *testLog) find(at Position) (int, bool) {
	return slices.BinarySearchFunc(l.all, at, func(r logged, at Position) int {
		if r.at < at {
			return -1
		}
		return int(min(r.at-at, 1))
	})
}

func (l *testLog) read(at Position) ([]byte, error) {
	if at < l.gone {
		return nil, ErrGone
	}
	i, ok := l.find(at)
	if !ok {
		return nil, fmt.Errorf("no record at %v", at)
	}
	return l.all[i].record, nil
}

// newTestRing is a ring for certificates of the tests' committee.
func newTestRing(t testing.TB, bytes int) *Ring {
	t.Helper()
	r, err := NewRing(bytes, testCommittee(t, testMembers...))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
