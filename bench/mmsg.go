package bench

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsgBatch is how many datagrams go through the kernel in one call.
const mmsgBatch = 128

// maxReply bounds a reply over UDP here: larger ones are cut, hence not the expected ones.
const maxReply = 1024

// mmsghdr is the kernel's struct mmsghdr on 64-bit machines.
type mmsghdr struct {
	header unix.Msghdr
	length uint32
	_      [4]byte
}

// mmsg is a batch of datagrams on a connected socket, for sendmmsg(2) or recvmmsg(2). Nothing is allocated after it is made.
type mmsg struct {
	headers [mmsgBatch]mmsghdr
	vectors [mmsgBatch]unix.Iovec
	buffers []byte // for receiving
}

func newMmsg(receive bool) *mmsg {
	m := new(mmsg)
	if receive {
		m.buffers = make([]byte, mmsgBatch*maxReply)
	}
	for i := range m.headers {
		m.headers[i].header.Iov = &m.vectors[i]
		m.headers[i].header.SetIovlen(1)
		if receive {
			m.set(i, m.buffers[i*maxReply:(i+1)*maxReply])
		}
	}
	return m
}

// set makes b the bytes of datagram i, without copying them.
func (m *mmsg) set(i int, b []byte) {
	m.vectors[i].Base = unsafe.SliceData(b)
	m.vectors[i].SetLen(len(b))
}

// send sends the first n datagrams and returns how many were taken.
func (m *mmsg) send(fd, n int) (int, error) { return m.call(unix.SYS_SENDMMSG, fd, n) }

// receive takes what is there, at most mmsgBatch datagrams.
func (m *mmsg) receive(fd int) (int, error) { return m.call(unix.SYS_RECVMMSG, fd, mmsgBatch) }

// datagram is number i of those received last.
func (m *mmsg) datagram(i int) []byte {
	return m.buffers[i*maxReply : i*maxReply+int(min(m.headers[i].length, maxReply))]
}

func (m *mmsg) call(number uintptr, fd, n int) (int, error) {
	for {
		done, _, errno := unix.Syscall6(number, uintptr(fd), uintptr(unsafe.Pointer(&m.headers)), uintptr(n), unix.MSG_DONTWAIT, 0, 0)
		runtime.KeepAlive(m)
		switch errno {
		case 0:
			return int(done), nil
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			return 0, nil
		}
		return 0, errno
	}
}
