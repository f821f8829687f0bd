package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
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
	c, err := New(Options{Committee: s.committee, Wallet: local.wallet, RecvTimeout: timeout, SendTimeout: timeout, CatchUp: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	c.network.(*Network).patience.Store(0) // these authorities are not about to start
	return c, list
}

var protocols = []committee.Protocol{committee.TCP, committee.UDP}

func TestTransferOverNetwork(t *testing.T) {
	for _, protocol := range protocols {
		t.Run(protocol.String(), func(t *testing.T) {
			s := serve(t, 4, protocol)
			c, accounts := s.networked(t, 2, time.Second)
			for range 20 {
				certificate, err := c.Transfer(t.Context(), accounts[0].Address, payTo(accounts[1].Address), 1, codec.UserData{})
				if err != nil {
					t.Fatal(err)
				}
				s.certifies(t, certificate)
			}
			c.Close()
			if got := s.balance(3, accounts[1].Address); got != "120" {
				t.Errorf("balance %s", got)
			}
			if c.Retransmissions() != 0 {
				t.Errorf("%d retransmissions without loss", c.Retransmissions())
			}
		})
	}
}

// TestTransferWithLoss loses a fifth of all datagrams, both ways.
func TestTransferWithLoss(t *testing.T) {
	s := serve(t, 4, committee.UDP)
	s.lose(0.2)
	c, accounts := s.networked(t, 2, 4*time.Second)
	for range 3 {
		if _, err := c.Transfer(t.Context(), accounts[0].Address, payTo(accounts[1].Address), 1, codec.UserData{}); err != nil {
			t.Fatal(err)
		}
	}
	if c.Retransmissions() == 0 {
		t.Error("no retransmissions")
	}
}

// TestDownAuthorities makes a transfer with one authority of four down, and with two, which is an error at once.
func TestDownAuthorities(t *testing.T) {
	for _, protocol := range protocols {
		t.Run(protocol.String(), func(t *testing.T) {
			s := serve(t, 4, protocol, 0)
			c, accounts := s.networked(t, 2, 2*time.Second)
			start := time.Now()
			if _, err := c.Transfer(t.Context(), accounts[0].Address, payTo(accounts[1].Address), 1, codec.UserData{}); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took > time.Second {
				t.Errorf("took %v", took)
			}
			c.Close()

			s = serve(t, 4, protocol, 0, 1)
			c, accounts = s.networked(t, 2, 2*time.Second)
			start = time.Now()
			_, err := c.Transfer(t.Context(), accounts[0].Address, payTo(accounts[1].Address), 1, codec.UserData{})
			const want = `Failed to communicate with a quorum of authorities: Network error while querying service: "Connection refused (os error 111)".`
			if err == nil || err.Error() != want {
				t.Errorf("got error %v", err)
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("took %v", took)
			}
			if !accounts[0].Pending.IsZero() {
				t.Error("something was signed before anyone could be asked")
			}
		})
	}
}

// TestStartingAuthorities begins before the authorities listen.
func TestStartingAuthorities(t *testing.T) {
	for _, protocol := range protocols {
		t.Run(protocol.String(), func(t *testing.T) {
			s := serve(t, 4, protocol, 0, 1, 2, 3)
			c, accounts := s.networked(t, 2, 3*time.Second)
			c.network.(*Network).patience.Store(time.Now().Add(startPatience).UnixNano())
			time.AfterFunc(300*time.Millisecond, func() { s.restart(t, protocol) })
			start := time.Now()
			if _, err := c.Transfer(t.Context(), accounts[0].Address, payTo(accounts[1].Address), 1, codec.UserData{}); err != nil {
				t.Error(err)
			}
			c.Close()
			if took := time.Since(start); took < 200*time.Millisecond || took > 2*time.Second {
				t.Errorf("took %v", took)
			}
			if got := s.balance(3, accounts[0].Address); got != "99" {
				t.Errorf("authority 3 has %s", got)
			}
		})
	}
}

// TestSilentQuorum fails within the time-out, with a clear text.
func TestSilentQuorum(t *testing.T) {
	for _, protocol := range protocols {
		t.Run(protocol.String(), func(t *testing.T) {
			s := serve(t, 4, protocol)
			for i := range 2 {
				s.authorities[i].set(silent)
			}
			c, accounts := s.networked(t, 2, 300*time.Millisecond)
			start := time.Now()
			_, err := c.Transfer(t.Context(), accounts[0].Address, payTo(accounts[1].Address), 1, codec.UserData{})
			if err == nil || !strings.Contains(err.Error(), "timed out waiting for the answer") {
				t.Errorf("got error %v", err)
			}
			if took := time.Since(start); took < 250*time.Millisecond || took > time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// TestInterrupt ends a transfer that waits.
func TestInterrupt(t *testing.T) {
	s := serve(t, 4, committee.TCP)
	for _, a := range s.authorities {
		a.set(silent)
	}
	c, accounts := s.networked(t, 2, time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := c.Transfer(ctx, accounts[0].Address, payTo(accounts[1].Address), 1, codec.UserData{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v", err)
	}
	c.Close()
	if took := time.Since(start); took > time.Second {
		t.Errorf("took %v", took)
	}
}

// TestReconnect goes on after an authority closed all connections, as a restart does.
func TestReconnect(t *testing.T) {
	s := serve(t, 4, committee.TCP)
	c, accounts := s.networked(t, 2, time.Second)
	account := accounts[0].Address
	n := c.network.(*Network)
	ask := codec.AppendInfoRequest(nil, &codec.InfoRequest{Account: account})
	for range 3 {
		if _, err := n.Exchange(t.Context(), 0, &account, ask); err != nil {
			t.Fatal(err)
		}
		for _, p := range n.peers {
			p.conn.conn.Close() // as seen from here: the next write or read fails
		}
	}
}

// TestExchangeHostile tries peers that send what they should not.
func TestExchangeHostile(t *testing.T) {
	account := testKey(1).Public()
	ask := codec.AppendInfoRequest(nil, &codec.InfoRequest{Account: account})
	good := codec.AppendInfoResponse(nil, &codec.InfoResponse{Account: account})
	frame := func(m []byte) []byte { f := append(codec.BeginFrame(nil), m...); codec.EndFrame(f, 0); return f }
	for _, h := range []struct {
		name, want string
		send       []byte
	}{
		{"a huge frame", "frame exceeds the largest message allowed", []byte{0xff, 0xff, 0xff, 0xff}},
		{"half a frame", "connection closed by the authority", frame(good)[:20]},
		{"nothing", "connection closed by the authority", nil},
	} {
		t.Run(h.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			done := make(chan struct{})
			go func() {
				defer close(done)
				c, err := l.Accept()
				if err != nil {
					return
				}
				readFrame(bufio.NewReader(c), 1<<16)
				c.Write(h.send)
				c.Close()
			}()
			n := NewNetwork(oneMember(t, l.Addr().(*net.TCPAddr).Port, committee.TCP), time.Second, time.Second, 1<<16)
			defer n.Close()
			if _, err := n.Exchange(t.Context(), 0, &account, ask); err == nil || !strings.Contains(err.Error(), h.want) {
				t.Errorf("got error %v", err)
			}
			<-done
		})
	}

	t.Run("datagrams that are no answer", func(t *testing.T) {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		stranger, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer stranger.Close()
		done := make(chan struct{})
		go func() {
			defer close(done)
			buf := make([]byte, 1<<16)
			_, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			other := codec.AppendInfoResponse(nil, &codec.InfoResponse{Account: testKey(2).Public()})
			forged := codec.AppendInfoResponse(nil, &codec.InfoResponse{Account: account, NextSequenceNumber: 666})
			stranger.WriteTo(forged, from)
			for _, m := range [][]byte{nil, []byte("x"), other, append([]byte(nil), good[:len(good)-1]...), ask, good} {
				c.WriteTo(m, from)
			}
		}()
		n := NewNetwork(oneMember(t, c.LocalAddr().(*net.UDPAddr).Port, committee.UDP), time.Second, time.Second, 1<<15)
		defer n.Close()
		reply, err := n.Exchange(t.Context(), 0, &account, ask)
		if err != nil || string(reply) != string(good) {
			t.Errorf("got %x, %v", reply, err)
		}
		c.Close()
		<-done
	})

	t.Run("a request above the limit", func(t *testing.T) {
		n := NewNetwork(oneMember(t, 1, committee.TCP), time.Second, time.Second, 10)
		defer n.Close()
		if _, err := n.Exchange(t.Context(), 0, &account, ask); err == nil || !strings.Contains(err.Error(), "largest message is 10") {
			t.Errorf("got error %v", err)
		}
	})
}

func oneMember(t *testing.T, port int, protocol committee.Protocol) *committee.Committee {
	t.Helper()
	c, err := committee.New([]committee.Member{{Name: authorityKey(0).Public(), Weight: 1, Protocol: protocol, Host: "127.0.0.1", BasePort: port, NumShards: 1}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestBenchmark runs the benchmark twice over each protocol, with and without loss, and with an authority that is down.
func TestBenchmark(t *testing.T) {
	const accounts = 60
	for _, s := range []struct {
		name     string
		protocol committee.Protocol
		loss     float64
		down     []int
		behind   bool
	}{
		{name: "tcp", protocol: committee.TCP},
		{name: "udp", protocol: committee.UDP},
		{name: "udp with loss", protocol: committee.UDP, loss: 0.05},
		{name: "tcp, one down", protocol: committee.TCP, down: []int{2}},
		{name: "udp, one down", protocol: committee.UDP, down: []int{2}},
		{name: "tcp, one that lags", protocol: committee.TCP, behind: true},
		{name: "udp, one that lags", protocol: committee.UDP, behind: true},
	} {
		t.Run(s.name, func(t *testing.T) {
			world := serve(t, 4, s.protocol, s.down...)
			if s.loss > 0 {
				world.lose(s.loss)
			}
			c, list := world.networked(t, accounts, 4*time.Second)
			up := 4 - len(s.down)
			for round := range 2 {
				if s.behind && round == 0 {
					world.authorities[3].set(onCertificates(refuses(codec.WrongShard)))
				} else {
					world.authorities[3].set(honest)
				}
				var lines []string
				result, err := c.Benchmark(t.Context(), BenchmarkOptions{MaxInFlight: 20, Report: func(_ slog.Level, line string) { lines = append(lines, line) }})
				if err != nil {
					t.Fatalf("%v\n%s", err, strings.Join(lines, "\n"))
				}
				votes := accounts * up
				if s.behind && round == 1 {
					votes = accounts * 3
				}
				if result.ValidVotes != votes || result.Certificates != accounts || result.Settled != accounts || result.Orders.PerSecond() == 0 {
					t.Errorf("round %d: %+v\n%s", round, result, strings.Join(lines, "\n"))
				}
				if (result.Retransmitted > 0) != (s.loss > 0 || s.protocol == committee.UDP && len(s.down) > 0) {
					t.Errorf("%d retransmissions", result.Retransmitted)
				}
				for _, want := range []string{"Broadcasting 60 transfer orders", fmt.Sprintf("Received %d valid votes.", votes), "Estimated server throughput: ",
					" valid confirmations for 60 transfers.", "Saved client account state"} {
					if !strings.Contains(strings.Join(lines, "\n"), want) {
						t.Errorf("no line has %q", want)
					}
				}
			}
			c.Close()
			wallet := reopen(t, c)
			for _, a := range list {
				b := wallet.Account(&a.Address)
				if b.NextSequenceNumber != 2 || b.Balance != codec.NewBalance(100) || len(b.Received) != 2 || !b.Complete() || !b.Pending.IsZero() {
					t.Fatalf("the wallet has next %d, balance %s, %d received", b.NextSequenceNumber, b.Balance, len(b.Received))
				}
				if got := world.balance(3, a.Address); got != "100" {
					t.Errorf("authority 3 has %s", got)
				}
			}
		})
	}
}

// TestBenchmarkServerKeys makes the certificates from the servers' keys although no votes come back.
func TestBenchmarkServerKeys(t *testing.T) {
	s := serve(t, 4, committee.TCP)
	c, _ := s.networked(t, 10, time.Second)
	for _, a := range s.authorities {
		a.set(func(a *fakeAuthority, m *codec.Message, answer func() []byte) []byte {
			if m.Kind == codec.KindOrder {
				return codec.AppendError(nil, &codec.Error{Code: codec.WrongShard})
			}
			return answer()
		})
	}
	o := BenchmarkOptions{MaxOrders: 5}
	for i := range 3 {
		o.ServerKeys = append(o.ServerKeys, authorityKey(i))
	}
	result, err := c.Benchmark(t.Context(), o)
	if err != nil || result.Settled != 5 || result.ValidVotes != 0 || result.Orders.Errors["Wrong shard used."] != 20 {
		t.Errorf("%+v, %v", result, err)
	}
	for _, bad := range [][]int{{0, 1}, {0, 1, 1}, {0, 1, 9}} {
		o.ServerKeys = nil
		for _, i := range bad {
			o.ServerKeys = append(o.ServerKeys, authorityKey(i))
		}
		if _, err := c.Benchmark(t.Context(), o); err == nil {
			t.Errorf("server keys %v were taken", bad)
		}
	}
}

// TestBenchmarkInterrupted stops benchmarks in each phase; the next one finishes what was signed.
func TestBenchmarkInterrupted(t *testing.T) {
	for _, protocol := range protocols {
		for _, phase := range []string{"orders", "confirmations", "one settled them"} {
			t.Run(protocol.String()+" "+phase, func(t *testing.T) {
				s := serve(t, 4, protocol)
				c, list := s.networked(t, 20, 250*time.Millisecond)
				for i, a := range s.authorities {
					switch {
					case phase == "orders":
						a.set(mute)
					case phase == "confirmations" || i >= 2:
						a.set(onCertificates(mute))
					}
				}
				if phase == "confirmations" { // mute also acts: nothing may come of it here
					for _, a := range s.authorities {
						a.set(onCertificates(silent))
					}
				}
				start := time.Now()
				result, err := c.Benchmark(t.Context(), BenchmarkOptions{})
				if err == nil || result.Settled != 0 || !strings.HasPrefix(err.Error(), "Failed to communicate with a quorum of authorities: ") {
					t.Errorf("%+v, %v", result, err)
				}
				if took := time.Since(start); took > 3*time.Second {
					t.Errorf("took %v", took)
				}
				signed := make(map[codec.Address]string)
				for _, a := range list {
					if a.Pending.IsZero() {
						t.Fatal("nothing pending")
					}
					signed[a.Address] = string(a.Pending.Bytes())
				}
				for _, a := range s.authorities {
					a.set(honest)
				}
				if result, err = c.Benchmark(t.Context(), BenchmarkOptions{}); err != nil || result.Settled != 20 {
					t.Fatalf("%+v, %v", result, err)
				}
				for _, a := range list {
					if string(a.Sent[0].Order().Bytes()) != signed[a.Address] || a.NextSequenceNumber != 1 || a.Balance != codec.NewBalance(100) {
						t.Errorf("next %d, balance %s", a.NextSequenceNumber, a.Balance)
					}
				}
			})
		}
	}
}

// TestBenchmarkDown ends soon, with a clear error, when all servers are down.
func TestBenchmarkDown(t *testing.T) {
	for _, protocol := range protocols {
		s := serve(t, 4, protocol, 0, 1, 2, 3)
		c, _ := s.networked(t, 20, 2*time.Second)
		start := time.Now()
		_, err := c.Benchmark(t.Context(), BenchmarkOptions{})
		if err == nil || !strings.Contains(err.Error(), "Connection refused (os error 111)") {
			t.Errorf("%v: %v", protocol, err)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%v: took %v", protocol, took)
		}
	}
}

func TestBenchmarkWithoutMoney(t *testing.T) {
	s := serve(t, 4, committee.TCP)
	c, list := s.networked(t, 1, time.Second)
	list[0].Balance = codec.Balance{}
	if result, err := c.Benchmark(t.Context(), BenchmarkOptions{}); err == nil || !strings.Contains(err.Error(), "none of the 1 accounts") || result.Skipped != 1 {
		t.Errorf("%+v, %v", result, err)
	}
}

// TestBenchmarkRecovers finds the certificates of pending orders that were settled without this wallet's knowledge.
func TestBenchmarkRecovers(t *testing.T) {
	s := serve(t, 4, committee.UDP)
	c, list := s.networked(t, 3, 2*time.Second)
	for i, a := range list {
		a.Pending = testOrder(testKey(byte(i+1)), testKey(50).Public(), 10, 0)
		if i < 2 {
			s.pay(t, testKey(byte(i+1)), testKey(50).Public(), uint64(10+i), 0, 0, 1, 2) // the second is another payment
		}
	}
	result, err := c.Benchmark(t.Context(), BenchmarkOptions{})
	if err != nil || result.Certificates != 3 || result.Settled != 3 {
		t.Fatalf("%+v, %v", result, err)
	}
	for i, want := range []uint64{90, 89, 90} {
		if a := list[i]; a.Balance != codec.NewBalance(want) || !a.Pending.IsZero() || a.NextSequenceNumber != 1 {
			t.Errorf("account %d: balance %s, next %d", i, a.Balance, a.NextSequenceNumber)
		}
	}
}
