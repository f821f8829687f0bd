package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Small sizes make every workload change segments often.
const (
	testGroupSize   = 2 * BlockSize
	testSegmentSize = 6 * BlockSize
)

func testOptions(seed uint64) Options {
	return Options{
		Identity:    Identity{{"authority", "a"}, {"shards", "0-3 of 4"}},
		SegmentSize: testSegmentSize,
		GroupSize:   testGroupSize,
		Random:      rand.NewChaCha8([32]byte{byte(seed)}),
	}
}

// entry is a record that was appended, and what Append said of it.
type entry struct {
	shard    uint32
	data     string
	position Position
	group    uint64
}

// workload appends to a journal whose every operation goes through inject, and remembers what was appended, and what
// was reported durable.
type workload struct {
	t       testing.TB
	keeping bool // with snapshots and retention
	rng     *rand.Rand
	seed    uint64
	mem     *MemFS
	inject  func(Op) error
	j       *Journal // nil while it is closed
	entries []entry
	acked   uint64 // last group that was reported durable
	batch   Batch
}

func newWorkload(t testing.TB, seed uint64) *workload {
	return &workload{t: t, rng: rand.New(rand.NewPCG(seed, 1)), seed: seed, mem: new(MemFS),
		inject: func(Op) error { return nil }}
}

// open opens the journal, and checks what it recovers.
func (w *workload) open() error {
	fs := &FaultFS{w.mem, func(op Op) error { return w.inject(op) }}
	o := testOptions(w.seed)
	o.OnCommit = func(group uint64, err error) {
		if group < w.acked {
			w.t.Fatalf("durable went from %d to %d", w.acked, group)
		}
		if err == nil {
			w.acked = group
		}
	}
	got, replay := collect(&o)
	j, err := Open(fs, o, replay)
	if err != nil {
		return err
	}
	w.j = j
	w.checkRecovered(*got)
	return nil
}

// step does one operation, drawn by the seed: mostly appends, with commits, and now and then a clean restart.
func (w *workload) step() error {
	if w.j == nil {
		return w.open()
	}
	if w.keeping && w.rng.IntN(8) == 0 {
		if w.rng.IntN(3) == 0 {
			return w.remove()
		}
		return w.snapshot()
	}
	switch p := w.rng.IntN(100); {
	case p < 55:
		return w.append()
	case p < 92:
		return w.j.Commit()
	case p < 96:
		return w.j.Prepare()
	default:
		err := w.j.Close()
		w.j = nil
		return err
	}
}

// append appends one to four records. If they have no room, it commits and tries again, which must do.
func (w *workload) append() error {
	w.batch.Reset()
	var added []entry
	for range 1 + w.rng.IntN(4) {
		size := w.rng.IntN(300)
		if w.rng.IntN(8) == 0 {
			size = w.rng.IntN(1800)
		}
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(w.rng.Uint32())
		}
		e := entry{shard: w.rng.Uint32N(4), data: string(data)}
		cut := w.rng.IntN(size + 1)
		e.position = w.batch.Add(e.shard, data[:cut], data[cut:])
		added = append(added, e)
	}
	if w.keeping && w.rng.IntN(2) == 0 {
		return w.appendNow(added)
	}
	base, group, err := w.j.Append(&w.batch)
	if errors.Is(err, ErrFull) {
		if err := w.j.Commit(); err != nil {
			return err
		}
		base, group, err = w.j.Append(&w.batch)
	}
	if err != nil {
		return err
	}
	w.remember(added, base, group)
	return nil
}

func (w *workload) remember(added []entry, base Position, group uint64) {
	for _, e := range added {
		e.position += base
		e.group = group
		w.entries = append(w.entries, e)
	}
}

// appendNow appends the batch and commits it at once. It may be durable before AppendNow returns, so it is remembered
// before, where it will be. If it has no room it is left out.
func (w *workload) appendNow(added []entry) error {
	g, before := w.j.filling, len(w.entries)
	w.remember(added, g.base+Position(len(g.buf)), g.sequence)
	base, group, committed, err := w.j.AppendNow(&w.batch)
	if errors.Is(err, ErrFull) {
		w.entries = w.entries[:before:before]
		return nil
	}
	if err == nil && (group != g.sequence || base != g.base+Position(len(g.buf)) || committed != (w.j.Durable() >= group)) {
		w.t.Fatalf("at %v in group %d, committed: %v, but durable is %d", base, group, committed, w.j.Durable())
	}
	return err
}

// snapshot makes a snapshot of what is sealed, from the one before and the segments since.
func (w *workload) snapshot() error {
	points := w.j.Snapshots()
	if len(points) == 0 {
		return w.j.WriteSnapshot(Point{1, 0}, func(io.Writer) error { return nil })
	}
	if points[0].Segment > w.j.Sealed() {
		return nil
	}
	var all []entry
	if err := w.j.ReadSnapshot(points[0], func(r io.Reader) (err error) { all, err = readEntries(r); return err }); err != nil {
		return err
	}
	at, err := w.j.ReadSegments(points[0], w.j.Sealed(), func(r Record) error { all = append(all, entryOf(r)); return nil })
	if err != nil {
		return err
	}
	in, after := w.entries[:len(all)], w.entries[len(all):]
	if !slices.Equal(all, in) || in[len(in)-1].position.Segment() >= at.Segment || in[len(in)-1].group > at.Group ||
		len(after) > 0 && (after[0].position.Segment() < at.Segment || after[0].group <= at.Group) {
		w.t.Fatalf("snapshot of %v has %d records", at, len(all))
	}
	return w.j.WriteSnapshot(at, func(out io.Writer) error { return writeEntries(out, all) })
}

// remove removes segments that no snapshot needs, as many as it draws.
func (w *workload) remove() error {
	return w.j.RemoveBefore(1 + w.rng.Uint32N(w.j.needed()))
}

// writeEntries writes entries as a snapshot's content, and readEntries is the inverse.
func writeEntries(w io.Writer, all []entry) error {
	var b []byte
	for _, e := range all {
		b = binary.LittleEndian.AppendUint32(b, e.shard)
		b = binary.LittleEndian.AppendUint64(b, uint64(e.position))
		b = binary.LittleEndian.AppendUint64(b, e.group)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(e.data)))
		b = append(b, e.data...)
	}
	_, err := w.Write(b)
	return err
}

func readEntries(r io.Reader) (all []entry, err error) {
	b, err := io.ReadAll(r)
	for err == nil && len(b) > 0 {
		e := entry{shard: binary.LittleEndian.Uint32(b), position: Position(binary.LittleEndian.Uint64(b[4:])),
			group: binary.LittleEndian.Uint64(b[12:])}
		end := 24 + binary.LittleEndian.Uint32(b[20:])
		e.data, b = string(b[24:end]), b[end:]
		all = append(all, e)
	}
	return all, err
}

// run does n operations, then closes the journal.
func (w *workload) run(n int) error {
	for range n {
		if err := w.step(); err != nil {
			return err
		}
	}
	if w.j == nil {
		return nil
	}
	return w.j.Close()
}

// collect returns a replay function and what it has collected, what the snapshot has included if there are options.
func collect(o *Options) (*[]entry, func(Record) error) {
	var got []entry
	if o != nil {
		o.Load = func(_ Point, content io.Reader) (err error) {
			got, err = readEntries(content)
			return err
		}
	}
	return &got, func(r Record) error {
		got = append(got, entryOf(r))
		return nil
	}
}

func entryOf(r Record) entry { return entry{r.Shard, string(r.Data), r.Position, r.Group} }

// checkRecovered checks that got begins what was appended, and has all that was reported durable.
func (w *workload) checkRecovered(got []entry) {
	w.t.Helper()
	if err := w.judge(got); err != nil {
		w.t.Fatalf("%v (seed %d)", err, w.seed)
	}
	// What was appended and not durable is gone now, and its groups' numbers will be used again.
	w.entries = w.entries[:len(got):len(got)]
}

func (w *workload) judge(got []entry) error {
	if len(got) > len(w.entries) {
		return fmt.Errorf("%d records recovered, only %d appended", len(got), len(w.entries))
	}
	for i, e := range got {
		if e != w.entries[i] {
			return fmt.Errorf("record %d: recovered %v, appended %v", i, e, w.entries[i])
		}
	}
	for i, e := range w.entries[len(got):] {
		if e.group <= w.acked {
			return fmt.Errorf("record %d of group %d is lost, but group %d was reported durable", len(got)+i, e.group, w.acked)
		}
	}
	return nil
}

func (e entry) String() string {
	return fmt.Sprintf("{shard %d, %d bytes, at %v, group %d}", e.shard, len(e.data), e.position, e.group)
}

func keepNone() bool { return false }

func keepAll() bool { return true }

// recoverFrom opens a journal, and returns it and its records.
func recoverFrom(fs FS, seed uint64) (*Journal, []entry, error) {
	o := testOptions(seed)
	got, replay := collect(&o)
	j, err := Open(fs, o, replay)
	return j, *got, err
}

// checkCrash recovers from a crash, and checks that what was recovered was durable before Open returned, that the
// journal goes on, and that what it gave back can be read by position.
func (w *workload) checkCrash(left *MemFS) error {
	j, got, err := recoverFrom(left, w.seed)
	if err != nil {
		return err
	}
	if err := w.judge(got); err != nil {
		return err
	}
	kept := got
	for len(kept) > 0 && kept[0].position.Segment() < j.Recovery().First {
		kept = kept[1:]
	}
	if found, err := Scan(left, nil); err != nil || found.Torn != 0 || found.Records != uint64(len(kept)) {
		return fmt.Errorf("after recovery of %d records: %+v, %w", len(kept), found, err)
	}
	again := left.Crash(keepNone)
	_, gotAgain, err := recoverFrom(again, w.seed)
	if err != nil {
		return fmt.Errorf("crash after recovery: %w", err)
	}
	if len(gotAgain) != len(got) {
		return fmt.Errorf("%d records recovered, but only %d of them durable when Open returned", len(got), len(gotAgain))
	}
	if len(kept) < len(got) {
		if _, _, err := j.Read(nil, got[0].position); !errors.Is(err, ErrRemoved) {
			return fmt.Errorf("read %v, which is not kept: %w", got[0], err)
		}
	}
	for _, e := range kept[max(0, len(kept)-3):] {
		if shard, data, err := j.Read(nil, e.position); err != nil || shard != e.shard || string(data) != e.data {
			return fmt.Errorf("read %v: %d, %d bytes, %w", e, shard, len(data), err)
		}
	}
	var b Batch
	b.Add(9, []byte("after the crash"))
	if _, _, err := j.Append(&b); err != nil {
		return err
	}
	if err := j.Commit(); err != nil {
		return err
	}
	_, gotAfter, err := recoverFrom(left.Crash(keepNone), w.seed)
	if err != nil {
		return fmt.Errorf("crash after going on: %w", err)
	}
	if len(gotAfter) != len(got)+1 || gotAfter[len(got)].data != "after the crash" {
		return fmt.Errorf("%d records before, %d after going on", len(got), len(gotAfter))
	}
	return nil
}

// files gives all segments of a file system, by name.
func files(t testing.TB, fs FS) map[string][]byte {
	t.Helper()
	names, err := fs.List()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string][]byte)
	for _, name := range names {
		if !strings.HasSuffix(name, segmentSuffix) {
			continue
		}
		f, err := fs.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		size, err := f.Size()
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, size)
		if _, err := f.ReadAt(b, 0); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		all[name] = b
	}
	return all
}

// fsOf is a file system with these files, all durable.
func fsOf(t testing.TB, all map[string][]byte) *MemFS {
	t.Helper()
	fs := new(MemFS)
	for name, b := range all {
		f, err := fs.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt(b, 0); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if err := fs.SyncDir(); err != nil {
		t.Fatal(err)
	}
	return fs
}

// with is all, one file replaced.
func with(all map[string][]byte, name string, change func(b []byte) []byte) map[string][]byte {
	changed := make(map[string][]byte, len(all))
	for n, b := range all {
		if n == name {
			b = change(bytes.Clone(b))
		}
		changed[n] = b
	}
	return changed
}
