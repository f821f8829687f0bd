package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"

	"fastpay/perf/leaks"
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(1000) // the sweeps keep little, and make much garbage
	os.Exit(leaks.Checked(m).Run())
}

// running opens a journal and runs it. The returned function closes it, and gives the errors of Close and Run.
func running(t testing.TB, fs FS, o Options, replay func(Record) error) (*Journal, func() error) {
	t.Helper()
	j, err := Open(fs, o, replay)
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- j.Run() }()
	return j, func() error { return errors.Join(j.Close(), <-ran) }
}

// appendWait appends until there is room, and waits until the batch is durable.
func appendWait(j *Journal, b *Batch) (base Position, err error) {
	base, group, err := j.Append(b)
	for errors.Is(err, ErrFull) {
		if err = j.Wait(group); err == nil {
			base, group, err = j.Append(b)
		}
	}
	if err != nil {
		return 0, err
	}
	return base, j.Wait(group)
}

// TestManyWriters: several goroutines append, wait and read back. Groups hold batches of several of them; each writer's
// records are there after a crash, in its order.
func TestManyWriters(t *testing.T) {
	const writers, each = 4, 150
	mem := new(MemFS)
	j, stop := running(t, mem, testOptions(1), nil)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			var b Batch
			var buf []byte
			for i := range each {
				b.Reset()
				data := binary.LittleEndian.AppendUint64(make([]byte, 8*(i%50)), uint64(i))
				at := b.Add(uint32(w), data)
				base, err := appendWait(j, &b)
				if err != nil {
					t.Errorf("writer %d, record %d: %v", w, i, err)
					return
				}
				shard, got, err := j.Read(buf, base+at)
				if err != nil || shard != uint32(w) || string(got) != string(data) {
					t.Errorf("writer %d, record %d: read %d, %x, %v", w, i, shard, got, err)
				}
				buf = got
			}
		})
	}
	all.Wait()
	crashed := mem.Crash(keepNone)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if n := mem.OpenFiles(); n != 0 {
		t.Errorf("%d files are open after Close", n)
	}
	for name, fs := range map[string]*MemFS{"crashed": crashed, "closed": mem} {
		var next [writers]uint64
		j, stop := running(t, fs, testOptions(2), func(r Record) error {
			if i := binary.LittleEndian.Uint64(r.Data[len(r.Data)-8:]); i != next[r.Shard] {
				return fmt.Errorf("writer %d: record %d, want %d", r.Shard, i, next[r.Shard])
			}
			next[r.Shard]++
			return nil
		})
		if next != [writers]uint64{each, each, each, each} {
			t.Errorf("%s: recovered %v records", name, next)
		}
		if clean := j.Recovery().Clean; clean != (name == "closed") {
			t.Errorf("%s: clean: %v", name, clean)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNextGroupFillsDuringSync holds a sync back. Meanwhile nothing is reported, the next group fills until it is full,
// and all of it goes out with the sync after.
func TestNextGroupFillsDuringSync(t *testing.T) {
	mem := new(MemFS)
	var hold atomic.Bool
	arrived, release := make(chan struct{}), make(chan struct{})
	fs := &FaultFS{mem, func(op Op) error {
		if hold.Load() && op.Kind == OpSync {
			arrived <- struct{}{}
			<-release
		}
		return nil
	}}
	commits := make(chan uint64, 10)
	o := testOptions(1)
	o.SegmentSize = 32 * BlockSize // so that no next segment is made, and synced, meanwhile
	o.OnCommit = func(group uint64, err error) { commits <- group }
	j, stop := running(t, fs, o, nil)
	hold.Store(true)
	var b Batch
	b.Add(0, make([]byte, 1000))
	_, first, err := j.Append(&b)
	if err != nil {
		t.Fatal(err)
	}
	<-arrived
	if err := j.Run(); !errors.Is(err, errRunning) {
		t.Errorf("a second Run: %v", err)
	}
	count := 0
	for ; ; count++ {
		_, group, err := j.Append(&b)
		if errors.Is(err, ErrFull) {
			if group != first+1 {
				t.Errorf("group %d is full, want %d", group, first+1)
			}
			break
		}
		if err != nil || group != first+1 {
			t.Fatalf("during the sync of group %d: in group %d, %v", first, group, err)
		}
	}
	if want := (testGroupSize - groupHeaderSize) / b.Size(); count != want {
		t.Errorf("%d batches had room, want %d", count, want)
	}
	if j.Durable() >= first || j.Appended() != first+1 {
		t.Errorf("durable %d, appended %d during the sync of group %d", j.Durable(), j.Appended(), first)
	}
	var empty Batch
	if _, group, err := j.Append(&empty); group != first+1 || err != nil {
		t.Errorf("a batch without records waits for group %d, %v", group, err)
	}
	if _, got, err := recoverFrom(mem.Crash(keepNone), 1); err != nil || len(got) != 0 {
		t.Errorf("a crash now leaves %d records, %v", len(got), err)
	}
	release <- struct{}{}
	<-arrived
	if got := <-commits; got != first || j.Durable() != first {
		t.Errorf("group %d reported, durable %d, want %d", got, j.Durable(), first)
	}
	if _, got, err := recoverFrom(mem.Crash(keepNone), 1); err != nil || len(got) != 1 {
		t.Errorf("a crash now leaves %d records, %v", len(got), err)
	}
	release <- struct{}{}
	if err := j.Wait(first + 1); err != nil {
		t.Fatal(err)
	}
	hold.Store(false)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if _, got, err := recoverFrom(mem, 1); err != nil || len(got) != 1+count {
		t.Errorf("%d records, %v", len(got), err)
	}
}

// TestFailureReachesWaiters: a sync fails while others wait and append.
func TestFailureReachesWaiters(t *testing.T) {
	fail := make(chan struct{})
	fs := &FaultFS{new(MemFS), func(op Op) error {
		if op.Kind == OpSync {
			select {
			case <-fail:
				return errDisk
			default:
			}
		}
		return nil
	}}
	o := testOptions(1)
	reported := make(chan error, 1)
	o.OnCommit = func(_ uint64, err error) {
		if err != nil {
			reported <- err
		}
	}
	j, stop := running(t, fs, o, nil)
	close(fail)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			var b Batch
			b.Add(0, make([]byte, 3000))
			for {
				if _, err := appendWait(j, &b); err != nil {
					if !errors.Is(err, errDisk) {
						t.Errorf("waiter: %v", err)
					}
					return
				}
			}
		})
	}
	all.Wait()
	if err := <-reported; !errors.Is(err, errDisk) {
		t.Errorf("OnCommit: %v", err)
	}
	if err := stop(); !errors.Is(err, errDisk) {
		t.Errorf("Close and Run: %v", err)
	}
}

func TestClosed(t *testing.T) {
	j, stop := running(t, new(MemFS), testOptions(1), nil)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	var b Batch
	b.Add(0, nil)
	if _, _, err := j.Append(&b); !errors.Is(err, ErrClosed) {
		t.Errorf("Append: %v", err)
	}
	if err := j.Commit(); !errors.Is(err, ErrClosed) {
		t.Errorf("Commit: %v", err)
	}
	if err := j.Prepare(); !errors.Is(err, ErrClosed) {
		t.Errorf("Prepare: %v", err)
	}
	if err := j.Wait(99); !errors.Is(err, ErrClosed) {
		t.Errorf("Wait: %v", err)
	}
	if err := j.Run(); err != nil {
		t.Errorf("Run: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Errorf("Close again: %v", err)
	}
}

func TestLimits(t *testing.T) {
	j, stop := running(t, new(MemFS), testOptions(1), nil)
	var b Batch
	if _, group, err := j.Append(&b); group != 0 || err != nil || j.Appended() != 0 || j.Wait(group) != nil {
		t.Errorf("nothing appended yet: wait for group %d, %v", group, err)
	}
	b.Add(0, make([]byte, testGroupSize-groupHeaderSize-RecordHeaderSize))
	if _, err := appendWait(j, &b); err != nil {
		t.Errorf("the largest record: %v", err)
	}
	b.Reset()
	b.Add(0, make([]byte, testGroupSize-groupHeaderSize-RecordHeaderSize+1))
	if _, _, err := j.Append(&b); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a byte more: %v", err)
	}
	if b.Len() != 1 || b.Size() != testGroupSize-groupHeaderSize+1 {
		t.Errorf("batch of %d records, %d bytes", b.Len(), b.Size())
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestReadManySegments reads back from more segments than are kept open, by several goroutines.
func TestReadManySegments(t *testing.T) {
	mem := new(MemFS)
	j, stop := running(t, mem, testOptions(1), nil)
	var positions []Position
	for i := range uint64(150) {
		var b Batch
		b.Add(0, binary.LittleEndian.AppendUint64(make([]byte, testGroupSize/2), i))
		base, err := appendWait(j, &b)
		if err != nil {
			t.Fatal(err)
		}
		positions = append(positions, base)
	}
	if n := positions[len(positions)-1].Segment(); n < 2*maxOpenReaders {
		t.Fatalf("only %d segments", n)
	}
	var all sync.WaitGroup
	for k := range 3 {
		all.Go(func() {
			for n := range positions {
				i := (n*7 + k*50) % len(positions)
				_, data, err := j.Read(nil, positions[i])
				if err != nil || binary.LittleEndian.Uint64(data[len(data)-8:]) != uint64(i) {
					t.Errorf("record %d at %v: %d bytes, %v", i, positions[i], len(data), err)
				}
			}
		})
	}
	all.Wait()
	if n := mem.OpenFiles(); n > maxOpenReaders+3 {
		t.Errorf("%d files are open", n)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}
