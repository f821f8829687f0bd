package node

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/link"
)

var stubPair = link.Pair{From: 1, To: 0}

const stubVotes = 3

// payerStub is the sending end of a link without a node: its journal is a slice.
type payerStub struct {
	links   *links
	out     *outLink
	mu      sync.Mutex
	journal []codec.Certificate // of credits 1, 2, ...
	failed  chan error
}

// payeeStub is the receiving end: it applies credits in a goroutine, as a worker does on its loop.
type payeeStub struct {
	links    *links
	in       *inLink
	listener net.Listener
	wake     chan struct{}
	deaf     atomic.Bool // takes nothing
	stop     chan struct{}
	running  sync.WaitGroup
	mu       sync.Mutex
	applied  []codec.Certificate
	chain    link.Chain
	failed   chan error
}

func stubHello(key *crypto.PrivateKey) link.Hello {
	return link.Hello{Authority: key.Public(), Pair: stubPair, Shards: 2, Log: link.LogID{1}, Next: 1}
}

// startPayer makes the sending end, with what its journal holds.
func startPayer(t *testing.T, key *crypto.PrivateKey, address string, journal []codec.Certificate,
	acked link.Acknowledgement) *payerStub {
	t.Helper()
	ls, err := newLinks(key, stubVotes, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	h := stubHello(key)
	h.Next, h.Acknowledged, h.Chain = uint64(len(journal))+1, acked.Number, acked.Chain
	p := &payerStub{links: ls, out: ls.addOut(h, address), journal: journal, failed: make(chan error, 1)}
	p.out.readBack = p.readBack
	p.out.fail = func(err error) {
		select {
		case p.failed <- err:
		default:
		}
	}
	ls.start()
	t.Cleanup(ls.stop)
	return p
}

func (p *payerStub) readBack(_ context.Context, number uint64, to *creditChunk) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for ; to.next() <= uint64(len(p.journal)) && !to.full(); to.end() {
		to.bytes = append(to.bytes, p.journal[to.next()-1].Bytes()...)
	}
	return nil
}

// pay makes a credit durable and sends it.
func (p *payerStub) pay(cert codec.Certificate) {
	p.mu.Lock()
	p.journal = append(p.journal, cert)
	n := len(p.journal)
	p.mu.Unlock()
	p.out.send(uint64(n), cert.Bytes())
	p.out.announce()
}

func (p *payerStub) acknowledged() uint64 { return p.out.acknowledged().Number }

// startPayee makes the receiving end, with what it has applied.
func startPayee(t *testing.T, key *crypto.PrivateKey, address string, applied []codec.Certificate) *payeeStub {
	t.Helper()
	ls, err := newLinks(key, stubVotes, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	p := &payeeStub{links: ls, wake: make(chan struct{}, 1), stop: make(chan struct{}), applied: applied,
		failed: make(chan error, 1)}
	for _, c := range applied {
		p.chain = p.chain.Next(c.Order())
	}
	p.in = ls.addIn(link.ReceiverOptions{Authority: key.Public(), Pair: stubPair, Shards: 2, Log: link.LogID{2}},
		link.Acknowledgement{Number: uint64(len(applied)), Chain: p.chain})
	p.in.wake = func() { token(p.wake) }
	p.in.fail = func(err error) { p.failed <- err }
	if p.listener, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	p.running.Go(p.listen)
	p.running.Go(p.work)
	t.Cleanup(p.end)
	return p
}

// end stops the payee; what it has applied stays.
func (p *payeeStub) end() {
	select {
	case <-p.stop:
		return
	default:
	}
	close(p.stop)
	p.listener.Close()
	p.links.stop()
	p.running.Wait()
}

// listen does what an event loop does with a connection that begins with TLS.
func (p *payeeStub) listen() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() {
			defer c.Close()
			first := make([]byte, clientHelloBytes)
			if _, err := io.ReadFull(c, first); err != nil {
				return
			}
			if yes, _ := beginsTLS(first); yes {
				f, err := c.(*net.TCPConn).File()
				if err != nil {
					return
				}
				defer f.Close()
				descriptor, err := dupDescriptor(f)
				if err == nil {
					p.links.accept(descriptor, first, stubPair.To)
				}
			}
		})
	}
}

// work applies credits and makes them durable, some at a time.
func (p *payeeStub) work() {
	for {
		select {
		case <-p.wake:
		case <-time.After(10 * time.Millisecond):
		case <-p.stop:
			return
		}
		if p.deaf.Load() {
			continue
		}
		p.mu.Lock()
		for {
			number, bytes, ok := p.in.arrived()
			if !ok {
				break
			}
			if number == uint64(len(p.applied))+1 { // others are repeats
				cert, err := codec.ParseCertificate(slices.Clone(bytes))
				if err != nil {
					panic(err)
				}
				p.applied, p.chain = append(p.applied, cert), p.chain.Next(cert.Order())
			} else if number > uint64(len(p.applied)) {
				panic("a gap")
			}
		}
		durable := link.Acknowledgement{Number: uint64(len(p.applied)), Chain: p.chain}
		p.mu.Unlock()
		p.in.done()
		p.in.durable(durable)
	}
}

func (p *payeeStub) credits() []codec.Certificate {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.applied)
}

// stubCredits are certificates that differ.
func stubCredits(from, n int) (all []codec.Certificate) {
	for i := range n {
		sig := crypto.Signature{byte(from + i), byte((from + i) >> 8), byte((from + i) >> 16)}
		tr := codec.Transfer{SequenceNumber: uint64(from + i), Amount: 1}
		all = append(all, codec.NewCertificate(codec.NewOrder(&tr, &sig), make([]codec.VoteEntry, stubVotes)))
	}
	return all
}

// wantCredits demands that exactly these were applied, in order.
func (p *payeeStub) wantCredits(t *testing.T, want []codec.Certificate) {
	t.Helper()
	eventually(t, "all credits", func() bool { return len(p.credits()) >= len(want) })
	same := func(a, b codec.Certificate) bool { return string(a.Bytes()) == string(b.Bytes()) }
	if !slices.EqualFunc(p.credits(), want, same) {
		t.Fatalf("other credits were applied than the %d that were issued", len(want))
	}
}

// cutter is a proxy that breaks what it carries.
type cutter struct {
	net.Listener
	to      string
	mu      sync.Mutex
	conns   []net.Conn
	refuses bool
	running sync.WaitGroup
}

func newCutter(t *testing.T, to string) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{Listener: l, to: to}
	c.running.Go(c.run)
	t.Cleanup(func() {
		l.Close()
		c.cut()
		c.running.Wait()
	})
	return c
}

func (c *cutter) run() {
	for {
		a, err := c.Accept()
		if err != nil {
			return
		}
		b, err := net.Dial("tcp", c.to)
		c.mu.Lock()
		if err != nil || c.refuses {
			a.Close()
			if err == nil {
				b.Close()
			}
			c.mu.Unlock()
			continue
		}
		c.conns = append(c.conns, a, b)
		c.mu.Unlock()
		carry := func(to, from net.Conn) {
			_, err := io.Copy(to, from)
			if !errors.Is(err, net.ErrClosed) {
				to.Close()
			}
		}
		c.running.Go(func() { carry(a, b) })
		c.running.Go(func() { carry(b, a) })
	}
}

// cut breaks all connections.
func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		conn.Close()
	}
	c.conns = nil
}
