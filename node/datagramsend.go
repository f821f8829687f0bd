package node

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Replies that follow each other, to one source and of one size, go to the kernel as one datagram that it cuts
// (UDP_SEGMENT of udp(7)): the way through the stack costs more than the copy. The kernel takes 64 segments and 64 KiB
// at most; a segment must fit the link, where a datagram by itself would travel in fragments.
const (
	udpSegments     = 60
	udpSegmentMax   = 1200 // bytes: what any link takes
	udpSegmentBytes = 60_000
)

// segmentControl is the control message that holds the size of segments, with its padding.
type segmentControl struct {
	header unix.Cmsghdr
	size   uint16
	_      [6]byte
}

// send hands the replies of a batch to the kernel, a system call for each run of replies from one socket. What does not
// fit is dropped and counted: the peer repeats its request.
func (d *datagrams) send(b *batch) {
	for next := 0; next < len(b.datagrams); {
		s := b.datagrams[next].shard
		n := 0
		for next < len(b.datagrams) && n < udpReceiveBatch && b.datagrams[next].shard == s {
			next += d.put(n, b.datagramTo, b.datagrams[next:])
			n++
		}
		d.sendMany(s.udpSocket, n)
	}
	if len(b.datagrams) == 0 {
		return
	}
	for i := range d.headers { // as receiving needs them
		d.headers[i].hdr.Control, d.headers[i].hdr.Controllen = nil, 0
		if d.slots != nil {
			d.vectors[i].Base = &d.slots[i*udpSlotBytes]
			d.vectors[i].SetLen(udpSlotBytes)
		}
	}
}

// put sets header i to the first of replies and those that can go with it, and returns how many.
func (d *datagrams) put(i int, bytes []byte, replies []datagramReply) (n int) {
	r, h := &replies[0], &d.headers[i].hdr
	size := r.end - r.start
	for n = 1; n < len(replies) && n < udpSegments && !d.single && size <= udpSegmentMax; n++ {
		x := &replies[n]
		if x.shard != r.shard || x.to != r.to || x.start != replies[n-1].end || x.end-x.start != size ||
			(n+1)*size > udpSegmentBytes {
			break
		}
	}
	h.Name = &r.to.addr[0]
	h.Namelen = uint32(r.to.len)
	d.vectors[i].Base = &bytes[r.start]
	d.vectors[i].SetLen(n * size)
	h.Iov = &d.vectors[i]
	h.SetIovlen(1)
	h.Control, h.Controllen = nil, 0
	if n > 1 {
		c := &d.control[i]
		c.header.Level, c.header.Type = unix.IPPROTO_UDP, unix.UDP_SEGMENT
		c.header.SetLen(unix.CmsgLen(int(unsafe.Sizeof(c.size))))
		c.size = uint16(size)
		h.Control = (*byte)(unsafe.Pointer(c))
		h.SetControllen(int(unsafe.Sizeof(*c)))
	}
	d.w.stats.bytesOut += uint64(n * size)
	return n
}

// segments is the number of datagrams in header i.
func (d *datagrams) segments(i int) uint64 {
	if d.headers[i].hdr.Control == nil {
		return 1
	}
	return uint64(d.vectors[i].Len) / uint64(d.control[i].size)
}

// sendMany sends headers[:n].
func (d *datagrams) sendMany(fd, n int) {
	for sent := 0; sent < n; {
		k, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&d.headers[sent])),
			uintptr(n-sent), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			sent += int(k)
		case unix.EINTR:
		case unix.EAGAIN:
			for ; sent < n; sent++ {
				d.w.stats.datagramsDropped.Add(d.segments(sent))
			}
		default: // this one can't be sent, for example because nobody listens there any more
			if d.segments(sent) > 1 {
				d.sendSingly(fd, sent)
				d.single = d.single || errno == unix.EINVAL || errno == unix.EIO || errno == unix.EOPNOTSUPP
			} else {
				d.w.stats.datagramsDropped.Add(1)
			}
			sent++
		}
	}
}

// sendSingly sends the segments of header i each by itself: the system, or the link, does not cut.
func (d *datagrams) sendSingly(fd, i int) {
	h, v := &d.headers[i].hdr, &d.vectors[i]
	size, left := uint64(d.control[i].size), d.segments(i)
	h.Control, h.Controllen = nil, 0
	for v.Len = size; left > 0; left-- {
		_, _, errno := unix.Syscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(h)), unix.MSG_DONTWAIT)
		if errno != 0 {
			d.w.stats.datagramsDropped.Add(1)
		}
		v.Base = (*byte)(unsafe.Add(unsafe.Pointer(v.Base), size))
	}
}
