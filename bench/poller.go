package bench

import (
	"fmt"
	"net"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// poller waits for several sockets at once, and has the run's clock.
type poller struct {
	fd      int
	events  []unix.EpollEvent
	started time.Time
}

func newPoller(sockets int) (poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return poller{}, fmt.Errorf("bench: epoll: %w", err)
	}
	return poller{fd: fd, events: make([]unix.EpollEvent, sockets), started: time.Now()}, nil
}

// now is the time since the poller was made.
func (p *poller) now() time.Duration { return time.Since(p.started) }

// watch begins to report events of socket, as number index.
func (p *poller) watch(socket, index int, events uint32) error {
	e := unix.EpollEvent{Events: events, Fd: int32(index)}
	if err := unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, socket, &e); err != nil {
		return fmt.Errorf("bench: epoll: %w", err)
	}
	return nil
}

// modify changes which events of a watched socket are reported. It can't fail for a socket that is open.
func (p *poller) modify(socket, index int, events uint32) {
	e := unix.EpollEvent{Events: events, Fd: int32(index)}
	_ = unix.EpollCtl(p.fd, unix.EPOLL_CTL_MOD, socket, &e)
}

// waitFor is wait with a timeout that need not be whole milliseconds.
func (p *poller) waitFor(timeout time.Duration) ([]unix.EpollEvent, error) {
	limit := unix.NsecToTimespec(timeout.Nanoseconds())
	n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(p.fd), uintptr(unsafe.Pointer(unsafe.SliceData(p.events))),
		uintptr(len(p.events)), uintptr(unsafe.Pointer(&limit)), 0, 0)
	switch errno {
	case 0:
		return p.events[:n], nil
	case unix.EINTR:
		return nil, nil
	case unix.ENOSYS: // before Linux 5.11: awake all the time, in turn with others
		unix.Syscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
		return p.wait(0)
	}
	return nil, fmt.Errorf("bench: epoll: %w", errno)
}

// promptTimers asks the kernel to end this thread's waits on time, and not up to 50 µs later with others.
func promptTimers() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) }

// wait returns the sockets that are ready, after timeout at the latest; valid until the next call.
func (p *poller) wait(timeout time.Duration) ([]unix.EpollEvent, error) {
	n, err := unix.EpollWait(p.fd, p.events, int(timeout.Milliseconds()))
	if err != nil && err != unix.EINTR {
		return nil, fmt.Errorf("bench: epoll: %w", err)
	}
	return p.events[:max(n, 0)], nil
}

func (p *poller) close() error { return unix.Close(p.fd) }

// socketBuffer holds a window of certificates, as far as the kernel allows.
const socketBuffer = 4 << 20

// dial connects a socket of kind unix.SOCK_STREAM or unix.SOCK_DGRAM and makes it non-blocking.
func dial(kind int, host string, port int, timeout time.Duration) (fd int, err error) {
	to, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return -1, fmt.Errorf("bench: authority's address: %w", err)
	}
	domain, address := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Port: port, Addr: [16]byte(to.IP.To16())})
	if ip := to.IP.To4(); ip != nil {
		domain, address = unix.AF_INET, &unix.SockaddrInet4{Port: port, Addr: [4]byte(ip)}
	}
	if fd, err = unix.Socket(domain, kind|unix.SOCK_CLOEXEC, 0); err != nil {
		return -1, fmt.Errorf("bench: socket: %w", err)
	}
	fail := func(err error) (int, error) {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("bench: connect to %s: %w", to, err)
	}
	if kind == unix.SOCK_DGRAM { // TCP's buffers grow by themselves
		for _, option := range [...]int{unix.SO_RCVBUF, unix.SO_SNDBUF, unix.SO_RCVBUFFORCE, unix.SO_SNDBUFFORCE} {
			_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, socketBuffer) // a wish; the forced ones are for root
		}
	}
	limit := unix.NsecToTimeval(timeout.Nanoseconds()) // of connect
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &limit); err != nil {
		return fail(err)
	}
	if kind == unix.SOCK_STREAM {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
			return fail(err)
		}
	}
	if err := unix.Connect(fd, address); err != nil {
		return fail(err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return fail(err)
	}
	return fd, nil
}
