package node

import (
	"hash/maphash"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

// source is a datagram's sender as the kernel wrote it.
type source struct {
	addr [unix.SizeofSockaddrInet6]byte
	len  uint8
}

// datagramReply is a reply's place in batch.datagramTo.
type datagramReply struct {
	to         source
	shard      *shard
	start, end int
}

// mmsghdr is struct mmsghdr of recvmmsg(2) and sendmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32
	_   [4]byte
}

// datagrams are a worker's buffers for receiving and sending many datagrams with one system call.
type datagrams struct {
	w       *worker
	slots   []byte // udpReceiveBatch of udpSlotBytes; pages are used as datagrams need them
	headers [udpReceiveBatch]mmsghdr
	vectors [udpReceiveBatch]unix.Iovec
	sources [udpReceiveBatch]source
	lengths [udpReceiveBatch]int // of the datagrams received last
	control [udpReceiveBatch]segmentControl
	single  bool // the system does not cut datagrams
}

// receive takes the datagram that the event loop has read, then empties the socket: the loop alone reads one a round.
func (d *datagrams) receive(c gnet.Conn, first []byte) {
	w := d.w
	s := w.byPort[c.LocalAddr().(*net.UDPAddr).Port]
	if s.udpSocket == 0 {
		s.udpSocket = c.Fd()
		growSocketBuffers(s.udpSocket)
	}
	from := sourceOf(c.RemoteAddr().(*net.UDPAddr).AddrPort(), s.udpSocket)
	w.stats.bytesIn += uint64(len(first))
	w.batch.add(s, first, nil, &from)
	if d.slots == nil && !d.allocate() {
		return
	}
	n := d.receiveMany(s.udpSocket)
	for i := range n { // now, because a batch that fills up below sends its replies through the same headers
		d.sources[i].len = uint8(d.headers[i].hdr.Namelen)
		d.lengths[i] = int(min(d.headers[i].len, udpSlotBytes))
	}
	for i := range n {
		data := d.slots[i*udpSlotBytes:][:d.lengths[i]]
		w.stats.bytesIn += uint64(len(data))
		w.batch.add(s, data, nil, &d.sources[i])
	}
}

// allocate reserves address space: a page is used only once a datagram reached it.
func (d *datagrams) allocate() bool {
	slots, err := unix.Mmap(-1, 0, udpReceiveBatch*udpSlotBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		d.w.node.log.Warn("no memory to receive datagrams in batches", "error", err)
		return false
	}
	d.slots = slots
	for i := range d.headers {
		d.vectors[i].Base = &slots[i*udpSlotBytes]
		d.vectors[i].SetLen(udpSlotBytes)
	}
	return true
}

// free gives the address space back, when the loop has ended.
func (d *datagrams) free() {
	if d.slots != nil {
		_ = unix.Munmap(d.slots)
		d.slots = nil
	}
}

func (d *datagrams) receiveMany(fd int) int {
	for i := range d.headers {
		h := &d.headers[i].hdr
		h.Name = &d.sources[i].addr[0]
		h.Namelen = uint32(len(d.sources[i].addr))
		h.Iov = &d.vectors[i]
		h.SetIovlen(1)
	}
	for {
		n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&d.headers[0])),
			udpReceiveBatch, unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			return int(n)
		case unix.EINTR:
		default:
			return 0 // nothing there, or the socket has an error for the event loop to see
		}
	}
}

// growSocketBuffers asks for room for bursts; a privileged process gets it beyond the system's limit.
func growSocketBuffers(fd int) {
	for force, plain := range map[int]int{unix.SO_RCVBUFFORCE: unix.SO_RCVBUF, unix.SO_SNDBUFFORCE: unix.SO_SNDBUF} {
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, force, udpSocketBuffer) != nil {
			_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, plain, udpSocketBuffer)
		}
	}
}

// sourceOf is the kernel's form of an address, for a socket of either family.
func sourceOf(a netip.AddrPort, fd int) (s source) {
	port := a.Port()
	if domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN); err == nil && domain == unix.AF_INET {
		sa := (*syscall.RawSockaddrInet4)(unsafe.Pointer(&s.addr))
		sa.Family, sa.Port, sa.Addr = unix.AF_INET, port>>8|port<<8, a.Addr().Unmap().As4()
		s.len = unix.SizeofSockaddrInet4
		return s
	}
	sa := (*syscall.RawSockaddrInet6)(unsafe.Pointer(&s.addr))
	sa.Family, sa.Port, sa.Addr = unix.AF_INET6, port>>8|port<<8, a.Addr().As16()
	sa.Scope_id = scope(a.Addr().Zone())
	s.len = unix.SizeofSockaddrInet6
	return s
}

// scope is the number of the interface of a link-local address, 0 for others: without it there is no sending back.
func scope(zone string) uint32 {
	if zone == "" {
		return 0
	}
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index)
	}
	n, _ := strconv.ParseUint(zone, 10, 32)
	return uint32(n)
}

// suspects remembers which datagram sources sent a bad signature lately, in a table of fixed size: a collision makes an
// honest source wait for the second round of checks, or a bad one escape it, for a second.
//
// Addresses can be forged, so that no bad datagram comes from a source that is known. When too many sources were good until
// now, all are suspected for a while: then only those who send datagrams pay for the forger, and not those on connections.
type suspects struct {
	seed  maphash.Seed
	slots [1024]struct {
		hash  uint64
		until time.Time
	}
	fresh      int       // sources that were marked and were not suspected, since forgiven
	forgiven   time.Time // when these began to be counted, suspicionTime ago at most
	everyUntil time.Time
}

func (t *suspects) hash(s *source) uint64 { return maphash.Bytes(t.seed, s.addr[:s.len]) }

func (t *suspects) has(s *source, now time.Time) bool {
	if now.Before(t.everyUntil) {
		return true
	}
	h := t.hash(s)
	e := &t.slots[h%uint64(len(t.slots))]
	return e.hash == h && now.Before(e.until)
}

func (t *suspects) mark(s *source, now time.Time) {
	h := t.hash(s)
	e := &t.slots[h%uint64(len(t.slots))]
	until := now.Add(suspicionTime)
	if e.hash != h || !now.Before(e.until) {
		if now.Sub(t.forgiven) >= suspicionTime {
			t.fresh, t.forgiven = 0, now
		}
		if t.fresh++; t.fresh > freshSuspects {
			t.everyUntil = until
		}
	}
	e.hash, e.until = h, until
}
