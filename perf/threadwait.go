package perf

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// ThreadID is the kernel's number of the calling thread; the goroutine must be locked to it.
func ThreadID() int { return unix.Gettid() }

// ThreadWait tells how long one thread of this process was ready to run and had no CPU. It is for one goroutine.
type ThreadWait struct {
	file *os.File
	buf  [128]byte
}

// OpenThreadWait is for the thread with the number that ThreadID gave.
func OpenThreadWait(id int) (*ThreadWait, error) {
	file, err := os.Open(fmt.Sprintf("/proc/self/task/%d/schedstat", id))
	if err != nil {
		return nil, fmt.Errorf("perf: waits of a thread: %w", err)
	}
	return &ThreadWait{file: file}, nil
}

// Total is all of it since the thread began. A wait counts once it has ended.
func (w *ThreadWait) Total() (time.Duration, error) {
	n, err := w.file.ReadAt(w.buf[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("perf: waits of a thread: %w", err)
	}
	return runQueueWait(string(w.buf[:n])), nil
}

// Close ends the use of w.
func (w *ThreadWait) Close() error { return w.file.Close() }
