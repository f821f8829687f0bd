package journal

import (
	"errors"
	"fmt"
	"testing"
)

func TestReadIdentity(t *testing.T) {
	fs := new(MemFS)
	read := func() (Identity, bool) {
		t.Helper()
		id, begun, err := ReadIdentity(fs)
		if err != nil {
			t.Fatal(err)
		}
		return id, begun
	}
	if _, begun := read(); begun {
		t.Error("an empty directory has a journal")
	}
	for _, name := range []string{segmentName(1) + unfinishedSuffix, "none"} {
		if f, err := fs.Create(name); err != nil || f.Close() != nil {
			t.Fatal(err)
		}
	}
	if _, begun := read(); begun {
		t.Error("an unfinished segment is a journal")
	}
	o := testOptions(1)
	j, err := Open(fs, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if id, begun := read(); !begun || fmt.Sprint(id) != fmt.Sprint(o.Identity) { // beside the process that runs
		t.Errorf("got %v, %v", id, begun)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if id, _ := read(); fmt.Sprint(id) != fmt.Sprint(o.Identity) {
		t.Errorf("got %v", id)
	}
	if fs.OpenFiles() != 0 {
		t.Errorf("%d files are open", fs.OpenFiles())
	}
	flip := fs.names[segmentName(1)]
	flip.data.own(0).bytes[segOffIdentity+8] ^= 1
	if _, begun, err := ReadIdentity(fs); !begun || !errors.As(err, new(*CorruptError)) {
		t.Errorf("damaged: %v, %v", begun, err)
	}
	flip.data.size = 100
	if _, begun, err := ReadIdentity(fs); !begun || !errors.As(err, new(*CorruptError)) {
		t.Errorf("short: %v, %v", begun, err)
	}
}
