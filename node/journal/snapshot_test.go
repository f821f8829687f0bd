package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

// randomBytes is n bytes that repeat nowhere.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n)}).Read(b) // never fails
	return b
}

// inPieces writes content in pieces of a size.
func inPieces(content []byte, size int) func(io.Writer) error {
	return func(w io.Writer) error {
		for len(content) > 0 {
			n := min(size, len(content))
			if _, err := w.Write(content[:n]); err != nil {
				return err
			}
			content = content[n:]
		}
		return nil
	}
}

// TestSnapshotSizes: what is written comes out again, whatever the sizes of content and pieces, from a running journal,
// and when it is opened.
func TestSnapshotSizes(t *testing.T) {
	const block = snapshotBlockSize
	for _, size := range []int{0, 1, 7, block - 1, block, block + 1, 3 * block, 20*block + 5} {
		for _, piece := range []int{1000, block, 1 << 30} {
			mem, content := new(MemFS), randomBytes(size)
			o := testOptions(1)
			j, stop := running(t, mem, o, nil)
			if err := j.WriteSnapshot(Point{1, 0}, inPieces(content, piece)); err != nil {
				t.Fatal(err)
			}
			loads := 0
			check := func(r io.Reader) error {
				loads++
				if len(content) > block {
					return nil // TestReader is slow
				}
				return iotest.TestReader(r, content)
			}
			err := j.ReadSnapshot(Point{1, 0}, func(r io.Reader) error {
				got, err := io.ReadAll(r)
				if err != nil || !bytes.Equal(got, content) {
					return fmt.Errorf("%d bytes, %w", len(got), err)
				}
				return nil
			})
			if err != nil {
				t.Errorf("size %d in pieces of %d: %v", size, piece, err)
			}
			if err := j.ReadSnapshot(Point{1, 1}, check); !errors.As(err, new(*CorruptError)) {
				t.Errorf("read at another group: %v", err)
			}
			loads = 0
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			o.Load = func(at Point, r io.Reader) error {
				if at != (Point{1, 0}) {
					t.Errorf("loaded at %v", at)
				}
				return check(r)
			}
			j, stop = running(t, mem.Crash(keepNone), o, nil)
			if loads != 1 || j.Recovery().Snapshot != (Point{1, 0}) || j.Recovery().Snapshots != 1 {
				t.Errorf("size %d: loaded %d times, %+v", size, loads, j.Recovery())
			}
			if err := stop(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// snapshots is a journal's files with two snapshots, of points p and q, and the records of some segments after both.
type snapshots struct {
	all  map[string][]byte
	p, q Point
	w    *workload
}

func buildSnapshots(t *testing.T) *snapshots {
	t.Helper()
	w := newWorkload(t, 14)
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	fill := func(until uint32) {
		for w.j.Sealed() < until {
			if err := errors.Join(w.append(), w.j.Commit()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range uint32(3) { // at the beginning, then p, then q
		fill(3 * i)
		if err := w.snapshot(); err != nil {
			t.Fatal(err)
		}
	}
	fill(9)
	points := w.j.Snapshots()
	if len(points) != 2 || points[0].Segment != 7 || points[1].Segment != 4 {
		t.Fatalf("snapshots %v", points)
	}
	if err := w.j.Close(); err != nil {
		t.Fatal(err)
	}
	all := make(map[string][]byte)
	names, err := w.mem.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		all[name] = content(t, w.mem, name)
	}
	return &snapshots{all, points[1], points[0], w}
}

// content is what is in a file.
func content(t testing.TB, fs FS, name string) []byte {
	t.Helper()
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	size, err := f.Size()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, size)
	if n, err := f.ReadAt(b, 0); n != len(b) {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return b
}

// recovered opens the files, and checks that all records are there.
func (s *snapshots) recovered(t *testing.T, all map[string][]byte) (Recovery, error) {
	t.Helper()
	j, got, err := recoverFrom(fsOf(t, all), s.w.seed)
	if err != nil {
		return Recovery{}, err
	}
	if len(got) != len(s.w.entries) {
		t.Errorf("%d of %d records recovered", len(got), len(s.w.entries))
	}
	return j.Recovery(), s.w.judge(got)
}

// without is all, some files missing.
func (s *snapshots) without(names ...string) map[string][]byte {
	less := maps.Clone(s.all)
	for _, name := range names {
		delete(less, name)
	}
	return less
}

// TestDamagedSnapshot: any bit flip, and any cut, of the newest snapshot is seen, and the older one serves.
func TestDamagedSnapshot(t *testing.T) {
	s := buildSnapshots(t)
	newest := snapshotName(s.q.Segment)
	found, err := s.recovered(t, s.all)
	if err != nil || found.Snapshot != s.q || len(found.Damaged) != 0 || found.Snapshots != 2 || found.First != 1 {
		t.Fatalf("undamaged: %+v, %v", found, err)
	}
	f := func(what string, change func(b []byte) []byte) {
		t.Helper()
		found, err := s.recovered(t, with(s.all, newest, change))
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if found.Snapshot != s.p || len(found.Damaged) != 1 || found.Snapshots != 1 {
			t.Fatalf("%s: %+v", what, found)
		}
		if text := found.Damaged[0].Error(); !strings.Contains(text, newest+": offset ") {
			t.Errorf("%s: %s", what, text)
		}
	}
	size := len(s.all[newest])
	for at := 0; at < size; at += 37 * thin {
		f(fmt.Sprintf("flip at %d", at), func(b []byte) []byte { b[at] ^= 1 << (at % 8); return b })
		f(fmt.Sprintf("cut at %d", at), func(b []byte) []byte { return b[:at] })
	}
	for at := size - 20; at < size; at++ {
		f(fmt.Sprintf("cut at %d", at), func(b []byte) []byte { return b[:at] })
	}
	f("a byte more", func(b []byte) []byte { return append(b, 0) })
	f("the older one's content", func([]byte) []byte { return s.all[snapshotName(s.p.Segment)] })
	f("a length beyond any", func(b []byte) []byte {
		binary.LittleEndian.PutUint32(b[BlockSize:], 1<<31)
		return b
	})
	f("an impossible segment", func(b []byte) []byte {
		binary.LittleEndian.PutUint64(b[snapOffSegment:], 1<<40)
		binary.LittleEndian.PutUint32(b[snapOffCRC:], headerCRC(b))
		return b
	})
	version := with(s.all, newest, func(b []byte) []byte {
		b[7]++
		binary.LittleEndian.PutUint32(b[snapOffCRC:], headerCRC(b))
		return b
	})
	if _, err := s.recovered(t, version); !errors.Is(err, ErrVersion) {
		t.Errorf("another version: %v", err)
	}
}

// TestSnapshotBlocksInOrder: blocks that are whole, but not where they were written, are seen.
func TestSnapshotBlocksInOrder(t *testing.T) {
	mem := new(MemFS)
	j, stop := running(t, mem, testOptions(1), nil)
	defer func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}()
	if err := j.WriteSnapshot(Point{1, 0}, inPieces(randomBytes(4*snapshotBlockSize), 1<<30)); err != nil {
		t.Fatal(err)
	}
	whole := map[string][]byte{snapshotName(1): content(t, mem, snapshotName(1))}
	block := func(b []byte, i int) []byte {
		const size = snapshotBlockHeader + snapshotBlockSize
		return b[BlockSize+i*size : BlockSize+(i+1)*size]
	}
	f := func(what string, change func(b []byte) []byte, want bool) {
		t.Helper()
		fs := fsOf(t, with(whole, snapshotName(1), change))
		err := ScanSnapshot(fs, 1, func(SnapshotInfo, io.Reader) error { return nil })
		if want != (err == nil) || err != nil && !errors.As(err, new(*CorruptError)) {
			t.Errorf("%s: %v", what, err)
		}
	}
	f("whole", func(b []byte) []byte { return b }, true)
	f("two swapped", func(b []byte) []byte {
		first := bytes.Clone(block(b, 1))
		copy(block(b, 1), block(b, 2))
		copy(block(b, 2), first)
		return b
	}, false)
	f("one twice", func(b []byte) []byte { copy(block(b, 2), block(b, 1)); return b }, false)
	f("one left out", func(b []byte) []byte {
		const size = snapshotBlockHeader + snapshotBlockSize
		return append(b[:BlockSize+size], b[BlockSize+2*size:]...)
	}, false)
}

// TestSnapshotFallback: what is missing, and what still serves.
func TestSnapshotFallback(t *testing.T) {
	s := buildSnapshots(t)
	flip := func(all map[string][]byte, name string) map[string][]byte {
		return with(all, name, func(b []byte) []byte { b[BlockSize+100] ^= 4; return b })
	}
	newest, older := snapshotName(s.q.Segment), snapshotName(s.p.Segment)
	f := func(what string, all map[string][]byte, want ...string) {
		t.Helper()
		_, err := s.recovered(t, all)
		if len(want) == 0 && err != nil || len(want) > 0 && !errors.As(err, new(*CorruptError)) {
			t.Errorf("%s: %v", what, err)
			return
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v, want %q", what, err, w)
			}
		}
	}
	f("newest missing", s.without(newest))
	f("older missing", s.without(older))
	f("both missing, all segments", s.without(newest, older))
	f("older damaged", flip(s.all, older))
	f("both damaged", flip(flip(s.all, newest), older), newest+": offset 4096", older+": offset 4096", "restore")
	f("archive missing", s.without(segmentName(1), segmentName(2), segmentName(3)))
	f("archive has a gap", s.without(segmentName(2)))
	f("segment before the newest missing", s.without(segmentName(5)))
	f("segment before the newest missing, newest damaged", flip(s.without(segmentName(5)), newest), newest+": offset",
		segmentName(5)+": offset 0: the file is missing")
	f("first segment of the newest missing", s.without(segmentName(7)), segmentName(7))
	f("middle segment missing", s.without(segmentName(8)), segmentName(8))
	f("no snapshots, first segment missing", s.without(newest, older, segmentName(1)), segmentName(1))
	rest := []string{segmentName(8), segmentName(9), segmentName(10)}
	f("segments of the newest missing", s.without(append(rest, segmentName(7))...), segmentName(7))
	emptied := with(s.without(rest...), segmentName(7), func(b []byte) []byte {
		clear(b[BlockSize:])
		return b
	})
	f("segment of the newest without groups", emptied, segmentName(7), "no group, though one was durable")
	f("the same, newest damaged", flip(emptied, newest), segmentName(7), "no group, though one was durable")
	only := map[string][]byte{newest: s.all[newest]}
	f("no segments", only, segmentName(7), "is missing, though "+newest+" is there")
	if _, err := Scan(fsOf(t, only), nil); !errors.As(err, new(*CorruptError)) {
		t.Errorf("scan without segments: %v", err)
	}
	other := buildOther(t)
	foreign := maps.Clone(s.all)
	foreign[segmentName(9)] = with(other, segmentName(9), func(b []byte) []byte { return b })[segmentName(9)]
	f("segment of another journal", foreign, segmentName(9)+": offset 32: this is a segment of journal")
}

// buildOther is segments of a journal with the same identity, begun apart.
func buildOther(t *testing.T) map[string][]byte {
	t.Helper()
	mem := new(MemFS)
	j, stop := running(t, mem, testOptions(99), nil)
	var b Batch
	b.Add(0, make([]byte, testGroupSize/2))
	for j.Sealed() < 9 {
		if _, err := appendWait(j, &b); err != nil {
			t.Fatal(err)
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	return files(t, mem)
}

// TestSnapshotErrors: what a snapshot is refused for, and what an error leaves.
func TestSnapshotErrors(t *testing.T) {
	s := buildSnapshots(t)
	mem := fsOf(t, s.all)
	j, _, err := recoverFrom(mem, s.w.seed)
	if err != nil {
		t.Fatal(err)
	}
	f := func(what string, at Point, write func(io.Writer) error, want string) {
		t.Helper()
		if err := j.WriteSnapshot(at, write); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", what, err, want)
		}
		if points := j.Snapshots(); len(points) != 2 || points[0] != s.q || points[1] != s.p {
			t.Errorf("%s: snapshots %v", what, points)
		}
		if names, err := list(mem); err != nil || len(names.unfinished) > 0 || len(names.snapshots) != 2 {
			t.Errorf("%s: left %+v, %v", what, names, err)
		}
	}
	nothing := func(io.Writer) error { return nil }
	f("of what is not sealed", Point{j.Sealed() + 2, 1}, nothing, "are sealed")
	f("of nothing", Point{}, nothing, "are sealed")
	f("there already", s.q, nothing, "already")
	f("older", s.p, nothing, "already")
	bad := errors.New("no accounts")
	f("the caller fails", Point{8, 1}, func(w io.Writer) error { return bad }, "no accounts")
	if n := mem.OpenFiles(); n != 2 { // the active segment and the lock
		t.Errorf("%d files are open", n)
	}
	if err := j.ReadSnapshot(s.q, func(io.Reader) error { return bad }); !errors.Is(err, bad) {
		t.Errorf("the reader fails: %v", err)
	}
	if err := j.ReadSnapshot(Point{9, 1}, nil); err == nil {
		t.Error("a snapshot that there is not: no error")
	}
	o := testOptions(s.w.seed)
	o.Load = func(Point, io.Reader) error { return bad }
	if _, err := Open(fsOf(t, s.all), o, nil); !errors.Is(err, bad) || errors.As(err, new(*CorruptError)) {
		t.Errorf("Load fails: %v", err)
	}
	o.Identity = nil
	if _, err := Open(fsOf(t, s.without(segmentName(9))), o, nil); !errors.Is(err, ErrIdentity) {
		t.Errorf("another identity: %v", err)
	}
	segments, err := ListSnapshots(mem)
	if err != nil || len(segments) != 2 || segments[0] != s.q.Segment {
		t.Errorf("listed %v, %v", segments, err)
	}
	err = ScanSnapshot(mem, s.q.Segment, func(info SnapshotInfo, r io.Reader) error {
		if info.At != s.q || info.ID != j.Recovery().ID || info.Identity.difference(testOptions(1).Identity) != nil ||
			info.Size != int64(len(s.all[snapshotName(s.q.Segment)])) {
			t.Errorf("info %+v", info)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"write":    j.WriteSnapshot(Point{9, 9}, nothing),
		"read":     j.ReadSnapshot(s.q, nil),
		"remove":   j.RemoveBefore(1),
		"segments": func() error { _, err := j.Segments(); return err }(),
		"records":  func() error { _, err := j.ReadSegments(Point{}, 1, nil); return err }(),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s after Close: %v", what, err)
		}
	}
}
