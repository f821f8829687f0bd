package journal

import (
	"errors"
	"os"
	"syscall"
)

// Sync is fdatasync: the data, and of the metadata only what is needed to read it back. On a file that was written full
// before, that is one write and one flush of the disk's cache.
func (f *osFile) Sync() error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EINTR) { // interrupted before it began, which is not a failure
			return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
		}
	}
}

// Allocate is fallocate. A file system that has none allocates on the first write.
func (f *osFile) Allocate(size int64) error {
	for {
		err := syscall.Fallocate(int(f.Fd()), 0, 0, size)
		switch {
		case err == nil, errors.Is(err, syscall.EOPNOTSUPP):
			return nil
		case !errors.Is(err, syscall.EINTR):
			return &os.PathError{Op: "fallocate", Path: f.Name(), Err: err}
		}
	}
}
