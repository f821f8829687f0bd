package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// damaged is a journal's files, to be damaged, and what they hold.
type damaged struct {
	w         *workload
	all       map[string][]byte
	lastStart int64 // offset of the last group, and its end without padding, in the last file
	lastEnd   int64
}

// build runs a workload until it has the given number of segments, and a last group with records.
func build(t *testing.T, segments int, closed bool) *damaged {
	t.Helper()
	w := newWorkload(t, 7)
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	for len(files(t, w.mem)) < segments || w.j.filling.base.offset() < 3*BlockSize {
		if err := w.append(); err != nil {
			t.Fatal(err)
		}
		if err := w.j.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	if closed {
		if err := w.j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	last := w.j.flying
	return &damaged{w, files(t, w.mem), last.base.offset(), last.base.offset() + int64(len(last.buf))}
}

func (d *damaged) lastName() string { return segmentName(uint32(len(d.all))) }

// exceptLast is the number of records before the last group.
func (d *damaged) exceptLast() int {
	n := len(d.w.entries)
	for n > 0 && d.w.entries[n-1].group == d.w.j.flying.sequence {
		n--
	}
	return n
}

// recovered opens the files, and gives the records if they begin what was appended.
func (d *damaged) recovered(t *testing.T, all map[string][]byte) (n int, found Recovery, err error) {
	t.Helper()
	return d.recoveredFrom(t, fsOf(t, all))
}

func (d *damaged) recoveredFrom(t *testing.T, fs *MemFS) (n int, found Recovery, err error) {
	t.Helper()
	j, got, err := recoverFrom(fs, d.w.seed)
	if err != nil {
		return 0, Recovery{}, err
	}
	if len(got) > len(d.w.entries) || !slices.Equal(got, d.w.entries[:len(got)]) {
		t.Fatal("recovered something that was never appended")
	}
	return len(got), j.Recovery(), nil
}

// scanned is recoveredFrom without the part of recovery that writes.
func (d *damaged) scanned(t *testing.T, fs *MemFS) (n int, found Recovery, err error) {
	t.Helper()
	visit := func(r Record) error {
		if n == len(d.w.entries) {
			t.Fatal("read something that was never appended")
		}
		if e := &d.w.entries[n]; r.Position != e.position || r.Group != e.group || r.Shard != e.shard || string(r.Data) != e.data {
			t.Fatalf("read %v, appended %v", r, e)
		}
		n++
		return nil
	}
	if found, err = Scan(fs, visit); err != nil {
		return 0, found, err
	}
	return n, found, nil
}

// TestTornAtEveryByte cuts the last group off at every byte. What is after the cut is zeros, as in a fresh block, or
// junk.
func TestTornAtEveryByte(t *testing.T) {
	d := build(t, 2, false)
	want := d.exceptLast()
	if want == len(d.w.entries) {
		t.Fatal("the last group has no records")
	}
	for cut := d.lastStart; cut <= d.lastEnd; cut += thin {
		for _, junk := range []byte{0, 0xa5} {
			all := with(d.all, d.lastName(), func(b []byte) []byte {
				for i := cut; i < alignUp(d.lastEnd); i++ {
					b[i] = junk
				}
				return b
			})
			n, found, err := d.recovered(t, all)
			whole := cut == d.lastEnd
			if err != nil || !whole && n != want || whole && n != len(d.w.entries) {
				t.Fatalf("cut at %d of %d..%d, junk %x: %d records, want %d, %v", cut, d.lastStart, d.lastEnd, junk, n, want, err)
			}
			if torn := cut > d.lastStart || junk != 0; !whole && torn != (found.Torn != 0) {
				t.Fatalf("cut at %d, junk %x: torn at %v", cut, junk, found.Torn)
			}
		}
	}
}

// TestBitFlips flips bits all over one segment, and checks what reading it says. A flip is detected, or it changes
// nothing. The one exception is the last group of a journal that was not closed: nobody vouches for it, so it passes
// for torn.
func TestBitFlips(t *testing.T) {
	f := func(name string, d *damaged, segment uint32) {
		file := segmentName(segment)
		detected, harmless, dropped := 0, 0, 0
		whole := fsOf(t, d.all)
		for at := 0; at < len(d.all[file]); at += thin {
			flipped := whole.Crash(keepNone)
			f := memFile{fs: flipped, node: flipped.names[file], writable: true}
			if _, err := f.WriteAt([]byte{d.all[file][at] ^ 1<<((at*5)%8)}, int64(at)); err != nil {
				t.Fatal(err)
			}
			n, found, err := d.scanned(t, flipped)
			inLast := file == d.lastName() && int64(at) >= d.lastStart && int64(at) < d.lastEnd
			switch {
			case err != nil:
				detected++
				if corrupt := (*CorruptError)(nil); !errors.As(err, &corrupt) {
					t.Errorf("%s: flip at %d: error %v, want a CorruptError", name, at, err)
				} else if corrupt.File != file || corrupt.Offset > int64(at) {
					t.Errorf("%s: flip at %d of %s: reported at %d of %s", name, at, file, corrupt.Offset, corrupt.File)
				}
			case n == len(d.w.entries):
				harmless++
				if inLast && d.exceptLast() < n {
					t.Errorf("%s: flip at %d of the last group was not seen", name, at)
				}
			case inLast && n == d.exceptLast() && found.Torn != 0:
				dropped++
			default:
				t.Errorf("%s: flip at %d: %d of %d records, and no error", name, at, n, len(d.w.entries))
			}
		}
		t.Logf("%s: %d flips: %d detected, %d harmless, %d dropped as torn", name, detected+harmless+dropped, detected, harmless, dropped)
		if detected < BlockSize/thin {
			t.Errorf("%s: only %d flips detected", name, detected)
		}
	}
	crashed, closed := build(t, 2, false), build(t, 2, true)
	f("sealed segment", crashed, 1)
	f("last segment", crashed, 2)
	f("last segment, closed", closed, 2)
}

// TestDamagedFiles is damage by the file.
func TestDamagedFiles(t *testing.T) {
	d := build(t, 4, true)
	f := func(what string, all map[string][]byte, file uint32, offset int64, reason string) {
		t.Helper()
		_, _, err := d.recovered(t, all)
		corrupt := (*CorruptError)(nil)
		if !errors.As(err, &corrupt) {
			t.Errorf("%s: %v, want a CorruptError", what, err)
			return
		}
		if corrupt.File != segmentName(file) || corrupt.Offset != offset || !strings.Contains(corrupt.Reason, reason) {
			t.Errorf("%s: %v", what, err)
		}
	}
	f("first file missing", without(d.all, 1), 1, 0, "missing")
	f("second file missing", without(d.all, 2), 2, 0, "missing")
	cut := func(n int) func(b []byte) []byte { return func(b []byte) []byte { return b[:n] } }
	f("empty", with(d.all, segmentName(2), cut(0)), 2, 0, "less than a header")
	f("half a header", with(d.all, segmentName(2), cut(BlockSize/2)), 2, 0, "less than a header")
	f("truncated", with(d.all, segmentName(4), cut(testSegmentSize-1)), 4, testSegmentSize-1, "its header says")
	other := func([]byte) []byte { return d.all[segmentName(3)] }
	f("another segment's content", with(d.all, segmentName(2), other), 2, segOffNumber, "this is segment 3")
	reheader := func(change func(b []byte)) func(b []byte) []byte {
		return func(b []byte) []byte {
			change(b)
			binary.LittleEndian.PutUint32(b[segOffCRC:], headerCRC(b))
			return b
		}
	}
	f("impossible size", with(d.all, segmentName(2), reheader(func(b []byte) { b[segOffSize] = 1 })), 2, 0, "impossible")
	f("malformed identity", with(d.all, segmentName(2), reheader(func(b []byte) { b[segOffIdentity]-- })), 2, 0, "identity is malformed")
	f("no journal", with(d.all, segmentName(2), reheader(func(b []byte) { b[0] = 'X' })), 2, 0, "does not begin")
	if _, _, err := d.recovered(t, with(d.all, segmentName(1), reheader(func(b []byte) { b[7] = 2 }))); !errors.Is(err, ErrVersion) ||
		!strings.Contains(err.Error(), "has version 2, this program knows 1") {
		t.Errorf("another version: %v", err)
	}
	end := d.endOf(2)
	zeroed := func(b []byte) []byte { clear(b[BlockSize:]); return b }
	f("second file's groups zeroed", with(d.all, segmentName(2), zeroed), 1, d.endOf(1), "in 0000000000000003.log is whole")
	lastGroup := func(b []byte) []byte { clear(b[end-BlockSize : end]); return b }
	f("last block of a sealed segment zeroed", with(d.all, segmentName(2), lastGroup), 2, d.startOfLast(2), "in 0000000000000003.log is whole")
	swapped := with(d.all, segmentName(2), func(b []byte) []byte {
		g, _ := parseGroup(b[BlockSize:], binary.LittleEndian.Uint32(b[segOffSalt:]))
		again := append(make([]byte, groupHeaderSize), g.records...)
		finishGroup(again, binary.LittleEndian.Uint32(b[segOffSalt:]), g.sequence-1, g.sequence-2, g.count)
		copy(b[BlockSize:], again)
		return b
	})
	f("a number twice", swapped, 2, BlockSize, "is where group")
	text := (&CorruptError{"f", 5, "r"}).Error()
	for _, want := range []string{"f: offset 5: r", "Restore"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %q", want, text)
		}
	}
}

func without(all map[string][]byte, number uint32) map[string][]byte {
	less := make(map[string][]byte)
	for name, b := range all {
		if name != segmentName(number) {
			less[name] = b
		}
	}
	return less
}

// endOf is the offset in a segment where its groups end, by the records' positions.
func (d *damaged) endOf(number uint32) int64 {
	end := int64(BlockSize)
	for _, e := range d.w.entries {
		if e.position.Segment() == number {
			end = alignUp(e.position.offset() + RecordHeaderSize + int64(len(e.data)))
		}
	}
	return end
}

// startOfLast is the offset in a segment of its last group that has records.
func (d *damaged) startOfLast(number uint32) (start int64) {
	group := uint64(0)
	for _, e := range d.w.entries {
		if e.position.Segment() == number && e.group > group {
			group, start = e.group, e.position.offset()-groupHeaderSize
		}
	}
	return start
}

// TestGroupInsideRecord: a peer chooses part of what is in a record, so it may try to place a whole group there, at the
// beginning of a block. After a torn write that must not look like a later group. The segment's salt sees to it.
func TestGroupInsideRecord(t *testing.T) {
	for _, knowsSalt := range []bool{false, true} {
		w := newWorkload(t, 3)
		if err := w.open(); err != nil {
			t.Fatal(err)
		}
		salt := uint32(0)
		if knowsSalt {
			salt = w.j.active.salt
		}
		inner := make([]byte, groupHeaderSize)
		finishGroup(inner, salt, 2, 1, 0)
		data := append(make([]byte, BlockSize-groupHeaderSize-RecordHeaderSize), inner...)
		w.batch.Add(0, data)
		if _, _, err := w.j.Append(&w.batch); err != nil {
			t.Fatal(err)
		}
		if err := w.j.Commit(); err != nil {
			t.Fatal(err)
		}
		torn := with(files(t, w.mem), segmentName(1), func(b []byte) []byte { b[BlockSize+100] ^= 1; return b })
		_, got, err := recoverFrom(fsOf(t, torn), w.seed)
		if corrupt := (*CorruptError)(nil); knowsSalt != errors.As(err, &corrupt) || len(got) != 0 {
			t.Errorf("salt known: %v: %d records, %v", knowsSalt, len(got), err)
		}
	}
}

// TestRecordChecksum: Read sees damage that happened after recovery.
func TestRecordChecksum(t *testing.T) {
	w := newWorkload(t, 4)
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	at := w.batch.Add(3, []byte("some"), []byte(" data"))
	base, _, err := w.j.Append(&w.batch)
	if err != nil {
		t.Fatal(err)
	}
	at += base
	if _, _, err := w.j.Read(nil, at); !errors.Is(err, ErrNotDurable) {
		t.Errorf("before the commit: %v", err)
	}
	if err := w.j.Commit(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 0, 100)
	shard, data, err := w.j.Read(buf, at)
	if err != nil || shard != 3 || string(data) != "some data" {
		t.Fatalf("%d, %q, %v", shard, data, err)
	}
	if &data[0] != &buf[:RecordHeaderSize+1][RecordHeaderSize] {
		t.Error("the caller's memory was not used")
	}
	for i := range int64(RecordHeaderSize + 9) {
		f := memFile{fs: w.mem, node: w.mem.names[segmentName(1)], writable: true}
		flip := func() {
			var b [1]byte
			if _, err := f.ReadAt(b[:], at.offset()+i); err != nil {
				t.Fatal(err)
			}
			b[0] ^= 0x10
			if _, err := f.WriteAt(b[:], at.offset()+i); err != nil {
				t.Fatal(err)
			}
		}
		flip()
		if _, _, err := w.j.Read(nil, at); !errors.As(err, new(*CorruptError)) {
			t.Errorf("flip in byte %d: %v", i, err)
		}
		flip()
	}
	for _, bad := range []Position{0, 1, newPosition(1, 0), newPosition(1, BlockSize)} {
		if _, _, err := w.j.Read(nil, bad); !errors.Is(err, errNoPosition) {
			t.Errorf("position %v: %v", bad, err)
		}
	}
	if err := w.j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.j.Read(nil, at); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if n := w.mem.OpenFiles(); n != 0 {
		t.Errorf("%d files are open after Close", n)
	}
	if s := fmt.Sprint(at); s != "1:4128" {
		t.Errorf("position prints as %s", s)
	}
}
