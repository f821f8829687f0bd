package journal

import (
	"errors"
	"io"
	"io/fs"
	"testing"
)

// TestMemFSCrash: what was synced survives, what was not survives by the sector and in the order of names, and a file
// system that crashed shares nothing with the one it comes from.
func TestMemFSCrash(t *testing.T) {
	content := func(m *MemFS, name string) string {
		f, err := m.Open(name)
		if err != nil {
			return "none"
		}
		size, _ := f.Size()
		b := make([]byte, size)
		if n, err := f.ReadAt(b, 0); err != nil && err != io.EOF || n != len(b) {
			t.Fatalf("read %s: %d of %d, %v", name, n, size, err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	write := func(f File, s string, at int64) {
		if _, err := f.WriteAt([]byte(s), at); err != nil {
			t.Fatal(err)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	f := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	var m MemFS
	a, err := m.Create("a")
	must(err)
	write(a, "old", 0)
	must(a.Sync())
	f("synced, but not its name", content(m.Crash(keepNone), "a"), "none")
	f("its name kept", content(m.Crash(keepAll), "a"), "old")
	must(m.SyncDir())
	write(a, "new", 0)
	f("not synced, lost", content(m.Crash(keepNone), "a"), "old")
	f("not synced, kept", content(m.Crash(keepAll), "a"), "new")
	write(a, "far", 3*sectorSize)
	asked := 0
	first := m.Crash(func() bool { asked++; return asked == 2 })
	f("the last sector kept only", content(first, "a"), "old"+string(make([]byte, 3*sectorSize-3))+"far")
	must(m.Rename("a", "b"))
	f("rename lost", content(m.Crash(keepNone), "b"), "none")
	f("rename lost, old name", content(m.Crash(keepNone), "a"), "old")
	f("rename kept, old name", content(m.Crash(keepAll), "a"), "none")
	must(m.SyncDir())
	crashed := m.Crash(keepNone)
	a.(*memFile).loseUnsynced()
	must(a.Sync())
	f("a sync after one that failed", content(m.Crash(keepAll), "b"), "old")
	write(a, "mine", 0)
	must(a.Sync())
	f("written in the original", content(crashed, "b"), "old")
	must(m.Remove("b"))
	f("removed, not durably", content(m.Crash(keepNone), "b")[:4], "mine")
	must(a.Close())

	for what, err := range map[string]error{
		"close twice":     a.Close(),
		"sync closed":     a.Sync(),
		"allocate closed": a.Allocate(1),
	} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, err := range map[string]error{"rename": m.Rename("x", "y"), "remove": m.Remove("x")} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s of what there is not: %v", what, err)
		}
	}
	r, err := crashed.Open("b")
	must(err)
	if _, err := r.WriteAt([]byte("x"), 0); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("write to a file opened for reading: %v", err)
	}
	if n, err := r.ReadAt(make([]byte, 9), 100); n != 0 || err != io.EOF {
		t.Errorf("read beyond the end: %d, %v", n, err)
	}
}
