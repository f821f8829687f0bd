package journal

import (
	"errors"
	"fmt"
	"testing"
)

// What ReadFrom gives from any record on is what was appended from there on, up to the last durable group.
func TestReadFromIsWhatWasAppended(t *testing.T) {
	w := newWorkload(t, 5)
	for range 300 {
		if err := w.step(); err != nil {
			t.Fatal(err)
		}
	}
	if w.j == nil {
		if err := w.open(); err != nil {
			t.Fatal(err)
		}
	}
	durable := w.entries
	for len(durable) > 0 && durable[len(durable)-1].group > w.j.Durable() {
		durable = durable[:len(durable)-1]
	}
	for i := 0; i < len(durable); i += 7 {
		next := i
		err := w.j.ReadFrom(durable[i].position, func(r Record) (bool, error) {
			if next == len(durable) || string(r.Data) != durable[next].data || r.Position != durable[next].position ||
				r.Shard != durable[next].shard {
				return false, fmt.Errorf("record %d at %v is not the one that was appended", next, r.Position)
			}
			next++
			return true, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if next != len(durable) {
			t.Fatalf("from record %d: ended at %d of %d", i, next, len(durable))
		}
	}
	enough := errors.New("enough")
	if err := w.j.ReadFrom(durable[0].position, func(Record) (bool, error) { return true, enough }); !errors.Is(err, enough) {
		t.Errorf("an error of visit came back as %v", err)
	}
	n := 0
	if err := w.j.ReadFrom(durable[0].position, func(Record) (bool, error) { n++; return n < 3, nil }); err != nil || n != 3 {
		t.Errorf("visited %d, %v; wanted to stop at 3", n, err)
	}
	if err := w.j.ReadFrom(0, nil); err == nil {
		t.Error("no position is a position")
	}
}
