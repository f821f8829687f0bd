package node

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/big"
	"net"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/panjf2000/gnet/v2"

	"fastpay/codec"
	"fastpay/node/authority"
	"fastpay/node/committee"
	"fastpay/node/journal"
)

// Node is a running authority, or some of its shards.
type Node struct {
	config
	log         *slog.Logger
	workers     []*worker
	byShard     []*worker // nil for shards of other processes
	connections atomic.Int64
	connLimit   int64
	stopping    atomic.Bool
	stopOnce    sync.Once
	claims      []net.Listener // hold the names of (key, shard) on this machine
	store       *store         // nil without a data directory
	adding      bool           // it does not run: accounts are added to its journal
	seed        [2]uint64      // of the tables' hashes
	links       *links         // nil for a process that runs all shards

	ended    chan struct{} // closed when all engines returned, and what they made is on the disk
	failOnce sync.Once
	failed   chan struct{} // closed when failure is set
	failure  error
	engines  sync.WaitGroup
}

// Start loads the accounts, opens every port and returns once all of them accept. The node runs until Stop, or until it
// fails; Wait tells.
func Start(options Options) (*Node, error) {
	c, err := options.check()
	if err != nil {
		return nil, err
	}
	n := newNode(c)
	if n.claims, err = claimShards(&c.Member.Name, c.shards); err != nil {
		return nil, err
	}
	if err = n.start(); err != nil {
		n.releaseClaims()
		return nil, err
	}
	return n, nil
}

func newNode(c *config) *Node {
	return &Node{
		config: *c, log: c.Logger, byShard: make([]*worker, c.Member.NumShards),
		ended: make(chan struct{}), failed: make(chan struct{}),
	}
}

func (n *Node) start() error {
	for _, s := range n.shards {
		if err := ProbePort(n.BindHost, n.Member.BasePort+s); err != nil {
			return err
		}
	}
	var err error
	if n.connLimit, err = connectionLimit(n.ownDescriptors()); err != nil {
		return err
	}
	if n.limits.connections > 0 {
		n.connLimit = min(n.connLimit, n.limits.connections)
	}
	if n.DataDir != "" {
		if n.store, err = openStore(n); err != nil {
			return err
		}
	}
	err = n.prepare()
	if err == nil && n.keeps() {
		err = n.store.serve()
	}
	if err == nil {
		err = n.listen()
	}
	if err != nil {
		if failure := n.Stop(context.Background()); failure != nil { // what did start ends before the caller hears of it
			return failure // the cause, of which err may be a consequence
		}
		return err
	}
	go n.supervise()
	return nil
}

// prepare makes the workers and brings the shards to their state.
func (n *Node) prepare() error {
	if err := n.makeWorkers(); err != nil {
		return err
	}
	if n.keeps() {
		if err := n.store.recover(); err != nil {
			return err
		}
		return n.connectSiblings()
	}
	return n.loadAccounts(math.MaxUint64, n.fund)
}

// fund makes an account in its shard, which is of this process.
func (n *Node) fund(account *codec.Address, balance codec.Balance) error {
	s := committee.ShardOf(account, n.Member.NumShards)
	return n.byShard[s].shard(s).core.Fund(account, balance)
}

// keeps reports whether there is to be a journal.
func (n *Node) keeps() bool { return n.Durability != DurabilityNone }

// journal is that of the process, nil without one.
func (n *Node) journal() *journal.Journal {
	if n.store == nil {
		return nil
	}
	return n.store.journal
}

func (n *Node) makeWorkers() error {
	var seed [16]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return fmt.Errorf("node: random seed: %w", err)
	}
	n.seed = [2]uint64{binary.LittleEndian.Uint64(seed[:8]), binary.LittleEndian.Uint64(seed[8:])}
	for i := range n.config.workers {
		w, err := newWorker(n, i)
		if err != nil {
			return err
		}
		n.workers = append(n.workers, w)
	}
	for i, s := range n.shards {
		w := n.workers[i%len(n.workers)]
		n.byShard[s] = w
		w.addShard(s)
	}
	for _, w := range n.workers {
		w.connectShards()
	}
	return n.makeCores()
}

// makeCores gives each shard an empty state.
func (n *Node) makeCores() error {
	for _, w := range n.workers {
		for _, s := range w.shards {
			core, err := authority.New(authority.Options{
				Committee:        n.Committee,
				Name:             n.Member.Name,
				Shard:            s.number,
				NumShards:        n.Member.NumShards,
				MaxMessage:       n.MaxMessage,
				Log:              w.log,
				ExpectedAccounts: n.ExpectedAccounts / n.Member.NumShards,
				HashSeed:         n.seed,
			})
			if err != nil {
				return err
			}
			s.core = core
		}
	}
	return nil
}

// archiveBytes is the memory for settled certificates, shared by the workers of a process: some 500,000 with a committee
// of 4. Older ones are forgotten while there is no journal.
const archiveBytes = 256 << 20

// loadAccounts gives fund those of the first most initial accounts that are of this process's shards.
func (n *Node) loadAccounts(most uint64, fund func(*codec.Address, codec.Balance) error) error {
	if n.Accounts == nil {
		return nil
	}
	supply := new(big.Int)
	for account, balance := range n.Accounts {
		if most == 0 {
			break
		}
		most--
		if err := checkSupply(supply, balance.Big()); err != nil {
			return err
		}
		if n.byShard[committee.ShardOf(&account, n.Member.NumShards)] == nil {
			continue
		}
		if err := fund(&account, balance); err != nil {
			return err
		}
	}
	return nil
}

// listen starts one engine a worker, and connects to each port once: that shows that it accepts, and gives the worker
// its event loop before any client comes.
func (n *Node) listen() error {
	for _, w := range n.workers {
		n.engines.Add(1)
		go n.runEngine(w)
	}
	for _, w := range n.workers {
		if err := n.await(w.booted); err != nil {
			return err
		}
	}
	for _, s := range n.shards {
		if err := n.knock(s); err != nil {
			return err
		}
	}
	for _, w := range n.workers {
		if err := n.await(w.ready); err != nil {
			return err
		}
	}
	if n.links != nil {
		n.links.start()
	}
	n.Accounts = nil // what it yields from may be large
	return nil
}

// await waits for a step of the start. An engine that can't take it ends, and may do so long after it has booted: it
// says so before it makes its event loop.
func (n *Node) await(step <-chan struct{}) error {
	select {
	case <-step:
		return nil
	case <-n.failed:
		return n.failure
	}
}

// supervise ends the node when a part of it has failed.
func (n *Node) supervise() {
	select {
	case <-n.failed:
		_ = n.Stop(context.Background())
	case <-n.ended:
	}
}

func (n *Node) runEngine(w *worker) {
	defer n.engines.Done()
	defer w.end()
	var addresses []string
	for _, s := range w.shards {
		hostPort := n.listenAddress(s.number)
		addresses = append(addresses, "tcp://"+hostPort, "udp://"+hostPort)
	}
	err := gnet.Rotate(w, addresses,
		gnet.WithNumEventLoop(1), gnet.WithLockOSThread(true),
		gnet.WithReusePort(true), gnet.WithReuseAddr(true),
		gnet.WithReadBufferCap(readBufferBytes), gnet.WithTCPNoDelay(gnet.TCPNoDelay),
		gnet.WithTicker(true), gnet.WithLogger(quietLogger{}))
	w.udp.free()
	if err == nil && !n.stopping.Load() {
		err = errors.New("event loop ended (out of file descriptors?)")
	}
	if err != nil {
		n.fail(fmt.Errorf("node: worker %d: %w", w.index, err))
	}
}

// quietLogger drops the event loop library's messages: what matters reaches Wait as an error.
type quietLogger struct{}

func (quietLogger) Debugf(string, ...any) {}
func (quietLogger) Infof(string, ...any)  {}
func (quietLogger) Warnf(string, ...any)  {}
func (quietLogger) Errorf(string, ...any) {}
func (quietLogger) Fatalf(string, ...any) {}

func (n *Node) listenAddress(shard int) string {
	host := n.BindHost
	if host == "" {
		host = "0.0.0.0"
	}
	return net.JoinHostPort(host, strconv.Itoa(n.Member.BasePort+shard))
}

func (n *Node) knock(shard int) error {
	host := n.BindHost
	switch ip := net.ParseIP(host); {
	case host == "" || ip.Equal(net.IPv4zero):
		host = "127.0.0.1"
	case ip.Equal(net.IPv6unspecified):
		host = "::1"
	}
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(host, strconv.Itoa(n.Member.BasePort+shard)), linkTimeout)
	if err != nil {
		return fmt.Errorf("node: port %d does not accept: %w", n.Member.BasePort+shard, err)
	}
	return conn.Close()
}

// Shards are the shards that this process runs, in order.
func (n *Node) Shards() []int { return n.shards }

// SpareProcs are what GOMAXPROCS has to be beyond the event loops, for commits, snapshots and the garbage collector. While one
// of them is idle, the runtime leaves those that wait in the kernel alone. Else its monitor takes the processor from whoever
// commits, wakes a thread for it that finds nothing to do, and looks every 20 us for more, which interrupts the loops.
const SpareProcs = 6

// Workers is the number of event loops, each locked to a thread, for which GOMAXPROCS has to have one.
func (n *Node) Workers() int { return len(n.workers) }
