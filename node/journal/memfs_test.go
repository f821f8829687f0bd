package journal

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
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

// plainFile is a file of a MemFS without pages: the oracle.
type plainFile struct {
	data, durable []byte
	dirty         map[int]bool
}

func (p *plainFile) write(b []byte, at int) {
	p.data = plainGrown(p.data, at+len(b))
	copy(p.data[at:], b)
	for s := at / sectorSize; s*sectorSize < at+len(b); s++ {
		p.dirty[s] = true
	}
}

func plainGrown(b []byte, size int) []byte { return append(b, make([]byte, max(0, size-len(b)))...) }

// take copies sector s of what programs see into a durable state.
func (p *plainFile) take(durable []byte, s int) []byte {
	end := min(len(p.data), (s+1)*sectorSize)
	durable = plainGrown(durable, end)
	copy(durable[s*sectorSize:end], p.data[s*sectorSize:end])
	return durable
}

func (p *plainFile) sync(from, to int) {
	for s := from / sectorSize; s*sectorSize < to; s++ {
		if p.dirty[s] {
			p.durable = p.take(p.durable, s)
			delete(p.dirty, s)
		}
	}
}

// TestMemFSMatchesPlain does the same to a file in pages and to a plain one: both must be the same whenever one looks,
// and leave the same after each crash, from which it sometimes goes on.
func TestMemFSMatchesPlain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mem, plain := new(MemFS), &plainFile{dirty: map[int]bool{}}
		created, err := mem.Create("f")
		if err == nil {
			err = mem.SyncDir()
		}
		if err != nil {
			t.Fatal(err)
		}
		f := created.(*memFile)
		at := rapid.OneOf(rapid.IntRange(0, 5*BlockSize),
			rapid.SampledFrom([]int{0, sectorSize, BlockSize - 1, BlockSize, 2 * BlockSize, 3*BlockSize - sectorSize}))
		sizes := rapid.OneOf(rapid.IntRange(1, 2*sectorSize), rapid.SampledFrom([]int{BlockSize, 2*BlockSize + 1, 3 * BlockSize}))
		bytesOf := func() []byte {
			return bytes.Repeat([]byte{byte(rapid.IntRange(0, 3).Draw(t, "byte"))}, sizes.Draw(t, "size"))
		}
		t.Repeat(map[string]func(*rapid.T){
			"write": func(t *rapid.T) {
				b, at := bytesOf(), at.Draw(t, "at")
				if _, err := f.WriteAt(b, int64(at)); err != nil {
					t.Fatal(err)
				}
				plain.write(b, at)
			},
			"write, synced": func(t *rapid.T) {
				b, at := bytesOf(), at.Draw(t, "at")
				if err := f.WriteSync(b, int64(at)); err != nil {
					t.Fatal(err)
				}
				plain.write(b, at)
				plain.sync(at, at+len(b))
			},
			"sync": func(t *rapid.T) {
				if err := f.Sync(); err != nil {
					t.Fatal(err)
				}
				plain.sync(0, len(plain.data))
			},
			"failed sync": func(*rapid.T) {
				f.loseUnsynced()
				clear(plain.dirty)
			},
			"crash": func(t *rapid.T) {
				var kept []bool
				keep := func() bool {
					kept = append(kept, rapid.Bool().Draw(t, "keep"))
					return kept[len(kept)-1]
				}
				left := mem.Crash(keep)
				durable := slices.Clone(plain.durable)
				for _, s := range slices.Sorted(maps.Keys(plain.dirty)) {
					if kept[0] {
						durable = plain.take(durable, s)
					}
					kept = kept[1:]
				}
				after := &memFile{fs: left, node: left.names["f"], writable: true}
				if got := contentOf(t, after); !bytes.Equal(got, durable) || len(kept) > 0 {
					t.Fatalf("a crash leaves %d bytes, want %d; asked for %d sectors more", len(got), len(durable), len(kept))
				}
				if rapid.Bool().Draw(t, "go on") {
					mem, f = left, after
					plain = &plainFile{data: durable, durable: slices.Clone(durable), dirty: map[int]bool{}}
				}
			},
			"": func(t *rapid.T) {
				if got := contentOf(t, f); !bytes.Equal(got, plain.data) {
					t.Fatalf("%d bytes, want %d", len(got), len(plain.data))
				}
			},
		})
	})
}

func contentOf(t *rapid.T, f *memFile) []byte {
	size, err := f.Size()
	if err != nil {
		t.Fatal(err)
	}
	b := bytes.Repeat([]byte{0xee}, int(size))
	if n, err := f.ReadAt(b, 0); n != len(b) || err != nil && (err != io.EOF || size > 0) {
		t.Fatalf("%d of %d bytes, %v", n, size, err)
	}
	return b
}
