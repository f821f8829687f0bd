package node

import (
	"context"
	"hash/maphash"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"

	"fastpay/crypto"
	"fastpay/node/authority"
	"fastpay/perf"
)

// worker is one event loop on one thread: the sockets of its shards, their state, and the batch that is being filled.
// Its fields belong to that thread, but for the last group.
type worker struct {
	node   *Node
	index  int
	shards []*shard       // those of this worker
	local  []*shard       // by shard number; nil for shards of others
	byPort map[int]*shard // port to shard

	now           time.Time // of this poll round
	conns         connList  // open connections
	queued        int       // bytes that connections have not taken, at most
	kept          int       // bytes of unfinished and held frames
	queueMax      int       // bounds of the two
	keepMax       int
	udp           *datagrams        // receive and send buffers
	suspects      suspects          // datagram sources that sent a bad signature
	batch         *batch            // being filled
	good, suspect *crypto.Verifier  // of its signatures: sources in good standing; those that sent a bad one lately
	posted        bool              // a drain is queued for the end of this poll round
	parked        []*batch          // applied, waiting to be durable; oldest first
	free          []*batch          // for reuse, without an intake
	freeIntakes   []*intake         // for reuse, the last one first: it is still in the caches
	inbox         []*inbox          // credits from other workers of this process, by worker
	incoming      []*inLink         // credits from shards of other processes
	log           authority.Log     // of its shards
	library       *librarian        // reads certificates back from the journal; nil without one
	reader        *authority.Reader // reads them from memory; nil with a journal

	owed         []bool     // other workers that credits were pushed to in this release
	owedLinks    []*outLink // links, the same
	creditRecord []byte     // of the credit that is being pushed

	credited      []credited // by other shards of this process; durable with creditedGroup
	creditedGroup uint64
	swept         int // shards that this round of sweeps has acknowledged

	freeReplies []*replyBuffer

	drainPosted, takePosted, retryPosted, sweepPosted, releasePosted, readPosted task // posted to the loop

	// Shared with other threads.
	engine  atomic.Pointer[gnet.Engine]
	booted  chan struct{}   // closed when all ports listen
	loop    gnet.EventLoop  // set before running
	ready   chan struct{}   // closed by the first event on the loop
	running atomic.Bool     // ready is closed, and the engine does not end
	thread  atomic.Int64    // the kernel's number of the loop's thread
	alive   context.Context // until the engine has ended
	end     context.CancelFunc
	wakeup  atomic.Bool // a credit for this worker has been announced
	// waitsFor is the group of the journal that the oldest parked batch needs, 0 for none; durableTold is set until the
	// worker looks.
	waitsFor    atomic.Uint64
	durableTold atomic.Bool
	holders     atomic.Int64 // connections that wait for certificates to be read
	stats       counters
	sizes       sizes
}

// shard is one logical shard with its place in a worker.
type shard struct {
	number    int
	core      *authority.Shard
	out       []*outLink  // to shards of other processes, by their numbers; nil for those of this one
	udpSocket int         // 0 until the first datagram
	signed    []signature // the votes' signatures of a batch, in order of tickets
	sizes     shardSizes
}

func newWorker(n *Node, index int) (*worker, error) {
	w := &worker{
		node:   n,
		index:  index,
		booted: make(chan struct{}),
		ready:  make(chan struct{}),
		local:  make([]*shard, n.Member.NumShards),
		byPort: make(map[int]*shard),
		now:    time.Now(),
	}
	w.queueMax = max(n.limits.queued/n.config.workers, n.limits.queuedConn)
	w.keepMax = max(n.limits.kept/n.config.workers, maxHeldConn)
	w.alive, w.end = context.WithCancel(context.Background())
	w.good, w.suspect = crypto.NewVerifier(n.keys), crypto.NewVerifier(n.keys)
	w.batch = newBatch(w)
	w.batch.intake = newIntake(w)
	w.udp = &datagrams{w: w}
	w.suspects.seed = maphash.MakeSeed()
	w.drainPosted.do, w.takePosted.do = w.drainAtEndOfRound, w.takePostedCredits
	w.retryPosted.do, w.sweepPosted.do = w.retryHeld, w.sweep
	w.releasePosted.do, w.readPosted.do = w.takeDurable, w.takeFetched
	if n.keeps() {
		w.log, w.library = provisional{w}, newLibrarian(w)
		return w, nil
	}
	ring, err := authority.NewRing(archiveBytes/n.config.workers, n.Committee)
	if err != nil {
		return nil, err
	}
	w.log, w.reader = ring, authority.NewReader(n.Committee, n.MaxMessage, ring.Read)
	return w, nil
}

func (w *worker) addShard(number int) {
	s := &shard{number: number}
	w.shards = append(w.shards, s)
	w.local[number] = s
	w.byPort[w.node.Member.BasePort+number] = s
}

func (w *worker) shard(number int) *shard { return w.local[number] }

// OnBoot runs when all ports are bound and listen. Another worker's failure may have stopped the node meanwhile: either
// stop sees this engine, or it sees the stop.
func (w *worker) OnBoot(e gnet.Engine) gnet.Action {
	w.engine.Store(&e)
	if w.node.stopping.Load() {
		return gnet.Shutdown
	}
	close(w.booted)
	return gnet.None
}

// OnShutdown runs when the engine begins to end, whoever ended it. A task posted after the engine has closed its
// descriptors would be announced through a number that may be somebody else's by then.
func (w *worker) OnShutdown(gnet.Engine) { w.running.Store(false) }

// enter runs at the first event on the loop's thread.
func (w *worker) enter(c gnet.Conn) {
	if w.loop != nil {
		return
	}
	w.loop = c.EventLoop()
	w.thread.Store(int64(perf.ThreadID()))
	w.node.nameThread("loop-" + strconv.Itoa(w.index))
	if cpus := w.node.cpus; cpus != nil {
		if err := perf.PinThread(cpus[w.index]); err != nil {
			w.node.log.Warn("thread not pinned", "cpu", cpus[w.index], "error", err)
		}
	}
	w.publishSizes()
	w.running.Store(true)
	close(w.ready)
	w.takePostedCredits() // clients of workers that were ready earlier have paid accounts of this one
}

// OnOpen counts connections: a failed accept would end the event loop, so descriptors must not run out.
func (w *worker) OnOpen(c gnet.Conn) ([]byte, gnet.Action) {
	w.enter(c)
	if w.node.stopping.Load() {
		return nil, gnet.Close
	}
	if w.node.connections.Add(1) > w.node.connLimit {
		w.node.connections.Add(-1)
		w.stats.connectionsRefused.Add(1)
		return nil, gnet.Close
	}
	port := c.LocalAddr().(*net.TCPAddr).Port
	conn := &conn{sock: c, shard: w.byPort[port], lastRead: w.now, fresh: true}
	c.SetContext(conn)
	w.conns.add(conn)
	w.stats.connections.Add(1)
	return nil, gnet.None
}

// OnClose may run inside a Write: the batch goes on holding the connection, marked as closed. The descriptor's number
// belongs to somebody else from here on.
func (w *worker) OnClose(c gnet.Conn, _ error) gnet.Action {
	if conn, ok := c.Context().(*conn); ok {
		conn.closed, conn.sock = true, nil
		if conn.holding {
			conn.stopHolding(w)
		}
		conn.dropWaiting(w)
		w.countKept(conn)
		w.conns.remove(conn)
		w.node.connections.Add(-1)
		w.stats.connections.Add(-1)
	}
	return gnet.None
}

// OnTraffic takes everything that was read. Batches are worked off here only when they are full; else at the end of the
// poll round.
func (w *worker) OnTraffic(c gnet.Conn) gnet.Action {
	w.enter(c)
	if w.node.stopping.Load() {
		_, _ = c.Next(-1)
		return gnet.None
	}
	data, _ := c.Next(-1)
	client, ok := c.Context().(*conn)
	if !ok {
		w.udp.receive(c, data)
		return gnet.None
	}
	w.stats.bytesIn += uint64(len(data))
	action := client.receive(w, data)
	w.countKept(client)
	if w.kept > w.keepMax {
		w.kept = w.shed(w.keepMax, func(c *conn) int { return c.kept })
	}
	return action
}

// OnTick runs off the loop.
func (w *worker) OnTick() (time.Duration, gnet.Action) {
	w.run(&w.sweepPosted)
	return w.node.limits.sweep, gnet.None
}

// task is something to do on the loop. Those that come with every batch are made once, so that posting them leaves little
// for the garbage collector.
type task struct{ do func() }

// Run implements gnet.Runnable.
func (t *task) Run(context.Context) error {
	t.do()
	return nil
}

// run queues t for the loop. From any thread. Before the loop's first event there is no loop to be had, and t is dropped.
func (w *worker) run(t *task) {
	if w.running.Load() {
		_ = w.loop.Execute(context.Background(), t) // an error means that the engine has ended
	}
}

// postDrain queues the work for the end of this poll round: whatever arrives meanwhile joins the batch.
func (w *worker) postDrain() {
	if w.posted {
		return
	}
	w.posted = true
	w.run(&w.drainPosted)
}

func (w *worker) drainAtEndOfRound() {
	w.posted = false
	w.drain()
	w.now = time.Now()
}

// drain works off the batch that has been filled, and the credits that have come in.
func (w *worker) drain() {
	w.takeCredits()
	if w.batch.empty() && len(w.batch.arrived) == 0 {
		return
	}
	began := time.Now()
	w.now = began
	b := w.batch
	w.waitsFor.Store(0) // it looks itself, between the steps: what has become durable need not wait for the whole batch
	w.releaseDurable()
	b.verify()
	w.releaseDurable()
	b.apply()
	w.releaseDurable()
	b.sign()
	w.stats.publish(&b.tally, len(b.requests)) // before a reply lets a client ask for them
	w.commit(b)
	w.release()
	w.stats.publishTraffic(time.Since(began))
}

// countKept updates what the worker's connections keep.
func (w *worker) countKept(c *conn) {
	kept := cap(c.tail) + cap(c.held)
	if c.closed {
		kept = 0
	}
	w.kept += kept - c.kept
	c.kept = kept
}
