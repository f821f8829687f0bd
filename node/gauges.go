package node

import "sync/atomic"

// Gauges are what a node holds now. Sizes that belong to a worker's thread are as of its last sweep, once a second.
type Gauges struct {
	Shards           []ShardGauges // that this process runs, by number
	QueuedBytes      int64         // replies that clients have not taken
	KeptBytes        int64         // of frames that are not whole, or wait until certificates are read
	Holders          int64         // connections that wait until certificates are read
	CreditQueueBytes int64         // credits between workers that are not applied yet
	OutboxBytes      int64         // credits that wait in memory for a link to another process
	OutboxCredits    uint64        // credits to other processes that are not acknowledged yet
	Links            int64         // to shards of other processes
	LinksUp          int64         // those that are connected
	Parked           int64         // batches whose replies wait for the journal

	// BatchDurations counts batches by how long they blocked their loop, since the start: entry i counts those of
	// 2^(i-1) ns up to, and without, 2^i ns.
	BatchDurations [64]uint64
}

// ShardGauges are the sizes of one shard.
type ShardGauges struct {
	Number   int
	Accounts int64
	Pending  int64 // orders signed and not yet confirmed
}

// sizes are a worker's, published by its thread at a sweep.
type sizes struct{ queued, kept, parked atomic.Int64 }

// shardSizes are a shard's, published by its worker's thread at a sweep.
type shardSizes struct{ accounts, pending atomic.Int64 }

// publishSizes is for the worker's thread.
func (w *worker) publishSizes() {
	w.sizes.queued.Store(int64(w.queued))
	w.sizes.kept.Store(int64(w.kept))
	w.sizes.parked.Store(int64(len(w.parked)))
	for _, s := range w.shards {
		stats := s.core.Stats()
		s.sizes.accounts.Store(int64(stats.Accounts))
		s.sizes.pending.Store(int64(stats.Pending))
	}
}

// Gauges reads the sizes; cheap, from any goroutine, at any time.
func (n *Node) Gauges() (g Gauges) {
	for _, w := range n.workers {
		g.QueuedBytes += w.sizes.queued.Load()
		g.KeptBytes += w.sizes.kept.Load()
		g.Parked += w.sizes.parked.Load()
		g.Holders += w.holders.Load()
		for _, in := range w.inbox {
			if in != nil {
				g.CreditQueueBytes += in.ring.used()
			}
		}
		for i := range g.BatchDurations {
			g.BatchDurations[i] += w.stats.duration[i].Load()
		}
	}
	if n.links != nil {
		n.links.gauge(&g)
	}
	for _, s := range n.shards {
		sizes := &n.byShard[s].shard(s).sizes
		g.Shards = append(g.Shards, ShardGauges{Number: s, Accounts: sizes.accounts.Load(), Pending: sizes.pending.Load()})
	}
	return g
}

// used is how many bytes are pushed and not released, from any goroutine. The tail is read first: it never passes a head
// that is read later.
func (r *ring) used() int64 {
	tail := r.tail.Load()
	return int64(r.head.Load() - tail)
}

// Stopping reports whether the node has begun to stop, or has failed.
func (n *Node) Stopping() bool { return n.stopping.Load() || n.hasFailed() }
