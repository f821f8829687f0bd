package bench

import (
	"encoding/binary"
	"net"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"fastpay/codec"
)

// seat is the connection to one shard of one authority of a committee. Replies come in the order of requests. It breaks
// and comes back as the authority does.
type seat struct {
	member, shard, index int
	host                 string
	port                 int
	fd                   int // -1 when down
	kind                 int // unix.SOCK_STREAM, or SOCK_DGRAM
	out                  []byte
	written              int // of out
	in                   []byte
	have                 int            // of in
	asked                queue[request] // not answered yet
	stuck                bool
	missed               bool // requests were not sent to it
	reminded             bool // it is being asked again
	retryAt              time.Duration

	// Of datagrams, instead of asked: how many are not answered, and when to look after each.
	open    int
	repeats queue[repeat]
}

// request is one that was sent.
type request struct {
	kind   requestKind
	slot   int32 // of the payment, for orders and certificates
	number int   // of the payment; for a probe, the payer
}

type requestKind uint8

const (
	askOrder       requestKind = iota
	askRival                   // the other order of a payer who pays twice
	askCertificate             // of a payment
	askReminder                // the certificate of the payment before, which brings to light what the authority has missed
	askReplay                  // a certificate that the authority had missed
	askProbe                   // what number is the account at?
	askInfo                    // a payee's question, of the load
	askBalance                 // what has a recipient whose credit is watched?
	askReceived                // which payments has it received?
)

const (
	seatBuffer = 256 << 10
	// maxAsked is how many requests an authority may owe; one that is slower gets no new ones, and is brought up to date
	// later.
	maxAsked  = 8192
	reconnect = 20 * time.Millisecond
)

func newSeat(member, shard, index int, host string, base int) *seat {
	return &seat{member: member, shard: shard, index: index, host: host, port: base + shard, fd: -1, kind: unix.SOCK_STREAM,
		in: make([]byte, seatBuffer)}
}

func (s *seat) owed() int { return s.asked.len() + s.open }

// ask notes a request whose frame was appended to out.
func (s *seat) ask(r request) { s.asked.add(r) }

// connect tries to. An authority that does not listen refuses at once on this machine.
func (s *seat) connect(p *poller, now, timeout time.Duration) bool {
	fd, err := dial(s.kind, s.host, s.port, timeout)
	if err == nil {
		err = p.watch(fd, s.index, unix.EPOLLIN)
		if err != nil {
			_ = unix.Close(fd)
		}
	}
	if err != nil {
		s.retryAt = now + reconnect
		return false
	}
	s.fd = fd
	return true
}

// drop forgets what was sent and not answered.
func (s *seat) drop(now time.Duration) {
	if s.fd >= 0 {
		_ = unix.Close(s.fd)
	}
	s.fd, s.have, s.written, s.out, s.stuck = -1, 0, 0, s.out[:0], false
	s.asked.clear()
	s.retryAt = now + reconnect
}

// flush writes as much as the socket takes; ok is false when the connection is broken.
func (s *seat) flush(p *poller) (sent int, ok bool) {
	for s.written < len(s.out) {
		n, err := unix.Write(s.fd, s.out[s.written:])
		if err == unix.EINTR {
			continue
		}
		if err == unix.EAGAIN {
			s.wake(p, true)
			return sent, true
		}
		if err != nil {
			return sent, false
		}
		s.written += n
		sent += n
	}
	s.out, s.written = s.out[:0], 0
	s.wake(p, false)
	return sent, true
}

func (s *seat) wake(p *poller, stuck bool) {
	if s.stuck == stuck {
		return
	}
	s.stuck = stuck
	events := uint32(unix.EPOLLIN)
	if stuck {
		events |= unix.EPOLLOUT
	}
	p.modify(s.fd, s.index, events)
}

// receive reads once, and gives each whole message and the request that it answers to take; ok is false when the
// connection is broken.
func (s *seat) receive(take func(request, []byte)) (received int, ok bool) {
	n, err := unix.Read(s.fd, s.in[s.have:])
	if err == unix.EINTR || err == unix.EAGAIN {
		return 0, true
	}
	if n <= 0 || err != nil {
		return 0, false
	}
	s.have += n
	used := 0
	for s.have-used >= header {
		size := int(binary.LittleEndian.Uint32(s.in[used:])) + header
		if size > len(s.in) || s.owed() == 0 {
			return n, false
		}
		if s.have-used < size {
			break
		}
		r := *s.asked.first()
		s.asked.remove()
		take(r, s.in[used+header:used+size])
		used += size
	}
	s.have = copy(s.in, s.in[used:s.have])
	return n, true
}

func (s *seat) address() string { return net.JoinHostPort(s.host, strconv.Itoa(s.port)) }

// appendProbe appends the question for an account's state.
func appendProbe(dst []byte, account *codec.Address) []byte {
	return appendInfoRequest(dst, &codec.InfoRequest{Account: *account})
}

func appendInfoRequest(dst []byte, q *codec.InfoRequest) []byte {
	start := len(dst)
	dst = codec.AppendInfoRequest(codec.BeginFrame(dst), q)
	codec.EndFrame(dst, start)
	return dst
}

// ready reports whether an event is for a connection that is up.
func (s *seat) ready(e unix.EpollEvent) bool {
	return s.fd >= 0 && e.Events&(unix.EPOLLIN|unix.EPOLLHUP|unix.EPOLLERR) != 0
}
