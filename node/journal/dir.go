package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
)

// Dir is a directory of the operating system.
type Dir struct{ path string }

// OpenDir opens the directory, and makes it if there is none, durably and readable by its owner only.
func OpenDir(path string) (*Dir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if err := makeDir(path); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return &Dir{path}, nil
}

// ExistingDir opens a directory that there is, to be read: nothing is made or synced.
func ExistingDir(path string) (*Dir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		err = &os.PathError{Op: "open", Path: path, Err: syscall.ENOTDIR}
	}
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return &Dir{path}, nil
}

// makeDir is os.MkdirAll that syncs the parent of every directory that it makes, and of the first that it finds: a
// process before may have ended between making and syncing.
func makeDir(path string) error {
	parent := filepath.Dir(path)
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if err := syncDir(parent); !errors.Is(err, os.ErrPermission) { // not ours, so made by nobody of us
			return err
		}
		return nil
	}
	if parent != path {
		if err := makeDir(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return syncDir(parent)
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Path is the directory, absolute.
func (d *Dir) Path() string { return d.path }

func (d *Dir) open(name string, flag int) (File, error) {
	f, err := os.OpenFile(filepath.Join(d.path, name), flag, 0o600)
	if err != nil {
		return nil, err
	}
	return &osFile{File: f}, nil
}

// Create implements FS.
func (d *Dir) Create(name string) (File, error) {
	return d.open(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
}

// Open implements FS.
func (d *Dir) Open(name string) (File, error) { return d.open(name, os.O_RDONLY) }

// Rename implements FS.
func (d *Dir) Rename(from, to string) error {
	return os.Rename(filepath.Join(d.path, from), filepath.Join(d.path, to))
}

// Remove implements FS.
func (d *Dir) Remove(name string) error { return os.Remove(filepath.Join(d.path, name)) }

// List implements FS. Directories are left out.
func (d *Dir) List() ([]string, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// SyncDir implements FS.
func (d *Dir) SyncDir() error { return syncDir(d.path) }

// Lock implements FS with flock on a file of that name, which is never removed.
func (d *Dir) Lock(name string) (io.Closer, error) {
	path := filepath.Join(d.path, name)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close() // nothing was written
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %s is locked", ErrLocked, path)
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}

// osFile adds to os.File what File has beyond it; see dir_linux.go.
type osFile struct {
	*os.File
	way atomic.Int32 // past the kernel's cache or through it; see direct_linux.go
}

// Size implements File.
func (f *osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
