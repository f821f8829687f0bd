package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestIdentity(t *testing.T) {
	mem := new(MemFS)
	o := testOptions(1)
	if _, stop := running(t, mem, o, nil); stop() != nil {
		t.Fatal("close")
	}
	f := func(id Identity, want string) {
		t.Helper()
		o.Identity = id
		_, err := Open(mem, o, nil)
		if !errors.Is(err, ErrIdentity) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", id, err, want)
		}
	}
	f(Identity{{"authority", "b"}, {"shards", "0-3 of 4"}}, "authority is a in the journal, here b")
	f(Identity{{"authority", "a"}}, "shards is 0-3 of 4 in the journal, not given here")
	f(Identity{{"authority", "a"}, {"shards", "0-3 of 4"}, {"accounts", "c"}}, "accounts is not in the journal, here c")
	f(nil, "authority is a in the journal, not given here; shards is")
	o.Identity = testOptions(1).Identity
	j, stop := running(t, mem, o, nil)
	if got := j.Recovery().Identity; len(got) != 2 || got[1] != o.Identity[1] {
		t.Errorf("identity %v", got)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if n := mem.OpenFiles(); n != 0 {
		t.Errorf("%d files and locks left open by Opens that failed", n)
	}
}

func TestOptions(t *testing.T) {
	f := func(o Options, want string) {
		t.Helper()
		if _, err := Open(new(MemFS), o, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", o, err, want)
		}
	}
	f(Options{GroupSize: 1000}, "group size 1000: expected a multiple of 4096")
	f(Options{GroupSize: -4096}, "group size -4096")
	f(Options{SegmentSize: 1 << 40}, "segment size 1099511627776")
	f(Options{SegmentSize: 4097 + DefaultGroupSize}, "segment size")
	f(Options{SegmentSize: DefaultGroupSize}, "room for a header")
	f(Options{Identity: Identity{{"a", strings.Repeat("x", BlockSize)}}}, "identity of")
	f(Options{Identity: Identity{{"a", "1"}, {"a", "2"}}}, `identity names "a" twice`)
	f(Options{Random: strings.NewReader("abc")}, "name of a journal")
	f(Options{Random: strings.NewReader("sixteen bytes long")}, "salt of a segment")
}

func TestReplayError(t *testing.T) {
	w := newWorkload(t, 8)
	if err := w.run(30); err != nil {
		t.Fatal(err)
	}
	bad := errors.New("no such account")
	if _, err := Open(w.mem, testOptions(8), func(Record) error { return bad }); !errors.Is(err, bad) {
		t.Errorf("error %v", err)
	}
	if n := w.mem.OpenFiles(); n != 0 {
		t.Errorf("%d files are open", n)
	}
}

// TestScan: reading a journal changes nothing, and finds what Open finds.
func TestScan(t *testing.T) {
	w := newWorkload(t, 9)
	if err := w.run(100); err != nil {
		t.Fatal(err)
	}
	fs := &FaultFS{w.mem, func(op Op) error {
		if op.Kind.Changes() || op.Kind == OpLock {
			t.Errorf("Scan does %v", op)
		}
		return nil
	}}
	got, visit := collect(nil)
	found, err := Scan(fs, visit)
	if err != nil {
		t.Fatal(err)
	}
	w.checkRecovered(*got)
	if found.Records != uint64(len(w.entries)) || !found.Clean || found.Torn != 0 || found.Segments < 3 ||
		found.Identity[0] != (Field{"authority", "a"}) || found.Bytes < int64(found.Groups)*BlockSize {
		t.Errorf("found %+v", found)
	}
	if found, err := Scan(new(MemFS), visit); err != nil || found.Groups != 0 {
		t.Errorf("an empty directory: %+v, %v", found, err)
	}
}

// TestDir is the journal on a real directory: made with its parents, for its owner only, locked, and other files in it
// left alone.
func TestDir(t *testing.T) {
	path := filepath.Join(t.TempDir(), "authority", "journal")
	dir, err := OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{path: 0o700, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	for _, name := range []string{"notes.txt", "1.log", "000000000000000A.log", "0000000000000000.log"} {
		if err := os.WriteFile(filepath.Join(path, name), []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(path, segmentName(5)+unfinishedSuffix), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := testOptions(1)
	var b Batch
	at := b.Add(1, []byte("kept"))
	for round := range 3 {
		got, replay := collect(nil)
		j, stop := running(t, dir, o, replay)
		if len(*got) != 20*round {
			t.Errorf("round %d: %d records", round, len(*got))
		}
		if _, err := Open(dir, o, nil); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), path) {
			t.Errorf("second Open: %v", err)
		}
		for range 20 {
			base, err := appendWait(j, &b)
			if err != nil {
				t.Fatal(err)
			}
			if _, data, err := j.Read(nil, base+at); err != nil || string(data) != "kept" {
				t.Errorf("read %q, %v", data, err)
			}
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	}
	names, err := dir.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, unfinishedSuffix) {
			t.Errorf("%s is left", name)
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir.Path(), "notes.txt")); err != nil || string(text) != "mine" {
		t.Errorf("notes.txt: %q, %v", text, err)
	}
	file := filepath.Join(path, "notes.txt")
	if _, err := OpenDir(filepath.Join(file, "below")); err == nil {
		t.Error("a directory below a file")
	}
}

// TestScanBesideCommits scans while a process appends as fast as it can: whatever moment is seen, it is a prefix of what was
// appended, and never damage.
func TestScanBesideCommits(t *testing.T) {
	const records = 2000
	mem := new(MemFS)
	o := testOptions(1)
	o.SegmentSize = 16 * BlockSize
	j, stop := running(t, mem, o, nil)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var b Batch
		for i := range uint64(records) {
			b.Reset()
			b.Add(0, binary.LittleEndian.AppendUint64(make([]byte, 1000*(i%4)), i))
			if _, err := appendWait(j, &b); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	scans, moving := 0, 0
	for running := true; running && !t.Failed(); scans++ {
		select {
		case <-ended:
			running = false
		default:
		}
		next, durable := uint64(0), j.Durable()
		found, err := Scan(mem, func(r Record) error {
			if got := binary.LittleEndian.Uint64(r.Data[len(r.Data)-8:]); got != next {
				return fmt.Errorf("record %d, want %d", got, next)
			}
			next++
			return nil
		})
		if err != nil || found.LastGroup < durable || !running && next != records {
			t.Errorf("group %d was durable: %d records, %+v, %v", durable, next, found, err)
		}
		if found.Moving {
			moving++
		}
	}
	t.Logf("%d scans, %d of them met a gap that was filled meanwhile, %d segments", scans, moving, j.Sealed())
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

// TestScanMoving: what looks like damage, because a process went on between two reads, is not.
func TestScanMoving(t *testing.T) {
	w := newWorkload(t, 15)
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	grow := func() {
		if err := errors.Join(w.append(), w.j.Commit()); err != nil {
			t.Fatal(err)
		}
	}
	for w.j.Sealed() < 2 {
		grow()
	}
	moving := 0
	for _, until := range []uint32{2, 3, 4} { // within the segment that was read, the next one, one further
		before := len(w.entries)
		fs := &FaultFS{w.mem, nil}
		reads := 0
		fs.Inject = func(op Op) error {
			if op.Kind != OpRead {
				return nil
			}
			if reads++; reads == int(w.j.Sealed())+2 { // the active one was read, the next one is about to be
				for range 3 {
					grow()
				}
				for w.j.Sealed() < until {
					grow()
				}
			}
			return nil
		}
		if err := w.j.Prepare(); err != nil {
			t.Fatal(err)
		}
		got, visit := collect(nil)
		found, err := Scan(fs, visit)
		if err != nil || len(*got) < before {
			t.Fatalf("%d records, %d were durable, %+v, %v", len(*got), before, found, err)
		}
		w.checkBegins(*got)
		if found.Moving {
			moving++
		}
	}
	if moving == 0 {
		t.Error("nothing ever moved")
	}
	if err := w.j.Close(); err != nil {
		t.Fatal(err)
	}
}

// checkBegins checks that got begins what was appended.
func (w *workload) checkBegins(got []entry) {
	w.t.Helper()
	if len(got) > len(w.entries) || !slices.Equal(got, w.entries[:len(got)]) {
		w.t.Errorf("%d records read do not begin the %d that were appended", len(got), len(w.entries))
	}
}

// TestLockedBy: who has the journal open is told without touching the lock.
func TestLockedBy(t *testing.T) {
	path := t.TempDir()
	if _, err := ExistingDir(filepath.Join(path, "no")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a directory that there is not: %v", err)
	}
	if _, err := os.Stat(filepath.Join(path, "no")); err == nil {
		t.Error("it was made")
	}
	dir, err := ExistingDir(path)
	if err != nil {
		t.Fatal(err)
	}
	if pid := dir.LockedBy(LockName); pid != 0 {
		t.Errorf("before: %d", pid)
	}
	_, stop := running(t, dir, testOptions(1), nil)
	if pid := dir.LockedBy(LockName); pid != os.Getpid() && runtime.GOOS == "linux" {
		t.Errorf("while it is open: %d, want %d", pid, os.Getpid())
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if pid := dir.LockedBy(LockName); pid != 0 {
		t.Errorf("after: %d", pid)
	}
}
