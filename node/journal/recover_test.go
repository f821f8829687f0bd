package journal

import (
	"errors"
	"os"
	"path/filepath"
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
