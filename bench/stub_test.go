package bench

import (
	"bufio"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node"
	"fastpay/node/committee"
)

// stub is an authority of a few lines: it checks nothing and knows the lanes. behave may replace or drop (nil) a reply.
type stub struct {
	made   *prepared
	behave func(request *codec.Message, reply []byte) []byte
	host   string
	port   int

	mu        sync.Mutex
	next      map[codec.Address]uint64
	stats     node.Stats
	stolen    uint64 // missing from the first account that is asked for
	twice     bool   // every datagram is answered twice
	listeners []io.Closer
	conns     []net.Conn
	work      sync.WaitGroup
}

func startStub(t *testing.T, made *prepared, behave func(*codec.Message, []byte) []byte) *stub {
	t.Helper()
	s := &stub{made: made, behave: behave, host: "127.0.0.1", next: make(map[codec.Address]uint64)}
	var err error
	if s.port, err = freePorts(s.host, len(made.lanes)); err != nil {
		t.Fatal(err)
	}
	for i := range made.lanes {
		address := net.JoinHostPort(s.host, strconv.Itoa(s.port+i))
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		p, err := net.ListenPacket("udp", address)
		if err != nil {
			t.Fatal(err)
		}
		s.listeners = append(s.listeners, l, p)
		s.work.Go(func() { s.accept(l, made.lanes[i]) })
		s.work.Go(func() { s.serveDatagrams(p, made.lanes[i]) })
	}
	t.Cleanup(func() { _ = s.stop() })
	return s
}

// change runs f while nothing is answered.
func (s *stub) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *stub) accept(l net.Listener, lane *lane) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns = append(s.conns, c)
		s.mu.Unlock()
		s.work.Go(func() { s.serve(c, lane) })
	}
}

func (s *stub) serve(c net.Conn, lane *lane) {
	r, w := bufio.NewReader(c), bufio.NewWriter(c)
	var in []byte
	var err error
	for {
		if r.Buffered() == 0 && w.Flush() != nil {
			return
		}
		if in, err = readFrame(r, in[:0]); err != nil {
			return
		}
		out := codec.BeginFrame(nil)
		if out = append(out, s.answer(in, lane)...); len(out) > codec.FrameHeaderSize {
			codec.EndFrame(out, 0)
			_, _ = w.Write(out) // the next Flush tells
		}
	}
}

func (s *stub) serveDatagrams(p net.PacketConn, lane *lane) {
	b := make([]byte, codec.DefaultMaxMessage)
	for {
		n, from, err := p.ReadFrom(b)
		if err != nil {
			return
		}
		if out := s.answer(b[:n], lane); out != nil {
			for range s.copies() {
				_, _ = p.WriteTo(out, from) // may be lost, as on a network
			}
		}
	}
}

func (s *stub) copies() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.twice {
		return 2
	}
	return 1
}

// answer is what an honest authority says, after behave had its way with it.
func (s *stub) answer(request []byte, lane *lane) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	var m codec.Message
	if !m.Decode(request) {
		return codec.AppendError(nil, &codec.Error{Code: codec.InvalidDecoding})
	}
	s.stats.Requests++
	r := codec.InfoResponse{Balance: codec.NewBalance(initialBalance)}
	switch m.Kind {
	case codec.KindOrder:
		s.stats.Orders++
		o := m.Order()
		r.Account, r.NextSequenceNumber = *o.Sender(), o.SequenceNumber()
		r.Pending = codec.NewVote(o, &lane.authority, s.vote(lane, o))
	case codec.KindCertificate:
		s.stats.Certificates++
		o := m.Certificate().Order()
		s.next[*o.Sender()] = o.SequenceNumber() + 1
		r.Account, r.NextSequenceNumber = *o.Sender(), o.SequenceNumber()+1
	default:
		r.Account = m.InfoRequest().Account
		r.NextSequenceNumber = s.next[r.Account]
		if s.stolen > 0 {
			r.Balance = codec.NewBalance(initialBalance - s.stolen)
			s.stolen = 0
		}
		return codec.AppendInfoResponse(nil, &r)
	}
	reply := codec.AppendInfoResponse(nil, &r)
	if s.behave != nil {
		reply = s.behave(&m, reply)
	}
	return reply
}

func (s *stub) vote(lane *lane, o codec.Order) *crypto.Signature {
	var sig crypto.Signature
	s.made.members[0].Sign(&sig, o.AppendSignedBytes(nil))
	return &sig
}

func (s *stub) basePort() int { return s.port }

func (s *stub) startedIn() time.Duration { return 0 }

func (s *stub) snapshot() (snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return snapshot{Stats: s.stats, Workers: len(s.made.lanes)}, nil
}

func (s *stub) begin() (snapshot, error) { return s.snapshot() }
func (s *stub) end() (snapshot, error)   { return s.snapshot() }
func (s *stub) mark() (snapshot, error)  { return s.snapshot() }

func (s *stub) stop() error {
	for _, l := range s.listeners {
		_ = l.Close()
	}
	s.mu.Lock()
	for _, c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.work.Wait()
	return nil
}

// smallRun is a run of a few hundred payments against a stub.
func smallRun(t *testing.T, protocol committee.Protocol, payments int, behave func(*codec.Message, []byte) []byte) (*measured, *stub, plan) {
	t.Helper()
	o := DefaultOptions()
	o.Protocol, o.CommitteeSize, o.NumShards, o.NumAccounts, o.MaxInFlight = protocol, 4, 3, 50, 20
	o.Payments, o.NoCache, o.Seed = payments, true, 7
	o.RecvTimeout = 2 * time.Second
	p := o.plan()
	made, err := prepare(context.Background(), newWorkload(o.Seed, o.CommitteeSize), new(cache),
		shape{o.NumAccounts, o.NumShards, o.Connections, o.Phase, o.Mix}, p.warmUpPayments+p.payments, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &measured{Options: o, made: made, meter: newMeter(Payments), placement: placement{workers: 1, generator: -1}}
	return r, startStub(t, made, behave), p
}

func lossy(probability float64) func(*codec.Message, []byte) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	return func(_ *codec.Message, reply []byte) []byte {
		if random.Float64() < probability {
			return nil
		}
		return reply
	}
}
