package node

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/panjf2000/gnet/v2"

	"fastpay/codec"
	"fastpay/node/journal"
)

// A loopless node has workers without event loops: a test feeds them and works off their batches itself, so that it
// decides what meets what in a batch.
func (w *world) loopless(o Options) *Node {
	w.t.Helper()
	n, err := w.tryLoopless(o)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// tryLoopless is loopless for a start that may fail. Nothing is left open then.
func (w *world) tryLoopless(o Options) (*Node, error) {
	c, err := o.check()
	if err != nil {
		return nil, err
	}
	c.cpus = nil // the test's thread is not pinned
	n := newNode(c)
	if n.keeps() {
		if n.store, err = openStore(n); err != nil {
			return nil, err
		}
	}
	if err := n.prepare(); err != nil {
		if n.store != nil {
			_ = n.store.close() // err is the cause
		}
		return nil, err
	}
	n.connLimit = 1000
	return n, nil
}

// durable are options for a node with a journal in memory, which a test commits itself.
func (w *world) durable(mem *journal.MemFS, shards ...int) Options {
	o := w.options(shards...)
	o.Durability, o.DataDir = DurabilitySync, w.t.TempDir()
	l := tiny
	l.commitHere = 0
	o.limits = &l
	o.openFS = func(path string) (journal.FS, error) {
		if strings.HasPrefix(filepath.Base(path), folderPrefix) {
			return mem, nil
		}
		return journal.OpenDir(path)
	}
	return o
}

// socket stands in for a connection of the event loop library.
type socket struct {
	gnet.Conn
	w       *worker
	t       testing.TB
	context any
	input   []byte
	written []byte
	queued  int  // what the peer has not taken
	deaf    bool // the peer takes nothing: all that is written is queued
	broken  bool // writing fails
	closed  bool
}

type socketLoop struct{ gnet.EventLoop }

// Execute drops tasks: the test runs them.
func (socketLoop) Execute(context.Context, gnet.Runnable) error { return nil }

func (socketLoop) Close(c gnet.Conn) error {
	s := c.(*socket)
	if !s.closed {
		s.closed = true
		s.w.OnClose(s, nil)
	}
	return nil
}

func (s *socket) Context() any     { return s.context }
func (s *socket) SetContext(c any) { s.context = c }
func (s *socket) LocalAddr() net.Addr {
	return &net.TCPAddr{Port: s.w.node.Member.BasePort + s.w.shards[0].number}
}
func (s *socket) EventLoop() gnet.EventLoop { return socketLoop{} }
func (s *socket) OutboundBuffered() int     { return s.queued }
func (s *socket) Next(int) ([]byte, error)  { return s.input, nil }
func (s *socket) Write(p []byte) (int, error) {
	if s.closed {
		s.t.Error("written to after it was closed: the descriptor may be somebody else's")
	}
	if s.broken {
		_ = socketLoop{}.Close(s)
		return 0, errors.New("broken pipe")
	}
	if s.deaf {
		s.queued += len(p)
	}
	s.written = append(s.written, p...)
	return len(p), nil
}

// open makes a connection to the first shard of a loopless worker.
func (w *worker) open(t testing.TB) *socket {
	s := &socket{w: w, t: t}
	if _, action := w.OnOpen(s); action != gnet.None {
		t.Fatal("connection refused")
	}
	return s
}

func (s *socket) conn() *conn { return s.context.(*conn) }

// feed lets the worker read data.
func (s *socket) feed(data ...[]byte) {
	s.input = nil
	for _, d := range data {
		s.input = append(s.input, d...)
	}
	if s.w.OnTraffic(s) == gnet.Close {
		_ = socketLoop{}.Close(s)
	}
}

// replies takes what was written apart.
func (s *socket) replies() (all []*codec.Message) {
	s.t.Helper()
	for len(s.written) > 0 {
		m, rest, ok, err := codec.TakeFrame(s.written, codec.DefaultMaxMessage)
		if !ok || err != nil {
			s.t.Fatalf("replies are not frames: %x", s.written)
		}
		s.written = rest
		all = append(all, decode(s.t, m))
	}
	return all
}
