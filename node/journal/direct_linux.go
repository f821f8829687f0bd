package journal

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// Segments pass by the kernel's cache (O_DIRECT): filling, writing groups and reading whole pieces move bytes between
// their buffer and the disk. Nothing is copied, and what others have in caches stays there. That demands aligned buffers,
// lengths and offsets, which is what segments are made of; a file whose use is another one, such as a snapshot, goes
// through the cache. Both may be mixed: the kernel keeps them coherent, and where a file system has no direct way the
// other one takes its place.

// Values of osFile.way.
const (
	wayOpen   = iota // nothing was done with the file that would decide
	wayDirect        // O_DIRECT is set
	wayCached        // it is not, and will not be
)

// directRead is from how many bytes on it pays to read directly.
const directRead = 128 << 10

// decide chooses the way of the next operation on the file.
func (f *osFile) decide(direct bool) {
	switch way := f.way.Load(); {
	case way == wayOpen && direct:
		if f.setDirect(true) == nil {
			f.way.Store(wayDirect)
		} else {
			f.way.Store(wayCached)
		}
	case way == wayDirect && !direct:
		f.useCache()
	}
}

// useCache is for what can't be done directly. If the flag can't be taken away, the operation itself fails.
func (f *osFile) useCache() {
	_ = f.setDirect(false)
	f.way.Store(wayCached)
}

func (f *osFile) setDirect(on bool) error {
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	if err != nil {
		return err
	}
	if flags &^= unix.O_DIRECT; on {
		flags |= unix.O_DIRECT
	}
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETFL, flags)
	return err
}

// refused reports whether an operation failed because it was direct; it is to be tried again then.
func (f *osFile) refused(err error) bool {
	if !errors.Is(err, syscall.EINVAL) || f.way.Load() != wayDirect {
		return false
	}
	f.useCache()
	return true
}

// ReadAt implements File.
func (f *osFile) ReadAt(b []byte, at int64) (n int, err error) {
	aligned := isAligned(b, at)
	f.decide(aligned && (len(b) >= directRead || f.way.Load() == wayDirect))
	if n, err = f.File.ReadAt(b, at); f.refused(err) {
		n, err = f.File.ReadAt(b, at)
	}
	return n, err
}

// WriteAt implements File.
func (f *osFile) WriteAt(b []byte, at int64) (n int, err error) {
	f.decide(f.way.Load() == wayDirect && isAligned(b, at))
	if n, err = f.File.WriteAt(b, at); f.refused(err) {
		n, err = f.File.WriteAt(b, at)
	}
	return n, err
}
