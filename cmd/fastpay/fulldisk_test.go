package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// smallDisk is a file system in memory of some size, in a folder of its own.
type smallDisk struct {
	t    *testing.T
	path string
}

// newSmallDisk mounts one, or skips the test where that is not permitted.
func newSmallDisk(t *testing.T, path, size string) *smallDisk {
	t.Helper()
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("small", path, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("a disk of a size of its own can't be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(path, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return &smallDisk{t, path}
}

// change mounts it anew, with another size or read-only.
func (d *smallDisk) change(flags uintptr, options string) {
	d.t.Helper()
	if err := unix.Mount("small", d.path, "tmpfs", unix.MS_REMOUNT|flags, options); err != nil {
		d.t.Fatal(err)
	}
}

// TestFullDisk fills the disk of one of four processes of an authority under load. The process says so long before, and
// again when its journal can't grow; it ends with an error that says why, and can't be started before there is room. Then
// it goes on with nothing lost. The next time it is told to stop while the disk is full; and at last its disk is read-only.
func TestFullDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("pays until a segment is full, twice")
	}
	w := newShardWorld(t, nil)
	disk := newSmallDisk(t, filepath.Join(w.dir, "small"), "1200m") // an authority is not begun with less than a gibibyte
	start := func() *shardProcess { return w.start(0, "--data-dir", "small") }
	w.start(0, "--data-dir", "small")
	w.signal(0, syscall.SIGTERM)
	disk.change(0, "size=80m") // a start copies a segment
	start()
	disk.change(0, "size=40m") // which is one, and no second one
	for s := 1; s < worldShards; s++ {
		w.start(s)
	}
	l := w.pay(allShards, allShards)
	p := w.process(0)
	w.await(p)
	wantLog(t, p, "the disk is nearly full, and the node ends when it is", "can't grow; the node ends when its room is used up",
		"nothing more is answered", "no space left on device")
	if code := p.cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	p = w.launch(0, "--data-dir", "small")
	w.await(p)
	wantLog(t, p, "no space left on device", "hint: make room on the disk of the data directory")
	if code := p.cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("started on a full disk: exit code %d", code)
	}

	disk.change(0, "size=80m")
	start()
	disk.change(0, "size=72m")
	w.awaitLog(w.process(0), "can't grow")
	if p = w.signal(0, syscall.SIGTERM); p.err != nil {
		t.Errorf("told to stop with a full disk: %v", p.err)
	}
	disk.change(0, "size=300m")
	start()
	l.finish()
	l.conserved()

	w.signal(0, syscall.SIGTERM)
	disk.change(unix.MS_RDONLY, "size=300m")
	p = w.launch(0, "--data-dir", "small")
	w.await(p)
	wantLog(t, p, "read-only file system")
	disk.change(0, "size=300m")
	start()
	l.conserved()
}

// wantLog demands lines of a process that has ended.
func wantLog(t *testing.T, p *shardProcess, parts ...string) {
	t.Helper()
	text := p.text()
	for _, part := range parts {
		before, after, ok := strings.Cut(text, part)
		if !ok {
			t.Errorf("the process does not say %q, or not in this order:\n%s", part, before)
			return
		}
		text = after
	}
}

// awaitLog waits until a process says something.
func (w *shardWorld) awaitLog(p *shardProcess, part string) {
	w.t.Helper()
	if !w.patiently(func() bool { return strings.Contains(p.text(), part) }) {
		w.t.Fatalf("the process does not say %q:\n%s", part, p.text())
	}
}
