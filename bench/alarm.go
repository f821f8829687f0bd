package bench

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// alarm waits for a moment to within some 0.1 ms. The runtime's own timers may be late by 1 ms when nothing else wakes the
// process, since it asks the kernel in whole milliseconds; a file that becomes readable wakes it at once. For one goroutine.
type alarm struct {
	file *os.File // timerfd(2)
}

func newAlarm() (alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return alarm{}, fmt.Errorf("bench: a timer: %w", err)
	}
	return alarm{os.NewFile(uintptr(fd), "timerfd")}, nil
}

// wait returns at the time due, at once if that is over.
func (a alarm) wait(due time.Time) error {
	left := time.Until(due)
	if left <= 0 {
		return nil
	}
	raw, err := a.file.SyscallConn()
	if err != nil {
		return fmt.Errorf("bench: a timer: %w", err)
	}
	var set error
	once := unix.ItimerSpec{Value: unix.NsecToTimespec(left.Nanoseconds())}
	if err := raw.Control(func(fd uintptr) { set = unix.TimerfdSettime(int(fd), 0, &once, nil) }); err != nil {
		return fmt.Errorf("bench: a timer: %w", err)
	}
	if set != nil {
		return fmt.Errorf("bench: a timer: %w", set)
	}
	var fired [8]byte // how often
	if _, err := a.file.Read(fired[:]); err != nil {
		return fmt.Errorf("bench: a timer: %w", err)
	}
	return nil
}

func (a alarm) close() { _ = a.file.Close() }
