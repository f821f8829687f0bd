package journal

import (
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestRemoveBefore: what may be removed, what is left, and what reading it back says.
func TestRemoveBefore(t *testing.T) {
	s := buildSnapshots(t)
	mem := fsOf(t, s.all)
	j, got, err := recoverFrom(mem, s.w.seed)
	if err != nil {
		t.Fatal(err)
	}
	read := func(segment uint32) error {
		i := slices.IndexFunc(got, func(e entry) bool { return e.position.Segment() == segment })
		_, data, err := j.Read(nil, got[i].position)
		if err == nil && string(data) != got[i].data {
			t.Errorf("read %v: %d bytes", got[i], len(data))
		}
		return err
	}
	for segment := range uint32(9) {
		if err := read(segment + 1); err != nil {
			t.Errorf("segment %d: %v", segment+1, err)
		}
	}
	err = j.RemoveBefore(s.p.Segment + 1)
	if err == nil || !strings.Contains(err.Error(), "recovery needs those from 4 on") {
		t.Errorf("remove what the older snapshot needs: %v", err)
	}
	for _, first := range []uint32{3, 2, 0, s.p.Segment} {
		if err := j.RemoveBefore(first); err != nil {
			t.Errorf("remove before %d: %v", first, err)
		}
	}
	segments, err := j.Segments()
	if err != nil || len(segments) != 7 || segments[0] != (SegmentFile{4, testSegmentSize}) || segments[6].Number != 10 {
		t.Errorf("left: %v, %v", segments, err)
	}
	if err := read(3); !errors.Is(err, ErrRemoved) {
		t.Errorf("read what was removed: %v", err)
	}
	if err := read(4); err != nil {
		t.Errorf("read what was not: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j, got, err = recoverFrom(mem.Crash(keepNone), s.w.seed)
	if err != nil || len(got) != len(s.w.entries) || j.Recovery().First != 4 {
		t.Fatalf("recovered %d records, %v", len(got), err)
	}
	if err := read(3); !errors.Is(err, ErrRemoved) {
		t.Errorf("read what was removed before: %v", err)
	}
}

// TestRemovalInterrupted: of the segments to be removed a crash may leave any. Recovery does not need them, reading
// back says that they are gone where one after them is, and the next removal takes them away.
func TestRemovalInterrupted(t *testing.T) {
	s := buildSnapshots(t)
	const removed = 3
	for left := range 1 << removed {
		all, first := s.without(), s.p.Segment
		for i := removed; i > 0; i-- {
			if left&(1<<(i-1)) == 0 {
				delete(all, segmentName(uint32(i)))
			} else if first == uint32(i)+1 {
				first = uint32(i)
			}
		}
		mem := fsOf(t, all)
		j, got, err := recoverFrom(mem, s.w.seed)
		if err != nil || len(got) != len(s.w.entries) || j.Recovery().First != first {
			t.Fatalf("left %03b: %d records, %v", left, len(got), err)
		}
		for _, e := range got {
			_, data, err := j.Read(nil, e.position)
			if kept := e.position.Segment() >= first; kept && (err != nil || string(data) != e.data) ||
				!kept && !errors.Is(err, ErrRemoved) {
				t.Fatalf("left %03b, read %v: %v", left, e, err)
			}
		}
		found, err := Scan(mem, nil)
		if err != nil || found.First != first || found.Snapshots != 2 {
			t.Errorf("left %03b: scan %+v, %v", left, found, err)
		}
		if err := j.RemoveBefore(s.p.Segment); err != nil {
			t.Fatal(err)
		}
		if names, err := list(mem); err != nil || names.segments[0] != s.p.Segment {
			t.Errorf("left %03b: %v, %v", left, names.segments, err)
		}
	}
}

// ReadSegments is ReadGroups, record by record.
func (j *Journal) ReadSegments(from Point, to uint32, visit func(Record) error) (after Point, err error) {
	return j.ReadGroups(from, to, func(records []Record) error {
		for _, r := range records {
			if visit == nil {
				break
			}
			if err := visit(r); err != nil {
				return err
			}
		}
		return nil
	}, nil)
}

// TestReadSegments: all records of the segments, and where they end. What is damaged, missing or not sealed is an
// error.
func TestReadSegments(t *testing.T) {
	s := buildSnapshots(t)
	open := func(all map[string][]byte) (*Journal, *MemFS) {
		t.Helper()
		mem := fsOf(t, all)
		j, _, err := recoverFrom(mem, s.w.seed)
		if err != nil {
			t.Fatal(err)
		}
		return j, mem
	}
	j, _ := open(s.all)
	for from := range uint32(9) {
		// Where a segment begins in terms of groups, by the records.
		group := uint64(0)
		for _, e := range s.w.entries {
			if e.position.Segment() < from+1 {
				group = e.group
			}
		}
		for to := from + 1; to <= 9; to++ {
			got, visit := collect(nil)
			after, err := j.ReadSegments(Point{from + 1, group}, to, visit)
			if err != nil {
				t.Fatalf("segments %d to %d: %v", from+1, to, err)
			}
			var want []entry
			for _, e := range s.w.entries {
				if n := e.position.Segment(); n > from && n <= to {
					want = append(want, e)
				}
			}
			if !slices.Equal(*got, want) || after != (Point{to + 1, want[len(want)-1].group}) {
				t.Errorf("segments %d to %d: %d records, want %d, after them %v", from+1, to, len(*got), len(want), after)
			}
			grouped, err := readGroups(t, j, Point{from + 1, group}, to, after)
			if !slices.Equal(grouped, want) || err != nil {
				t.Errorf("groups of segments %d to %d: %d records, want %d, %v", from+1, to, len(grouped), len(want), err)
			}
		}
	}
	if after, err := j.ReadSegments(s.q, s.q.Segment-1, nil); after != s.q || err != nil {
		t.Errorf("no segment: %v, %v", after, err)
	}
	if _, err := j.ReadSegments(s.q, 10, nil); err == nil || !strings.Contains(err.Error(), "only 9 and those before it") {
		t.Errorf("not sealed: %v", err)
	}
	bad := errors.New("no such account")
	if _, err := j.ReadSegments(s.p, 9, func(Record) error { return bad }); !errors.Is(err, bad) {
		t.Errorf("visit fails: %v", err)
	}
	skip := func([]Record) error { return nil }
	if _, err := j.ReadGroups(s.p, 9, func([]Record) error { return bad }, nil); !errors.Is(err, bad) {
		t.Errorf("visit of a group fails: %v", err)
	}
	if _, err := j.ReadGroups(s.p, 9, skip, func(Position) error { return bad }); !errors.Is(err, bad) {
		t.Errorf("leaving fails: %v", err)
	}
	if _, err := j.ReadSegments(Point{4, s.p.Group + 1}, 9, nil); !errors.As(err, new(*CorruptError)) {
		t.Errorf("another group: %v", err)
	}
	f := func(what string, segment uint32, change func(b []byte)) {
		t.Helper()
		j, mem := open(s.all)
		file := &memFile{fs: mem, node: mem.names[segmentName(segment)], writable: true}
		content := make([]byte, file.node.data.size)
		file.node.data.read(content, 0)
		change(content)
		file.node.data.write(content, 0)
		if _, err := j.ReadSegments(s.p, 6, nil); !errors.As(err, new(*CorruptError)) {
			t.Errorf("%s: %v", what, err)
		}
	}
	f("flip", 5, func(b []byte) { b[BlockSize+50] ^= 1 })
	f("header", 5, func(b []byte) { b[60] ^= 1 })
	f("last segment's groups zeroed", 6, func(b []byte) { clear(b[BlockSize:]) })
	f("next segment's groups zeroed", 7, func(b []byte) { clear(b[BlockSize:]) })
	j, mem := open(s.all)
	if err := mem.Remove(segmentName(5)); err != nil {
		t.Fatal(err)
	}
	if _, err := j.ReadSegments(s.p, 6, nil); err == nil {
		t.Error("segment missing: no error")
	}
}

// readGroups is what ReadGroups visits. It looks whether data stays as it is until it is left, and all is in the end.
func readGroups(t *testing.T, j *Journal, from Point, to uint32, after Point) (all []entry, err error) {
	t.Helper()
	var held []Record
	seen := 0
	check := func() {
		for i, r := range held {
			if entryOf(r) != all[seen-len(held)+i] {
				t.Fatalf("the record at %v has changed before it was left", r.Position)
			}
		}
	}
	last := Position(0)
	got, err := j.ReadGroups(from, to, func(records []Record) error {
		for _, r := range records {
			all, held = append(all, entryOf(r)), append(held, r)
			seen++
		}
		check()
		return nil
	}, func(before Position) error {
		check()
		last = before
		for len(held) > 0 && held[0].Position < before {
			held = held[1:]
		}
		return nil
	})
	if err == nil && (got != after || last <= Position(0) || len(held) > 0) {
		t.Errorf("after all: %v, expected %v; %d records were not left", got, after, len(held))
	}
	return all, err
}

// TestSnapshotsBesideCommits makes snapshots, and removes what they don't need, while writers append; then the journal
// is closed in the middle of a snapshot, which ends it. Under the race detector this is the test of the locks.
func TestSnapshotsBesideCommits(t *testing.T) {
	mem := new(MemFS)
	o := testOptions(1)
	j, stop := running(t, mem, o, nil)
	if err := j.WriteSnapshot(Point{1, 0}, inPieces([]byte{0}, 1)); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var writers sync.WaitGroup
	total := 0
	writers.Go(func() {
		var b Batch
		for at := Position(0); ; total++ {
			select {
			case <-done:
				return
			default:
			}
			b.Reset()
			b.Add(0, []byte{1})
			base, err := appendWait(j, &b)
			if err != nil {
				t.Error(err)
				return
			}
			if at == 0 || total%200 == 0 {
				at = base
			}
			if _, _, err := j.Read(nil, at); err != nil && !errors.Is(err, ErrRemoved) {
				t.Errorf("read back %v: %v", at, err)
				return
			}
		}
	})
	count := func(r io.Reader) (n int, err error) {
		b, err := io.ReadAll(r)
		for _, c := range b {
			n += int(c)
		}
		return n, err
	}
	for rounds := 0; rounds < 20; {
		old := j.Snapshots()[0]
		if j.Sealed() < old.Segment {
			if err := j.Wait(j.Durable() + 1); err != nil {
				t.Fatal(err)
			}
			continue
		}
		rounds++
		n := 0
		err := j.ReadSnapshot(old, func(r io.Reader) (err error) { n, err = count(r); return err })
		if err != nil {
			t.Fatal(err)
		}
		at, err := j.ReadSegments(old, j.Sealed(), func(Record) error { n++; return nil })
		if err != nil {
			t.Fatal(err)
		}
		if err := j.WriteSnapshot(at, inPieces(slices.Repeat([]byte{1}, n), 100)); err != nil {
			t.Fatal(err)
		}
		points := j.Snapshots()
		if err := j.RemoveBefore(points[len(points)-1].Segment); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	writers.Wait()
	newest, ended := j.Snapshots(), make(chan error)
	var b Batch
	b.Add(0, []byte{1})
	for ; j.Sealed() < newest[0].Segment; total++ {
		if _, err := appendWait(j, &b); err != nil {
			t.Fatal(err)
		}
	}
	begun := make(chan struct{})
	go func() {
		ended <- j.WriteSnapshot(Point{j.Sealed() + 1, 0}, func(w io.Writer) error {
			close(begun)
			for {
				if _, err := w.Write(make([]byte, snapshotBlockSize)); err != nil {
					return err
				}
			}
		})
	}()
	<-begun
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, ErrClosed) {
		t.Errorf("the snapshot during Close: %v", err)
	}
	loaded, n := 0, 0
	o.Load = func(_ Point, r io.Reader) (err error) { loaded, err = count(r); return err }
	j, stop = running(t, mem, o, func(Record) error { n++; return nil })
	if loaded+n != total || loaded == 0 || j.Recovery().Snapshot != newest[0] {
		t.Errorf("%d records in the snapshot, %d after it, want %d", loaded, n, total)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if n := mem.OpenFiles(); n != 0 {
		t.Errorf("%d files are open", n)
	}
}
