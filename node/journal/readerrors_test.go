package journal

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"slices"
	"testing"
)

// filled is a workload whose journal is open, with sealed segments.
func filled(t *testing.T, seed uint64, sealed uint32) *workload {
	t.Helper()
	w := newWorkload(t, seed)
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	for w.j.Sealed() < sealed {
		if err := errors.Join(w.append(), w.j.Commit()); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// failEach calls do again and again, each time with the next operation of the file system failing, until there is none.
// The error must come through each time, and nothing stay open but what was.
func failEach(t *testing.T, what string, w *workload, do func(fs FS, n int) error) {
	t.Helper()
	defer func() { w.inject = func(Op) error { return nil } }()
	for n := 0; ; n++ {
		seen, before := 0, w.mem.OpenFiles()
		var failed *Op
		w.inject = func(op Op) error {
			if seen++; seen == n+1 {
				failed = &op
				return errDisk
			}
			return nil
		}
		err := do(&FaultFS{w.mem, func(op Op) error { return w.inject(op) }}, n)
		if failed == nil {
			if err != nil || n == 0 {
				t.Errorf("%s after %d operations: %v", what, n, err)
			}
			return
		}
		if !errors.Is(err, errDisk) {
			t.Errorf("%s: operation %d (%v) fails: %v", what, n, failed, err)
		}
		if after := w.mem.OpenFiles(); after > before+1 { // Read keeps a segment open
			t.Errorf("%s: operation %d (%v) fails: %d files are open, %d before", what, n, failed, after, before)
		}
	}
}

// Whatever reads a journal passes on the error of each operation of the file system that fails.
func TestReadersTellErrors(t *testing.T) {
	w := filled(t, 21, 4)
	nothing := func(Record) error { return nil }
	failEach(t, "Scan", w, func(fs FS, _ int) error { _, err := Scan(fs, nothing); return err })
	failEach(t, "ListSegments", w, func(fs FS, _ int) error { _, err := ListSegments(fs); return err })
	failEach(t, "ReadIdentity", w, func(fs FS, _ int) error { _, _, err := ReadIdentity(fs); return err })
	failEach(t, "Segments", w, func(FS, int) error { _, err := w.j.Segments(); return err })
	failEach(t, "ReadSegments", w, func(FS, int) error { _, err := w.j.ReadSegments(Point{}, 3, nothing); return err })
	failEach(t, "ReadFrom", w, func(FS, int) error {
		return w.j.ReadFrom(w.entries[0].position, func(Record) (bool, error) { return true, nil })
	})
	failEach(t, "Read", w, func(_ FS, n int) error { // from the second segment once the first stays open
		i := slices.IndexFunc(w.entries, func(e entry) bool { return e.position.Segment() == uint32(1+n/3) })
		_, _, err := w.j.Read(nil, w.entries[i].position)
		return err
	})
	if err := w.j.Close(); err != nil {
		t.Fatal(err)
	}
}

// A segment that is larger than what is read of it at once is read in several pieces, each of which may fail.
func TestStreamTellsErrors(t *testing.T) {
	w := newWorkload(t, 22)
	o := testOptions(22)
	o.SegmentSize, o.GroupSize = 2*streamPiece+16*BlockSize, 32*BlockSize
	j, err := Open(&FaultFS{w.mem, func(op Op) error { return w.inject(op) }}, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b Batch
	for i := 0; j.Sealed() < 2; i++ {
		b.Reset()
		blocks := 1 + i%3 // of a group: one ends where the first piece does
		if j.Sealed() > 0 {
			blocks = 7 // and one lies across the end of a piece
		}
		b.Add(0, make([]byte, blocks*BlockSize-100))
		if _, _, err := j.Append(&b); err != nil {
			t.Fatal(err)
		}
		if err := j.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	failEach(t, "ReadSegments", w, func(FS, int) error {
		_, err := j.ReadSegments(Point{}, 2, func(Record) error { return nil })
		return err
	})
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// ReadFrom is refused what was removed or damaged, and ends when the journal is closed.
func TestReadFromRefuses(t *testing.T) {
	w := filled(t, 23, 4)
	all := func(Record) (bool, error) { return true, nil }
	change := func(segment uint32, change func(b []byte)) (undo func()) {
		f := memFile{fs: w.mem, node: w.mem.names[segmentName(segment)], writable: true}
		before := make([]byte, testSegmentSize)
		if _, err := f.ReadAt(before, 0); err != nil {
			t.Fatal(err)
		}
		b := slices.Clone(before)
		change(b)
		if _, err := f.WriteAt(b, 0); err != nil {
			t.Fatal(err)
		}
		return func() { _, _ = f.WriteAt(before, 0) }
	}
	first := w.entries[0].position
	f := func(what string, segment uint32, offset int64, do func(b []byte)) {
		t.Helper()
		undo := change(segment, do)
		defer undo()
		err := w.j.ReadFrom(first, all)
		damage := (*CorruptError)(nil)
		if !errors.As(err, &damage) || damage.File != segmentName(segment) || damage.Offset != offset {
			t.Errorf("%s: %v", what, err)
		}
	}
	end := Position(w.j.end.Load())
	f("a header", 2, 0, func(b []byte) { b[0] ^= 1 })
	f("a group that is durable", end.Segment(), BlockSize, func(b []byte) { b[BlockSize] ^= 1 })
	f("a group in the place of another", 2, BlockSize, func(b []byte) {
		salt := binary.LittleEndian.Uint32(b[segOffSalt:])
		g, _ := parseGroup(b[BlockSize:], salt)
		again := append(make([]byte, groupHeaderSize), g.records...)
		finishGroup(again, salt, g.sequence+1, g.sequence, g.count)
		copy(b[BlockSize:], again)
	})
	if err := w.j.ReadFrom(first, all); err != nil {
		t.Errorf("undone: %v", err)
	}
	w.j.first.Store(2) // as RemoveBefore does
	if err := w.j.ReadFrom(first, all); !errors.Is(err, ErrRemoved) {
		t.Errorf("removed: %v", err)
	}
	w.j.first.Store(1)
	closed := make(chan error, 1)
	err := w.j.ReadFrom(first, func(Record) (bool, error) {
		if len(closed) == 0 && w.j.stopped() == nil {
			go func() { closed <- w.j.Close() }()
			for w.j.stopped() == nil {
			}
		}
		return true, nil
	})
	if !errors.Is(err, ErrClosed) || <-closed != nil {
		t.Errorf("closed meanwhile: %v", err)
	}
	if err := w.j.ReadFrom(first, all); !errors.Is(err, ErrClosed) {
		t.Errorf("closed before: %v", err)
	}
}

// What is appended while a journal is being closed is refused, and so is what nobody can have written.
func TestAppendDuringClose(t *testing.T) {
	o, calls := testOptions(1), 0
	var j *Journal
	var b Batch
	b.Add(0, []byte("late"))
	o.OnCommit = func(uint64, error) {
		calls++
		if _, _, err := j.AppendLazy(&b); !errors.Is(err, ErrClosed) {
			t.Errorf("appended during Close: %v", err)
		}
	}
	j, err := Open(new(MemFS), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil || calls != 1 {
		t.Errorf("%d commits, %v", calls, err)
	}
}

// Each operation of a recovery fails once, of a journal that a crash left with an empty segment and an unfinished one.
// The next recovery has everything.
func TestEveryOperationOfARecoveryFails(t *testing.T) {
	w := filled(t, 24, 2)
	if err := w.j.Prepare(); err != nil {
		t.Fatal(err)
	}
	if f, err := w.mem.Create(segmentName(9) + unfinishedSuffix); err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ {
		left, seen := w.mem.Crash(keepAll), 0
		var failed *Op
		j, err := Open(&FaultFS{left, func(op Op) error {
			if seen++; seen == n+1 {
				failed = &op
				return errDisk
			}
			return nil
		}}, testOptions(24), nil)
		if failed == nil {
			seen = n + 1 // what Close does doesn't fail
			if err := errors.Join(err, j.Close(), w.j.Close()); err != nil || n < 20 {
				t.Errorf("after %d operations: %v", n, err)
			}
			return
		}
		if err == nil {
			t.Errorf("operation %d (%v) fails, and nobody is told", n, failed)
		} else if !errors.Is(err, errDisk) || left.OpenFiles() != 0 {
			t.Errorf("operation %d (%v) fails: %v, %d files are open", n, failed, err, left.OpenFiles())
		}
		if err := w.checkCrash(left); err != nil {
			t.Errorf("after operation %d (%v): %v", n, failed, err)
		}
	}
}

// A file that is larger than any segment is refused before memory is taken for it.
func TestSegmentTooLarge(t *testing.T) {
	w := filled(t, 25, 2)
	if err := w.j.Close(); err != nil {
		t.Fatal(err)
	}
	w.mem.names[segmentName(2)].data.size = MaxSegmentSize + 1
	if _, err := Scan(w.mem, nil); !errors.As(err, new(*CorruptError)) {
		t.Errorf("scan: %v", err)
	}
}

// What looks damaged is read again, since a process may have written it meanwhile; if that fails, it is damage.
func TestScanLooksAgain(t *testing.T) {
	d := build(t, 3, true)
	damaged := fsOf(t, with(d.all, segmentName(2), func(b []byte) []byte { b[BlockSize] ^= 1; return b }))
	for _, fails := range []int{0, 2} { // times that the segment is opened
		opened := 0
		_, err := Scan(&FaultFS{damaged, func(op Op) error {
			if op.Kind == OpOpen && op.Name == segmentName(2) {
				if opened++; opened == fails {
					return errDisk
				}
			}
			return nil
		}}, nil)
		if !errors.As(err, new(*CorruptError)) || opened != 2 {
			t.Errorf("opened %d times: %v", opened, err)
		}
	}
}

// A snapshot of another journal, beside one of this journal, is not one to begin with.
func TestOlderSnapshotOfAnotherJournal(t *testing.T) {
	s := buildSnapshots(t)
	older := snapshotName(s.p.Segment)
	all := with(s.all, older, func(b []byte) []byte {
		b[snapOffID] ^= 1
		binary.LittleEndian.PutUint32(b[snapOffCRC:], headerCRC(b))
		return b
	})
	j, _, err := recoverFrom(fsOf(t, all), s.w.seed)
	if err != nil {
		t.Fatal(err)
	}
	if points := j.Snapshots(); len(points) != 1 || points[0] != s.q {
		t.Errorf("snapshots %v, expected %v alone", points, s.q)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// A file system in memory refuses what a real one does.
func TestMemFSRefuses(t *testing.T) {
	m := &MemFS{Capacity: 2 * BlockSize}
	lock, err := m.Lock("l")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Lock("l"); !errors.Is(err, ErrLocked) {
		t.Errorf("locked twice: %v", err)
	}
	if err := lock.Close(); err != nil {
		t.Error(err)
	}
	if err := lock.Close(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("unlocked twice: %v", err)
	}
	f, err := m.Create("f")
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 2*BlockSize+1)
	if n, err := f.WriteAt(b, 0); err == nil || n != 0 {
		t.Errorf("written beyond the capacity: %d, %v", n, err)
	}
	if err := f.WriteSync(b, 0); err == nil {
		t.Error("written and synced beyond the capacity")
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"read":  func() error { _, err := f.ReadAt(b, 0); return err }(),
		"write": func() error { _, err := f.WriteAt(b[:1], 0); return err }(),
		"sync":  f.Sync(),
		"close": f.Close(),
	} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%s after Close: %v", what, err)
		}
	}
	faulty := &FaultFS{m, func(Op) error { return nil }}
	if _, err := faulty.Open("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that there is not: %v", err)
	}
}
