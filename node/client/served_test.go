package client

import (
	"bufio"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fastpay/codec"
	"fastpay/node/committee"
)

// served is a world on sockets of this machine. Authorities are addressed by the committee's ports.
type served struct {
	*world
	mu      sync.Mutex
	closers []func()
	running sync.WaitGroup
	drop    atomic.Pointer[func() bool] // whether a datagram is lost; nil for none
}

// serve makes a committee of n on free ports; those in down have ports that nobody listens on.
func serve(t testing.TB, n int, protocol committee.Protocol, down ...int) *served {
	t.Helper()
	s := new(served)
	t.Cleanup(s.close)
	var members []committee.Member
	var listeners [][]func(a *fakeAuthority)
	for i := range n {
		base, starts := s.listen(t, protocol)
		members = append(members, committee.Member{Name: authorityKey(i).Public(), Weight: 1, Protocol: protocol,
			Host: "127.0.0.1", BasePort: base, NumShards: worldShards})
		listeners = append(listeners, starts)
	}
	s.world = newWorldOf(t, members)
	for i, starts := range listeners {
		for _, start := range starts {
			a := s.authorities[i]
			for _, d := range down {
				if d == i {
					a = nil
				}
			}
			start(a)
		}
	}
	return s
}

// listen takes as many consecutive ports as there are shards.
func (s *served) listen(t testing.TB, protocol committee.Protocol) (base int, starts []func(a *fakeAuthority)) {
	t.Helper()
	for range 100 {
		base = 20000 + rand.IntN(30000)
		starts = nil
		var closers []func()
		for k := range worldShards {
			address := net.JoinHostPort("127.0.0.1", strconv.Itoa(base+k))
			if protocol == committee.TCP {
				l, err := net.Listen("tcp", address)
				if err != nil {
					break
				}
				closers = append(closers, func() { l.Close() })
				starts = append(starts, func(a *fakeAuthority) { s.acceptAll(l, a) })
			} else {
				c, err := net.ListenPacket("udp", address)
				if err != nil {
					break
				}
				closers = append(closers, func() { c.Close() })
				starts = append(starts, func(a *fakeAuthority) { s.answerAll(c, a) })
			}
		}
		if len(starts) == worldShards {
			s.closers = append(s.closers, closers...)
			return base, starts
		}
		for _, c := range closers {
			c()
		}
	}
	t.Fatal("no free ports")
	return 0, nil
}

// restart listens on the ports of all authorities, which must be free.
func (s *served) restart(t testing.TB, protocol committee.Protocol) {
	for i, a := range s.authorities {
		for k := range worldShards {
			address := net.JoinHostPort("127.0.0.1", strconv.Itoa(s.committee.Member(i).BasePort+k))
			if protocol == committee.TCP {
				l, err := net.Listen("tcp", address)
				if err != nil {
					t.Error(err)
					return
				}
				s.later(func() { l.Close() })
				s.acceptAll(l, a)
			} else {
				c, err := net.ListenPacket("udp", address)
				if err != nil {
					t.Error(err)
					return
				}
				s.later(func() { c.Close() })
				s.answerAll(c, a)
			}
		}
	}
}

func (s *served) later(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closers = append(s.closers, f)
}

func (s *served) close() {
	s.mu.Lock()
	for _, c := range s.closers {
		c()
	}
	s.mu.Unlock()
	s.running.Wait()
}

func (s *served) acceptAll(l net.Listener, a *fakeAuthority) {
	if a == nil {
		l.Close()
		return
	}
	s.running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.running.Go(func() {
				defer c.Close()
				in := bufio.NewReader(c)
				for {
					m, err := readFrame(in, codec.DefaultMaxMessage)
					if err != nil {
						return
					}
					if reply := a.handle(m); reply != nil {
						frame := append(codec.BeginFrame(nil), reply...)
						codec.EndFrame(frame, 0)
						c.Write(frame)
					}
				}
			})
		}
	})
}

func (s *served) answerAll(c net.PacketConn, a *fakeAuthority) {
	if a == nil {
		c.Close()
		return
	}
	lost := func() bool {
		drop := s.drop.Load()
		return drop != nil && (*drop)()
	}
	s.running.Go(func() {
		buf := make([]byte, 1<<16)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			if lost() {
				continue
			}
			if reply := a.handle(buf[:n]); reply != nil && !lost() {
				c.WriteTo(reply, from)
			}
		}
	})
}

// lose makes a share of all datagrams disappear, both ways, from a fixed seed.
func (s *served) lose(share float64) {
	var mu sync.Mutex
	r := rand.New(rand.NewPCG(1, 2))
	drop := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return r.Float64() < share
	}
	s.drop.Store(&drop)
}

// networked is a client of the world over its sockets, with n accounts of 100.
func (s *served) networked(t testing.TB, accounts int, timeout time.Duration) (*Client, []*Account) {
	t.Helper()
	local, list := s.client(t, accounts, true)
	c, err := New(Options{Committee: s.committee, Wallet: local.wallet, RecvTimeout: timeout, SendTimeout: timeout,
		CatchUp: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	c.network.(*Network).patience.Store(0) // these authorities are not about to start
	return c, list
}

var protocols = []committee.Protocol{committee.TCP, committee.UDP}
