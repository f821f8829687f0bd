package node

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fastpay/codec"
	"fastpay/crypto"
)

// honest pays from one account, order and certificate, until stop or its money ends, and checks each reply. It returns how
// many payments it made.
func (w *world) honest(c *client, from, to int, stop <-chan struct{}) (payments uint64) {
	for payments < initialBalance && !stopped(stop) {
		o := w.order(from, to, 1, payments)
		m, err := c.tryAsk(codec.AppendOrder(nil, o))
		if err != nil || m.Kind != codec.KindInfoResponse {
			w.t.Errorf("payment %d: order: %v, %v", payments, m, err)
			return payments
		}
		vote := m.InfoResponse().Pending
		if !crypto.Verify(&w.members[0].Name, o.AppendSignedBytes(nil), vote.Signature()) {
			w.t.Errorf("payment %d: vote does not verify", payments)
		}
		m, err = c.tryAsk(codec.AppendCertificate(nil, w.certificate(o)))
		if payments++; err != nil || m.Kind != codec.KindInfoResponse || m.InfoResponse().NextSequenceNumber != payments {
			w.t.Errorf("payment %d: certificate: %v, %v", payments, m, err)
			return payments
		}
	}
	return payments
}

// beside runs peers for a while beside an honest client of each shard, which must be served all the time.
func (w *world) beside(duration time.Duration, peers func(stop <-chan struct{}, run func(func()))) {
	w.t.Helper()
	stop := make(chan struct{})
	var all sync.WaitGroup
	var payments atomic.Uint64
	shards := w.members[0].NumShards
	for s := range shards {
		c := w.dial(s)
		all.Go(func() { payments.Add(w.honest(c, w.accountIn(s, 0), w.accountIn((s+1)%shards, 1), stop)) })
	}
	peers(stop, func(f func()) { all.Go(f) })
	time.Sleep(duration)
	close(stop)
	all.Wait()
	if payments.Load() < uint64(shards) { // how many more depends on what else this machine does
		w.t.Errorf("%d honest payments in %v", payments.Load(), duration)
	}
	w.t.Logf("%d honest payments in %v", payments.Load(), duration)
}

func stopped(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}

func (w *world) dialRaw(shard int) (*net.TCPConn, error) {
	c, err := net.Dial("tcp", w.address(shard))
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), nil
}

// TestIdleAndSlowConnections has 300 connections, a third of them silent, the others sending a byte a second.
func TestIdleAndSlowConnections(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const connections = 300
	w := newWorld(t, 4, 2, 40)
	n := w.start(w.options())
	request := frame(codec.AppendOrder(nil, w.order(w.accountIn(0, 5), 1, 1, 0)))
	var open []*net.TCPConn
	for i := range connections {
		c, err := w.dialRaw(i % 2)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		open = append(open, c)
	}
	w.beside(3*time.Second, func(stop <-chan struct{}, run func(func())) {
		run(func() {
			for k := 0; !stopped(stop); k++ {
				for i, c := range open {
					if i%3 != 0 {
						_, _ = c.Write(request[k%len(request):][:1])
					}
				}
				time.Sleep(time.Second)
			}
		})
	})
	if got := n.Stats().Connections; got < connections {
		t.Errorf("%d connections left, slow is not forbidden", got)
	}
}

// TestConnectionChurn opens and closes connections in every manner. None may be left, nor a descriptor.
func TestConnectionChurn(t *testing.T) {
	w := newWorld(t, 4, 2, 40)
	n := w.start(w.options())
	descriptors := countDescriptors(t)
	request := frame(infoRequest(w, w.accountIn(0, 0)))
	w.beside(time.Second, func(stop <-chan struct{}, run func(func())) {
		for worker := range 4 {
			run(func() {
				for i := worker; !stopped(stop); i++ {
					c, err := w.dialRaw(i % 2)
					if err != nil {
						t.Error(err)
						return
					}
					switch i % 6 {
					case 1:
						_, _ = c.Write(request[:10])
					case 2:
						_, _ = c.Write(request)
					case 3: // reset with a request under way
						_ = c.SetLinger(0)
						_, _ = c.Write(append(request, request[:7]...))
					case 4:
						_ = c.SetLinger(0)
					case 5:
						_, _ = c.Write(request)
						_ = c.CloseWrite()
					}
					c.Close()
					time.Sleep(time.Millisecond)
				}
			})
		}
	})
	eventually(t, "connections to be gone", func() bool { return n.Stats().Connections == 2 && n.connections.Load() == 2 })
	eventually(t, "descriptors to be gone", func() bool { return countDescriptors(t) <= descriptors+4 }) // both ends of two
}

func countDescriptors(t *testing.T) int {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("descriptors can't be counted here")
	}
	return len(files)
}

// TestHostilePeers never read, never finish, send garbage and claim the impossible, all at once. Memory stays below the
// bounds, which are small here.
func TestHostilePeers(t *testing.T) {
	w := newWorld(t, 4, 2, 40)
	o := w.options()
	l := defaultLimits
	l.queuedConn, l.queued, l.kept = 256<<10, 4<<20, 4<<20
	l.partialFrame, l.sweep = 300*time.Millisecond, 100*time.Millisecond
	o.limits = &l
	n := w.start(o)
	question := infoRequest(w, w.accountIn(0, 0))
	var many []byte
	for range 2000 {
		many = append(many, frame(question)...)
	}
	half := frame(make([]byte, 60_000))[:50_000]
	peers := map[string]func(c *net.TCPConn, random *rand.Rand){
		"never reads": func(c *net.TCPConn, _ *rand.Rand) {
			_ = c.SetReadBuffer(4096)
			for {
				if _, err := c.Write(many); err != nil {
					return
				}
			}
		},
		"never finishes": func(c *net.TCPConn, _ *rand.Rand) {
			_, _ = c.Write(half)
			_, _ = c.Read(make([]byte, 1))
		},
		"claims 4 GiB": func(c *net.TCPConn, _ *rand.Rand) { _, _ = c.Write([]byte{0xff, 0xff, 0xff, 0xff, 0}) },
		"claims one too many": func(c *net.TCPConn, _ *rand.Rand) {
			_, _ = c.Write(binary.LittleEndian.AppendUint32(nil, codec.DefaultMaxMessage+1))
		},
		"garbage": func(c *net.TCPConn, random *rand.Rand) {
			b := make([]byte, 1000)
			for i := range b {
				b[i] = byte(random.Uint32())
			}
			_, _ = c.Write(b)
		},
		"garbage in frames": func(c *net.TCPConn, random *rand.Rand) {
			for range 100 {
				b := make([]byte, random.IntN(300))
				for i := range b {
					b[i] = byte(random.Uint32() >> random.IntN(32))
				}
				if len(b) > 4 {
					binary.LittleEndian.PutUint32(b, random.Uint32N(8))
				}
				_, _ = c.Write(frame(b))
			}
		},
		"resets": func(c *net.TCPConn, _ *rand.Rand) {
			_ = c.SetLinger(0)
			_, _ = c.Write(append(frame(question), half...))
		},
	}
	var tooMuch atomic.Int64
	w.beside(1500*time.Millisecond, func(stop <-chan struct{}, run func(func())) {
		seed := uint64(0)
		for _, peer := range peers {
			seed++
			random := rand.New(rand.NewPCG(seed, 1))
			run(func() {
				for shard := 0; !stopped(stop); shard = 1 - shard {
					c, err := w.dialRaw(shard)
					if err != nil {
						t.Error(err)
						return
					}
					_ = c.SetDeadline(time.Now().Add(400 * time.Millisecond))
					peer(c, random)
					c.Close()
				}
			})
		}
		run(func() {
			for !stopped(stop) {
				for _, worker := range n.workers {
					worker.run(&task{func() {
						queued := 0
						for c := worker.conns.first; c != nil; c = c.next {
							queued += c.sock.OutboundBuffered()
						}
						if queued > worker.queueMax || worker.kept > worker.keepMax {
							tooMuch.Add(1)
						}
					}})
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
	})
	s := n.Stats()
	if tooMuch.Load() > 0 || s.Oversized == 0 {
		t.Errorf("bounds were passed %d times; stats %+v", tooMuch.Load(), s)
	}
}

// TestDatagramFlood sends garbage, forged orders and repeats as fast as it goes, from few sources, while honest clients
// are served over TCP and UDP.
func TestDatagramFlood(t *testing.T) {
	w := newWorld(t, 4, 2, 40)
	n := w.start(w.options())
	forged := codec.AppendOrder(nil, w.order(w.accountIn(0, 3), 0, 1, 0))
	forged[len(forged)-40] ^= 1
	flood := [][]byte{nil, {1, 2, 3}, make([]byte, 60_000), forged, infoRequest(w, 7),
		codec.AppendError(nil, &codec.Error{Code: codec.WrongShard}), make([]byte, 1)}
	w.beside(1500*time.Millisecond, func(stop <-chan struct{}, run func(func())) {
		for i := range 2 {
			c := w.dialUDP(i)
			run(func() {
				for k := 0; !stopped(stop); k++ {
					if _, err := c.Write(flood[k%len(flood)]); err != nil {
						runtime.Gosched()
					}
				}
			})
		}
		run(func() {
			c := w.dialUDP(0)
			for !stopped(stop) {
				if m := askUDP(t, c, infoRequest(w, w.accountIn(0, 0))); m.Kind != codec.KindInfoResponse {
					t.Errorf("honest datagram: %v", m.Error())
					return
				}
			}
		})
	})
	if n.hasFailed() || n.Stats().BadSignatures == 0 {
		t.Errorf("failed %v, stats %+v", n.failure, n.Stats())
	}
}

// TestNothingNewWhileStopping closes new connections, ignores what comes over old ones, and still answers what was in.
func TestNothingNewWhileStopping(t *testing.T) {
	w := newWorld(t, 4, 1, 24)
	n := w.loopless(w.options())
	worker := n.workers[0]
	s := worker.open(t)
	s.feed(frame(infoRequest(w, 0)))
	n.stopping.Store(true)
	s.feed(frame(infoRequest(w, 1)))
	if _, action := worker.OnOpen(&socket{w: worker, t: t}); action == 0 {
		t.Error("a new connection")
	}
	worker.drain()
	if r := s.replies(); len(r) != 1 || r[0].InfoResponse().Account != w.accounts[0].Public() {
		t.Errorf("%d replies", len(r))
	}
}
