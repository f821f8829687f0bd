package journal

import (
	"errors"
	"sync"
	"testing"
)

// TestAppendNow: with nothing in flight the batch is durable on return, and reported before.
func TestAppendNow(t *testing.T) {
	mem := new(MemFS)
	o := testOptions(1)
	reported := uint64(0)
	o.OnCommit = func(group uint64, err error) { reported = group }
	j, err := Open(mem, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b, empty Batch
	b.Add(0, []byte("other's"))
	if _, _, err := j.Append(&b); err != nil {
		t.Fatal(err)
	}
	b.Reset()
	b.Add(0, []byte("mine"))
	base, group, committed, err := j.AppendNow(&b)
	if err != nil || !committed || group != 1 || reported != 1 || j.Durable() != 1 {
		t.Errorf("group %d, committed %v, %v; reported %d, durable %d", group, committed, err, reported, j.Durable())
	}
	if _, data, err := j.Read(nil, base); err != nil || string(data) != "mine" {
		t.Errorf("read %q, %v", data, err)
	}
	if _, got, err := recoverFrom(mem.Crash(keepNone), 1); err != nil || len(got) != 2 {
		t.Errorf("a crash now leaves %d records, %v", len(got), err)
	}
	if _, group, committed, err := j.AppendNow(&empty); group != 1 || !committed || err != nil {
		t.Errorf("a batch without records: group %d, committed %v, %v", group, committed, err)
	}
	// Where the next segment has to be made first, that is left to Run.
	b.Reset()
	b.Add(0, make([]byte, testGroupSize/2))
	for committed && err == nil {
		_, group, committed, err = j.AppendNow(&b)
	}
	if err != nil || j.Durable() != group-1 || j.Sealed() != 0 || j.Appended() != group {
		t.Errorf("at the segment's end: group %d, durable %d, appended %d, %v", group, j.Durable(), j.Appended(), err)
	}
	if !j.wake.given() {
		t.Error("Run was not told")
	}
	j.wake.take()
	if err := j.Prepare(); err != nil {
		t.Fatal(err)
	}
	if _, _, committed, err := j.AppendNow(&empty); !committed || err != nil || j.Durable() != group || j.Sealed() != 1 {
		t.Errorf("with the next segment: committed %v, %v, durable %d, want %d", committed, err, j.Durable(), group)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, committed, err := j.AppendNow(&b); !errors.Is(err, ErrClosed) || committed {
		t.Errorf("after Close: committed %v, %v", committed, err)
	}
}

// TestAppendNowDuringSync: while a group is in flight, the caller does not wait.
func TestAppendNowDuringSync(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	hold := false
	fs := &FaultFS{new(MemFS), func(op Op) error {
		if hold && op.Kind == OpSync {
			arrived <- struct{}{}
			<-release
		}
		return nil
	}}
	j, err := Open(fs, testOptions(1), nil)
	if err != nil {
		t.Fatal(err)
	}
	hold = true
	var first, second Batch
	first.Add(0, []byte("first"))
	second.Add(0, []byte("second"))
	var flying sync.WaitGroup
	flying.Go(func() {
		if _, group, committed, err := j.AppendNow(&first); group != 1 || !committed || err != nil {
			t.Errorf("first: group %d, committed %v, %v", group, committed, err)
		}
	})
	<-arrived
	if _, group, committed, err := j.AppendNow(&second); group != 2 || committed || err != nil || j.Durable() != 0 {
		t.Errorf("second: group %d, committed %v, %v, durable %d", group, committed, err, j.Durable())
	}
	hold = false // seen by the other one after it is released
	release <- struct{}{}
	flying.Wait()
	if j.Durable() != 1 {
		t.Errorf("durable %d", j.Durable())
	}
	if err := j.Close(); err != nil || j.Durable() != 3 { // second, and the mark
		t.Errorf("durable %d, %v", j.Durable(), err)
	}
}

// TestAppendNowFails: the error is final, and there is no group.
func TestAppendNowFails(t *testing.T) {
	fail := false
	fs := &FaultFS{new(MemFS), func(op Op) error {
		if fail && op.Kind == OpSync {
			return errDisk
		}
		return nil
	}}
	j, err := Open(fs, testOptions(1), nil)
	if err != nil {
		t.Fatal(err)
	}
	fail = true
	var b Batch
	b.Add(0, []byte("lost"))
	for range 2 {
		if _, _, committed, err := j.AppendNow(&b); !errors.Is(err, errDisk) || committed {
			t.Errorf("committed %v, %v", committed, err)
		}
	}
	if err := j.Close(); !errors.Is(err, errDisk) || j.Durable() != 0 {
		t.Errorf("Close: %v", err)
	}
}

// TestAppendNowManyWriters: loops that append, some of them at once, some through Run, over many segments.
func TestAppendNowManyWriters(t *testing.T) {
	const writers, each = 3, 200
	mem := new(MemFS)
	j, stop := running(t, mem, testOptions(1), nil)
	var all sync.WaitGroup
	now := make([]int, writers)
	for w := range writers {
		all.Go(func() {
			var b Batch
			b.Add(uint32(w), make([]byte, 500))
			for range each {
				_, group, committed, err := j.AppendNow(&b)
				for errors.Is(err, ErrFull) {
					if err = j.Wait(group); err == nil {
						_, group, committed, err = j.AppendNow(&b)
					}
				}
				if committed {
					now[w]++
				} else if err == nil {
					err = j.Wait(group)
				}
				if err != nil || j.Durable() < group {
					t.Errorf("writer %d: %v", w, err)
					return
				}
			}
		})
	}
	all.Wait()
	crashed := mem.Crash(keepNone)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if _, got, err := recoverFrom(crashed, 1); err != nil || len(got) != writers*each {
		t.Errorf("%d records, %v", len(got), err)
	}
	t.Logf("committed at once: %v of %d each", now, each)
}
