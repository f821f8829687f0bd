package journal

import (
	"errors"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
)

var errDisk = errors.New("the disk failed")

// TestEveryOperationFails lets each operation of the file system fail once, in turn, over the same workload. An error
// of a commit must be final: nothing is written any more, and nothing reported durable. After that, and after errors
// that are not final, a crash loses nothing that was reported durable, and neither does a restart without a crash, in
// which the kernel still shows what it failed to write.
func TestEveryOperationFails(t *testing.T) {
	everyOperationFails(t, func() *workload { return newWorkload(t, 5) })
}

// TestEveryOperationFailsWithSnapshots does the same while snapshots are made, and segments before them removed.
func TestEveryOperationFailsWithSnapshots(t *testing.T) {
	everyOperationFails(t, func() *workload {
		w := newWorkload(t, 13)
		w.keeping = true
		return w
	})
}

func everyOperationFails(t *testing.T, newWorkload func() *workload) {
	const operations = 150
	count := func() int {
		w, n := newWorkload(), 0
		w.inject = func(Op) error { n++; return nil }
		if err := w.run(operations); err != nil {
			t.Fatal(err)
		}
		return n
	}()
	if count < 150 {
		t.Fatalf("only %d operations of the file system", count)
	}
	finals := make(map[OpKind]int)
	for n := 0; n < count; n += thin {
		if kind := failAt(t, newWorkload(), n, operations); kind != "" {
			finals[kind]++
		}
	}
	t.Logf("%d operations, of which these ended the journal: %v", count, finals)
	if thin == 1 && (finals[OpWrite] == 0 || finals[OpSync] == 0) {
		t.Error("no write or no sync failed in a commit")
	}
}

// failAt runs the workload with operation n failing, and gives its kind if that ended the journal.
func failAt(t *testing.T, w *workload, n, operations int) (final OpKind) {
	var failed *Op
	seen, afterwards := 0, 0
	w.inject = func(op Op) error {
		seen++
		switch {
		case seen == n+1:
			failed = &op
			return errDisk
		case failed != nil && op.Kind.Changes():
			afterwards++
		}
		return nil
	}
	for range operations {
		err := w.step()
		if err == nil {
			continue
		}
		if !errors.Is(err, errDisk) || failed == nil {
			t.Fatalf("operation %d (%v): error %v", n, failed, err)
		}
		if w.j != nil && w.j.Err() != nil {
			acked := w.acked
			afterwards = 0
			checkFinal(t, w, err)
			if afterwards > 0 || w.acked != acked {
				t.Fatalf("operation %d (%v) failed: %d more changes, durable from %d to %d", n, failed, afterwards, acked, w.acked)
			}
			final = failed.Kind
			break
		}
		// Not final: Open that failed, Prepare, a snapshot, or removal. The next step tries again.
	}
	if w.j != nil {
		w.j.Close() // the error, if it has one, was checked above
	}
	if open := w.mem.OpenFiles(); open != 0 {
		t.Fatalf("operation %d (%v) failed: %d files and locks were left open", n, failed, open)
	}
	crash := rand.New(rand.NewPCG(uint64(n), 9))
	for _, keep := range []func() bool{keepNone, keepAll, func() bool { return crash.IntN(2) == 0 }} {
		if err := w.checkCrash(w.mem.Crash(keep)); err != nil {
			t.Fatalf("operation %d (%v) failed, then a crash: %v", n, failed, err)
		}
	}
	if err := w.checkCrash(w.mem); err != nil {
		t.Fatalf("operation %d (%v) failed, then a restart: %v", n, failed, err)
	}
	return final
}

// checkFinal checks that every call reports the error.
func checkFinal(t *testing.T, w *workload, want error) {
	t.Helper()
	var b Batch
	b.Add(0, []byte("more"))
	_, _, errAppend := w.j.Append(&b)
	calls := map[string]error{
		"Append":  errAppend,
		"Commit":  w.j.Commit(),
		"Prepare": w.j.Prepare(),
		"Wait":    w.j.Wait(w.j.Durable() + 1),
		"Err":     w.j.Err(),
		"Close":   w.j.Close(),
	}
	for call, err := range calls {
		if err == nil || err.Error() != want.Error() {
			t.Errorf("%s after the failure: %v, want %v", call, err, want)
		}
	}
	if err := w.j.Wait(w.j.Durable()); err != nil {
		t.Errorf("waiting for what is durable: %v", err)
	}
}

// TestShortWriteIsAnError: a write that says nothing of the bytes it left out.
func TestShortWriteIsAnError(t *testing.T) {
	if err := writeAt(shortFile{}, make([]byte, 10), 0); err == nil {
		t.Error("no error")
	}
}

type shortFile struct{ File }

func (shortFile) WriteAt(b []byte, _ int64) (int, error) { return len(b) - 1, nil }

// TestFullDisk: that there is no room for another segment is told while there is room in this one, and what goes wrong
// then is not final as long as it can be tried again.
func TestFullDisk(t *testing.T) {
	w := newWorkload(t, 6)
	full := false
	w.inject = func(op Op) error {
		if full && op.Kind == OpAllocate {
			return syscall.ENOSPC
		}
		return nil
	}
	o := testOptions(6)
	var rooms []int64
	var trouble error
	o.OnTrouble = func(room int64, err error) { rooms, trouble = append(rooms, room), err }
	j, err := Open(&FaultFS{w.mem, func(op Op) error { return w.inject(op) }}, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	full = true
	var b Batch
	b.Add(0, make([]byte, 10))
	appendCommit := func() error {
		if _, _, err := j.Append(&b); err != nil {
			return err
		}
		if err := j.Commit(); err != nil {
			return err
		}
		if j.wantsNext() { // what Run does
			j.prepareAhead()
		}
		return nil
	}
	for len(rooms) == 0 {
		if err := appendCommit(); err != nil {
			t.Fatal(err)
		}
	}
	if !errors.Is(trouble, syscall.ENOSPC) || rooms[0] <= 0 {
		t.Errorf("told %v, with room for %d bytes", trouble, rooms[0])
	}
	full = false
	for range 10 { // into the next segment
		if err := appendCommit(); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(files(t, w.mem)); n < 2 {
		t.Fatalf("%d segments", n)
	}
	full = true
	for range 20 {
		if err = appendCommit(); err != nil {
			break
		}
	}
	if !errors.Is(err, syscall.ENOSPC) || !errors.Is(j.Err(), syscall.ENOSPC) {
		t.Errorf("the disk stayed full: %v, %v", err, j.Err())
	}
	if last := rooms[len(rooms)-1]; last != 0 || !slices.IsSortedFunc(rooms, func(a, b int64) int { return int(b - a) }) {
		t.Errorf("rooms told: %v, want them to fall to 0", rooms)
	}
	if err := j.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Close: %v", err)
	}
}
