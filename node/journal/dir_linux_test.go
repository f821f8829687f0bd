package journal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What the operating system refuses comes through, from every operation of a directory and its files.
func TestDirTellsErrors(t *testing.T) {
	path := t.TempDir()
	dir, err := OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	want := func(what string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, expected %v", what, err, want)
		}
	}
	_, err = OpenDir(filepath.Join(path, strings.Repeat("x", 256)))
	want("a name that is too long", err, syscall.ENAMETOOLONG)
	_, err = OpenDir(filepath.Join(path, strings.Repeat("x", 256), "below"))
	want("below a name that is too long", err, syscall.ENAMETOOLONG)
	_, err = dir.Open("none")
	want("open", err, fs.ErrNotExist)

	block := make([]byte, BlockSize)
	written, err := dir.Create("f")
	if err != nil {
		t.Fatal(err)
	}
	if err := written.WriteSync(block, 0); err != nil {
		t.Fatal(err)
	}
	f, err := dir.Open("f")
	if err != nil {
		t.Fatal(err)
	}
	want("write what is open for reading", f.WriteSync(block, 0), syscall.EBADF)
	want("allocate what is open for reading", f.Allocate(BlockSize), syscall.EBADF)
	if err := errors.Join(f.Close(), written.Close()); err != nil {
		t.Fatal(err)
	}
	_, err = f.Size()
	want("size after Close", err, os.ErrClosed)
	want("sync after Close", f.Sync(), syscall.EBADF)
	want("direct after Close", f.(*osFile).setDirect(true), syscall.EBADF)

	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	_, err = dir.List()
	want("list", err, fs.ErrNotExist)
	_, err = dir.Lock("l")
	want("lock", err, fs.ErrNotExist)
	_, err = dir.Free()
	want("free", err, fs.ErrNotExist)
	want("sync the directory", dir.SyncDir(), fs.ErrNotExist)
}

// Where a process is in a directory that was removed, no relative path leads anywhere.
func TestDirOfNowhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gone")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir(path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDir("x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("make: %v", err)
	}
	if _, err := ExistingDir("x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("open: %v", err)
	}
}

// Where the kernel knows no write that is durable when it returns, there is a write and a sync.
func TestWriteSyncInTwoSteps(t *testing.T) {
	dir, err := OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f, err := dir.Create("f")
	if err != nil {
		t.Fatal(err)
	}
	before := writeSyncUnknown.Swap(true)
	defer writeSyncUnknown.Store(before)
	if err := f.WriteSync([]byte("abc"), 1); err != nil {
		t.Fatal(err)
	}
	var b [4]byte
	if _, err := f.ReadAt(b[:], 0); err != nil || string(b[:]) != "\x00abc" {
		t.Errorf("%q, %v", b, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.WriteSync([]byte("abc"), 1); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
