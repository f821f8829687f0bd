package journal

import (
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A signal wakes the one goroutine that takes it. Given several times before it is taken, it counts once. Its zero value
// was not given.
//
// It is a futex: whoever commits sleeps on its own thread, in the kernel, from which giving wakes it. A channel leaves that
// to the scheduler, which for each commit wakes several threads that find nothing to do, and interrupts the event loops.
type signal struct{ state atomic.Uint32 }

// States of a signal.
const (
	signalNone uint32 = iota
	signalGiven
	signalAwaited // somebody sleeps
)

// Operations of futex(2), within one process.
const (
	futexWait = 0 | 128
	futexWake = 1 | 128
)

func (s *signal) give() {
	if s.state.Swap(signalGiven) == signalAwaited {
		s.futex(futexWake, 1)
	}
}

// take waits until the signal was given since the last call.
func (s *signal) take() {
	for !s.state.CompareAndSwap(signalGiven, signalNone) {
		s.state.CompareAndSwap(signalNone, signalAwaited)
		s.futex(futexWait, signalAwaited) // any error, or none: it is looked again
	}
}

// given reports whether take would return at once.
func (s *signal) given() bool { return s.state.Load() == signalGiven }

func (s *signal) futex(operation, value uint32) {
	_, _, _ = syscall.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&s.state)), uintptr(operation), uintptr(value), 0, 0, 0)
}
