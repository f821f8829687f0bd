package bench

import (
	"bufio"
	"io"
	"net"
	"strconv"
	"sync"

	"fastpay/codec"
	"fastpay/crypto"
)

// front stands before an honest authority, on its ports, and makes it a Byzantine one: it has the authority's key, and
// hands on, changes or makes up answers. Its connections are served one batch of requests after the other.
type front struct {
	kind  FaultKind // Silent, WrongSignature or Equivocate
	key   *crypto.PrivateKey
	host  string
	base  int // port of the honest authority's first shard
	ports listeners
}

// listeners accept on ports in a row, until closed; then all their connections are closed too.
type listeners struct {
	mu     sync.Mutex
	ports  []net.Listener
	conns  map[net.Conn]bool
	closed bool
	work   sync.WaitGroup
}

// listen accepts on n ports from base on; serve gets each connection and the number of its port, and closes it.
func (l *listeners) listen(host string, base, n int, serve func(c net.Conn, shard int)) error {
	l.conns = make(map[net.Conn]bool)
	for shard := range n {
		port, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(base+shard)))
		if err != nil {
			l.close()
			return err
		}
		l.ports = append(l.ports, port)
		l.work.Go(func() {
			for {
				c, err := port.Accept()
				if err != nil {
					return
				}
				if l.hold(c) {
					l.work.Go(func() {
						serve(c, shard)
						l.release(c)
					})
				}
			}
		})
	}
	return nil
}

// hold makes c one that close closes.
func (l *listeners) hold(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = c.Close()
		return false
	}
	l.conns[c] = true
	return true
}

func (l *listeners) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

func (l *listeners) release(c net.Conn) {
	_ = c.Close()
	l.mu.Lock()
	delete(l.conns, c)
	l.mu.Unlock()
}

func (l *listeners) close() {
	l.mu.Lock()
	l.closed = true
	for _, port := range l.ports {
		_ = port.Close()
	}
	for c := range l.conns {
		_ = c.Close()
	}
	l.mu.Unlock()
	l.work.Wait()
}

// startFront listens on ports from public on, before the authority whose ports begin at base.
func startFront(kind FaultKind, key *crypto.PrivateKey, host string, public, base, shards int) (*front, error) {
	f := &front{kind: kind, key: key, host: host, base: base}
	return f, f.ports.listen(host, public, shards, f.serve)
}

func (f *front) serve(c net.Conn, shard int) {
	if f.kind == Silent {
		_, _ = io.Copy(io.Discard, c)
		return
	}
	up, err := net.Dial("tcp", net.JoinHostPort(f.host, strconv.Itoa(f.base+shard)))
	if err != nil || !f.ports.hold(up) {
		return
	}
	defer f.ports.release(up)
	s := &fronted{front: f, in: bufio.NewReaderSize(c, 1<<16), upIn: bufio.NewReaderSize(up, 1<<16)}
	for s.batch(c, up) == nil {
	}
}

// fronted is one connection through a front.
type fronted struct {
	*front
	in, upIn  *bufio.Reader
	message   codec.Message
	frame, up []byte
	made      [][]byte // answers in the order of the requests; nil for those that the authority gives
	out       []byte
	signed    []byte
}

const frontBatch = 64 // requests: what the authority owes fits into the buffers of its connection

// batch answers the requests that are there, at least one.
func (s *fronted) batch(c, up io.Writer) (err error) {
	s.made, s.up = s.made[:0], s.up[:0]
	for len(s.made) == 0 || len(s.made) < frontBatch && wholeFrame(s.in) {
		if s.frame, err = readFrame(s.in, s.frame[:0]); err != nil {
			return err
		}
		answer := s.lie(s.frame)
		if answer == nil {
			start := len(s.up)
			s.up = append(codec.BeginFrame(s.up), s.frame...)
			codec.EndFrame(s.up, start)
		}
		s.made = append(s.made, answer)
	}
	if _, err := up.Write(s.up); err != nil {
		return err
	}
	s.out = s.out[:0]
	for _, answer := range s.made {
		if answer == nil {
			if s.frame, err = readFrame(s.upIn, s.frame[:0]); err != nil {
				return err
			}
			answer = s.spoil(s.frame)
		}
		start := len(s.out)
		s.out = append(codec.BeginFrame(s.out), answer...)
		codec.EndFrame(s.out, start)
	}
	_, err = c.Write(s.out)
	return err
}

// wholeFrame reports whether a frame can be read without waiting.
func wholeFrame(r *bufio.Reader) bool {
	if r.Buffered() < codec.FrameHeaderSize {
		return false
	}
	head, err := r.Peek(codec.FrameHeaderSize)
	if err != nil {
		return false
	}
	size, err := codec.FrameSize(head, codec.DefaultMaxMessage)
	return err == nil && r.Buffered() >= size
}

// lie is the answer of an authority that votes for every order, whatever it voted for before; nil for other requests.
func (s *fronted) lie(request []byte) []byte {
	if s.kind != Equivocate || !s.message.Decode(request) || s.message.Kind != codec.KindOrder {
		return nil
	}
	o := s.message.Order()
	var vote crypto.Signature
	s.signed = o.AppendSignedBytes(s.signed[:0])
	s.key.Sign(&vote, s.signed)
	name := s.key.Public()
	return codec.AppendInfoResponse(nil, &codec.InfoResponse{Account: *o.Sender(), NextSequenceNumber: o.SequenceNumber(),
		Pending: codec.NewVote(o, &name, &vote)})
}

// spoil makes the vote in an answer one that does not verify.
func (s *fronted) spoil(answer []byte) []byte {
	if s.kind == WrongSignature && s.message.Decode(answer) && s.message.Kind == codec.KindInfoResponse {
		if v := s.message.InfoResponse().Pending; !v.IsZero() {
			v.Signature()[0] ^= 1 // a view of answer
		}
	}
	return answer
}
