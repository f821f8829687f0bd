package node

import (
	"bytes"
	"net"
	"testing"
	"time"
)

// TestRepliesOfOneSizeArriveOneByOne sends replies of mixed sizes to two sources, cut by the system, then without, then as
// where the system refuses to cut: each source gets its own, whole, in order.
func TestRepliesOfOneSizeArriveOneByOne(t *testing.T) {
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	raw, err := socket.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for _, way := range []string{"cut", "single", "refused"} {
		var conns [2]*net.UDPConn
		for side := range conns {
			if conns[side], err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
				t.Fatal(err)
			}
			defer conns[side].Close()
		}
		var want [2][][]byte
		b := &batch{}
		s := &shard{}
		d := &datagrams{w: &worker{}, single: way == "single"}
		control := func(f func(fd int)) {
			if err := raw.Control(func(fd uintptr) { f(int(fd)) }); err != nil {
				t.Fatal(err)
			}
		}
		control(func(fd int) { s.udpSocket = fd })
		sizes := []int{300, 300, 300, 80, 80, 2000, 2000, 1200, 1200, 1200, 7}
		for i := range 150 {
			side := i / 20 % 2
			reply := bytes.Repeat([]byte{byte(i)}, sizes[i/3%len(sizes)])
			var to source
			control(func(fd int) { to = sourceOf(conns[side].LocalAddr().(*net.UDPAddr).AddrPort(), fd) })
			at := len(b.datagramTo)
			b.datagramTo = append(b.datagramTo, reply...)
			b.datagrams = append(b.datagrams, datagramReply{to, s, at, len(b.datagramTo)})
			want[side] = append(want[side], reply)
		}
		together := map[string]int{"cut": 9, "single": 1, "refused": 9}[way]
		if n := d.put(0, b.datagramTo, b.datagrams); n != together || d.segments(0) != uint64(n) {
			t.Errorf("%s: %d replies of 300 bytes go together, want %d", way, n, together)
		}
		control(func(int) {
			if way != "refused" {
				d.send(b)
				return
			}
			for next := 0; next < len(b.datagrams); {
				next += d.put(0, b.datagramTo, b.datagrams[next:])
				if d.segments(0) == 1 {
					d.sendMany(s.udpSocket, 1)
				} else {
					d.sendSingly(s.udpSocket, 0)
				}
			}
		})
		buf := make([]byte, 1<<16)
		for side, c := range conns {
			for i, reply := range want[side] {
				_ = c.SetReadDeadline(time.Now().Add(patience))
				k, err := c.Read(buf)
				if err != nil {
					t.Fatalf("%s: reply %d of %d: %v", way, i, len(want[side]), err)
				}
				if !bytes.Equal(buf[:k], reply) {
					t.Fatalf("%s: reply %d has %d bytes of %d, want %d of %d", way, i, k, buf[0], len(reply), reply[0])
				}
			}
		}
		if dropped := d.w.stats.datagramsDropped.Load(); dropped != 0 || d.single != (way == "single") {
			t.Errorf("%s: %d dropped, single %v", way, dropped, d.single)
		}
	}
}
