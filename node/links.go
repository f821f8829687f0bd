package node

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"fastpay/crypto"
	"fastpay/node/link"
)

// links are all links of a process that runs some of an authority's shards: one out for each shard of its own and each
// of other processes, and one in for the same pair the other way round. Connections come in on the public port of the
// shard that is paid.
type links struct {
	log    *slog.Logger
	tls    *linkTLS
	most   int // bytes of a message
	out    map[link.Pair]*outLink
	in     map[link.Pair]*inLink
	ctx    context.Context
	cancel context.CancelFunc
	stats  linkStats

	mu       sync.Mutex // over what follows
	stopped  bool
	shaking  []net.Conn // connections that have not said who they are, oldest first
	serving  sync.WaitGroup
	failures repeatedError
}

func newLinks(key *crypto.PrivateKey, votes int, log *slog.Logger) (*links, error) {
	config, err := newLinkTLS(key)
	if err != nil {
		return nil, err
	}
	ls := &links{log: log, tls: config, most: link.MaxMessage(votes),
		out: make(map[link.Pair]*outLink), in: make(map[link.Pair]*inLink)}
	ls.ctx, ls.cancel = context.WithCancel(context.Background())
	return ls, nil
}

// addOut makes the link of a pair, to a sibling at an address. The functions of the result are the caller's to set, and
// issued is what the hello says.
func (ls *links) addOut(hello link.Hello, address string) *outLink {
	l := &outLink{
		pair: hello.Pair, address: address, tls: ls.tls.dial, most: ls.most, log: ls.log,
		ring: newRing(linkRingBytes, ls.most), wake: make(chan struct{}, 1), stats: &ls.stats,
		sender: link.NewSender(hello, linkWindowBytes),
	}
	l.issued.Store(hello.Next - 1)
	l.note(l.sender.Acknowledged())
	ls.out[hello.Pair] = l
	return l
}

// addIn makes the link of a pair, whose cursor is durable. The functions of the result are the caller's to set.
func (ls *links) addIn(o link.ReceiverOptions, cursor link.Acknowledgement) *inLink {
	l := &inLink{
		pair: o.Pair, log: ls.log, ring: newRing(linkRingBytes, ls.most), room: make(chan struct{}, 1),
		state: link.NewReceiver(o, cursor), told: make(chan struct{}, 1),
	}
	ls.in[o.Pair] = l
	return l
}

// start begins to send.
func (ls *links) start() {
	for _, l := range ls.out {
		ls.serving.Go(func() { l.run(ls.ctx) })
	}
}

// stop ends all links. Nothing is lost: what is not acknowledged is sent again after the next start.
func (ls *links) stop() {
	ls.mu.Lock()
	ls.stopped = true
	for _, c := range ls.shaking {
		_ = c.Close()
	}
	ls.mu.Unlock()
	ls.cancel()
	ls.serving.Wait()
}

// gauge says what the links hold. From any goroutine.
func (ls *links) gauge(g *Gauges) {
	for _, l := range ls.out {
		acknowledged := l.acknowledged().Number // first: it never passes what is issued later
		g.OutboxBytes += l.ring.used()
		g.OutboxCredits += l.issued.Load() - acknowledged
		g.Links++
	}
	g.LinksUp = ls.stats.up.Load()
}

// accept takes a connection over from an event loop: its descriptor, the bytes that were read, which begin a TLS
// handshake, and the shard whose port it came to. It does not block.
func (ls *links) accept(descriptor int, first []byte, shard int) {
	file := os.NewFile(uintptr(descriptor), "link")
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.stopped {
		_ = file.Close()
		return
	}
	ls.serving.Go(func() {
		sock, err := net.FileConn(file) // duplicates it once more
		_ = file.Close()
		if err == nil {
			ls.shake(&begunConn{Conn: sock, begun: first}, shard)
		}
	})
}

// begunConn is a connection of which some bytes have been read.
type begunConn struct {
	net.Conn
	begun []byte
}

func (c *begunConn) Read(p []byte) (int, error) {
	if len(c.begun) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.begun)
	c.begun = c.begun[n:]
	return n, nil
}

// shake finds out who has connected, and serves a sibling until its connection breaks.
func (ls *links) shake(sock net.Conn, shard int) {
	defer sock.Close()
	if !ls.admit(sock) {
		return
	}
	greeted := sync.OnceFunc(func() { ls.dismiss(sock) })
	defer greeted()
	if tcp, ok := sock.(*begunConn).Conn.(*net.TCPConn); ok {
		_ = tcp.SetKeepAliveConfig(linkKeepAlive)
	}
	defer context.AfterFunc(ls.ctx, func() { sock.Close() })()
	_ = sock.SetDeadline(time.Now().Add(linkTimeout))
	conn := tls.Server(sock, ls.tls.accept)
	if err := conn.HandshakeContext(ls.ctx); err != nil {
		ls.refused(sock, err)
		return
	}
	in := newLinkReader(conn, ls.most)
	m, err := in.read()
	if err == nil && m.Kind != link.KindHello {
		err = fmt.Errorf("node: sibling begins with message kind %d", m.Kind)
	}
	if err != nil {
		ls.refused(sock, err)
		return
	}
	hello := m.Hello
	l := ls.in[hello.Pair]
	if l == nil || hello.Pair.To != shard {
		refusal := link.RefusedError{Pair: hello.Pair, Refusal: link.Refusal{Reason: link.NoSuchLink,
			Sender: uint64(hello.Pair.From), Receiver: uint64(hello.Pair.To)}}
		_, _ = conn.Write(refusal.AppendFrame(nil))
		ls.refused(sock, &refusal)
		return
	}
	l.serve(ls.ctx, conn, in, &hello, greeted)
}

// admit counts a handshake. When there are too many, the oldest ends: strangers then can't keep siblings out without
// being faster than handshakes are.
func (ls *links) admit(c net.Conn) bool {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.stopped {
		return false
	}
	if len(ls.shaking) == maxHandshakes {
		_ = ls.shaking[0].Close()
		ls.shaking = append(ls.shaking[:0], ls.shaking[1:]...)
	}
	ls.shaking = append(ls.shaking, c)
	return true
}

// dismiss ends the count of a handshake.
func (ls *links) dismiss(c net.Conn) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for i, other := range ls.shaking {
		if other == c {
			ls.shaking = append(ls.shaking[:i], ls.shaking[i+1:]...)
			return
		}
	}
}

// refused counts and logs a connection that came to nothing. Anybody can cause that, so it is not logged each time.
func (ls *links) refused(c net.Conn, err error) {
	if ls.ctx.Err() != nil {
		return
	}
	ls.stats.handshakesFailed.Add(1)
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if time.Since(ls.failures.at) > linkRepeatLog {
		ls.failures.isNew(err)
		ls.log.Warn("somebody tried to connect as a sibling shard", "from", c.RemoteAddr(), "error", err)
	}
}

// clientHelloBytes are as many as tell a TLS handshake from a frame.
const clientHelloBytes = 6

// beginsTLS tells whether the first bytes of a connection begin a TLS handshake: a record of type 22, major version 3,
// that holds a ClientHello, type 1. A frame can't be taken for one: its sixth byte belongs to the number of the
// message, and is 0 for all that there are. With fewer bytes than needed it may be undecided.
func beginsTLS(b []byte) (yes, undecided bool) {
	for i, want := range [clientHelloBytes]int{22, 3, -1, -1, -1, 1} {
		if i == len(b) {
			return false, true
		}
		if want >= 0 && int(b[i]) != want {
			return false, false
		}
	}
	return true, false
}
