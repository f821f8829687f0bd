package journal

import (
	"errors"
	"io"
	"math"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestLowSpace fills a disk. It is told while there is room for some segments, and again for each of them; then that
// the next one can't be made; and at last the journal ends with that.
func TestLowSpace(t *testing.T) {
	const segments = 8
	mem := &MemFS{Capacity: segments * testSegmentSize}
	o := testOptions(1)
	o.LowSpace = 4 * testSegmentSize
	var mu sync.Mutex
	var low, failed []int64
	o.OnTrouble = func(room int64, err error) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case errors.Is(err, ErrLowSpace) && len(failed) == 0:
			low = append(low, room)
		case errors.Is(err, syscall.ENOSPC):
			failed = append(failed, room)
		default:
			t.Errorf("told %v, room %d", err, room)
		}
	}
	j, stop := running(t, mem, o, nil)
	var b Batch
	b.Add(0, make([]byte, 100))
	var err error
	records := 0
	for err == nil {
		if _, err = appendWait(j, &b); err == nil {
			records++
		}
		j.settle()
	}
	if !errors.Is(err, syscall.ENOSPC) || !errors.Is(j.Err(), syscall.ENOSPC) {
		t.Errorf("the disk is full: %v, %v", err, j.Err())
	}
	if err := stop(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Close: %v", err)
	}
	if len(low) < 3 || low[0] <= 0 || len(failed) == 0 {
		t.Errorf("told %v of little space, %v of none", low, failed)
	}
	if n := len(files(t, mem)); n != segments {
		t.Errorf("%d segments", n)
	}
	if _, got, err := recoverFrom(fsOf(t, files(t, mem)), 1); err != nil || len(got) != records {
		t.Errorf("%d records recovered on a larger disk, %v", len(got), err)
	}
}

// settle waits until Run has made the next segment or failed to, and has told of it. Appends one after the other would be
// faster.
func (j *Journal) settle() {
	for range 20 {
		j.mu.Lock()
		preparing := j.preparing && j.err == nil
		j.mu.Unlock()
		time.Sleep(time.Millisecond) // what follows the making of a segment can't be seen from outside
		if j.Err() != nil || !preparing && !j.wantsNext() {
			return
		}
	}
}

// TestSnapshotSpace: a snapshot does not take what commits need.
func TestSnapshotSpace(t *testing.T) {
	mem := &MemFS{Capacity: 20 << 20}
	o := testOptions(1)
	o.LowSpace = 8 << 20
	j, stop := running(t, mem, o, nil)
	if err := j.WriteSnapshot(Point{1, 0}, inPieces(randomBytes(30<<20), 1<<20)); !errors.Is(err, ErrLowSpace) {
		t.Errorf("a snapshot larger than the disk: %v", err)
	}
	free, err := mem.Free()
	if err != nil || free < 19<<20 {
		t.Errorf("%d bytes are free after it, %v", free, err)
	}
	var b Batch
	b.Add(0, []byte("still"))
	if _, err := appendWait(j, &b); err != nil {
		t.Error(err)
	}
	if err := j.WriteSnapshot(Point{1, 0}, inPieces(randomBytes(10<<20), 1<<20)); err != nil {
		t.Errorf("a snapshot that fits: %v", err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	o.LowSpace = 15 << 20
	j, stop = running(t, mem, o, nil)
	written := false
	err = j.WriteSnapshot(Point{2, 1}, func(io.Writer) error { written = true; return nil })
	if err == nil || written {
		t.Errorf("with little space: %v", err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

// TestDirFree: a real disk has a finite number of bytes.
func TestDirFree(t *testing.T) {
	dir, err := OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if free, err := dir.Free(); err != nil || free <= 0 || free == math.MaxInt64 {
		t.Errorf("%d, %v", free, err)
	}
}
