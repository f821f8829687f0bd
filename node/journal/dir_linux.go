package journal

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// writeSyncUnknown is set once the kernel, or the file system, has said that it does not know RWF_DSYNC.
var writeSyncUnknown atomic.Bool

// WriteSync is pwritev2 with RWF_DSYNC: one system call in place of a write and an fdatasync, and only the blocks of
// this write are waited for.
func (f *osFile) WriteSync(b []byte, at int64) error {
	for len(b) > 0 && !writeSyncUnknown.Load() {
		f.decide(isAligned(b, at))
		iov := [1][]byte{b}
		n, err := unix.Pwritev2(int(f.Fd()), iov[:], at, unix.RWF_DSYNC)
		switch {
		case err == nil && n > 0:
			b, at = b[n:], at+int64(n)
		case err == nil:
			return &os.PathError{Op: "pwritev2", Path: f.Name(), Err: io.ErrShortWrite}
		case errors.Is(err, syscall.ENOSYS), errors.Is(err, syscall.EOPNOTSUPP):
			writeSyncUnknown.Store(true)
		case !errors.Is(err, syscall.EINTR) && !f.refused(err):
			return &os.PathError{Op: "pwritev2", Path: f.Name(), Err: err}
		}
	}
	if len(b) == 0 {
		return nil
	}
	return writeThenSync(f, b, at)
}

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

// Free implements FS: what is left for this user.
func (d *Dir) Free() (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(d.path, &s); err != nil {
		return 0, &os.PathError{Op: "statfs", Path: d.path, Err: err}
	}
	return int64(min(s.Bavail, math.MaxInt64/uint64(s.Bsize))) * s.Bsize, nil
}

// LockedBy is the process that holds the lock of that name, as /proc/locks says, without trying to take it: 0 if nobody
// does, or if that can't be told.
func (d *Dir) LockedBy(name string) (pid int) {
	info, err := os.Stat(filepath.Join(d.path, name))
	if err != nil {
		return 0
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	text, err := os.ReadFile("/proc/locks")
	if !ok || err != nil {
		return 0
	}
	// 2: FLOCK  ADVISORY  WRITE 4711 fe:00:131093 0 EOF
	file := fmt.Sprintf("%02x:%02x:%d", unix.Major(stat.Dev), unix.Minor(stat.Dev), stat.Ino)
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 5 && f[1] == "FLOCK" && f[5] == file {
			pid, _ = strconv.Atoi(f[4])
			return pid
		}
	}
	return 0
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

// adviseHugePages is advice only: without huge pages small ones serve.
func adviseHugePages(b []byte) { _ = unix.Madvise(b, unix.MADV_HUGEPAGE) }
