package bench

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// Bounds of a bad way for datagrams.
const (
	lineSources   = 1024    // that may send over it; others are lost
	lineDatagrams = 1 << 14 // under way in one direction
	lineBuffer    = 4 << 20 // of each socket
	lineLargest   = 64 << 10
)

// startDatagrams is start for UDP: a datagram that is lost does not arrive.
func (l *delayLine) startDatagrams(public, shards int) error {
	for shard := range shards {
		address := net.JoinHostPort(l.host, strconv.Itoa(public+shard))
		c, err := net.ListenPacket("udp", address)
		if err != nil {
			return err
		}
		socket := c.(*net.UDPConn)
		if !l.ports.hold(socket) {
			return net.ErrClosed
		}
		_ = socket.SetReadBuffer(lineBuffer) // a wish
		l.ports.work.Go(func() {
			defer l.ports.release(socket)
			l.serveDatagrams(socket, shard)
		})
	}
	return nil
}

// serveDatagrams gives each source a socket of its own to the node, so that answers find back.
func (l *delayLine) serveDatagrams(public *net.UDPConn, shard int) {
	up := make(map[netip.AddrPort]chan<- parcel)
	defer func() {
		for _, parcels := range up {
			close(parcels)
		}
	}()
	b := make([]byte, lineLargest)
	for {
		n, from, err := public.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		to, is := up[from]
		if !is {
			if to = l.source(public, from, shard); to == nil || len(up) == lineSources {
				continue
			}
			up[from] = to
		}
		l.post(to, b[:n], l.toNode)
	}
}

// source connects one to the node; what is posted to it is sent there. nil when that is not possible.
func (l *delayLine) source(public *net.UDPConn, from netip.AddrPort, shard int) chan<- parcel {
	c, err := net.Dial("udp", net.JoinHostPort(l.host, strconv.Itoa(l.base+shard)))
	if err != nil || !l.ports.hold(c) {
		return nil
	}
	_ = c.(*net.UDPConn).SetReadBuffer(lineBuffer) // a wish
	toNode, toPeer := make(chan parcel, lineDatagrams), make(chan parcel, lineDatagrams)
	l.ports.work.Go(func() {
		deliver(toNode, func(b []byte) { _, _ = c.Write(b) }) // what can't be sent is lost
		l.ports.release(c)
	})
	l.ports.work.Go(func() { deliver(toPeer, func(b []byte) { _, _ = public.WriteToUDPAddrPort(b, from) }) })
	l.ports.work.Go(func() {
		defer close(toPeer)
		b := make([]byte, lineLargest)
		for {
			n, err := c.Read(b)
			if err != nil && n == 0 && l.ports.isClosed() {
				return
			}
			if err == nil {
				l.post(toPeer, b[:n], l.toPeer)
			}
		}
	})
	return toNode
}

// post sends a datagram on its way, or loses it: by chance, or because too many are under way.
func (l *delayLine) post(to chan<- parcel, b []byte, late time.Duration) {
	if l.loss > 0 && rand.Float64() < l.loss {
		return
	}
	select {
	case to <- parcel{append([]byte(nil), b...), time.Now().Add(late)}:
	default:
	}
}
