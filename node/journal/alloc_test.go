package journal

import "testing"

// TestAppendAllocatesNothing: adding to a batch, appending, committing and waiting, on a real directory, while a
// segment lasts.
func TestAppendAllocatesNothing(t *testing.T) {
	dir, err := OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	j, err := Open(dir, Options{SegmentSize: 8 << 20}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b Batch
	kind, data := []byte{1}, make([]byte, 150)
	run := func() {
		b.Reset()
		for range 64 {
			b.Add(3, kind, data)
		}
		_, group, err := j.Append(&b)
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Commit(); err != nil {
			t.Fatal(err)
		}
		if err := j.Wait(group); err != nil {
			t.Fatal(err)
		}
	}
	run() // the batch gets its memory
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%v allocations", n)
	}
	base := Position(0)
	b.Reset()
	b.Add(3, data)
	base, _, err = j.Append(&b)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Commit(); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() {
		if _, _, committed, err := j.AppendNow(&b); err != nil || !committed {
			t.Fatal(committed, err)
		}
	}); n != 0 {
		t.Errorf("AppendNow: %v allocations", n)
	}
	buf := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() {
		if _, _, err := j.Read(buf, base); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("Read: %v allocations", n)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}
