package node

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Stats are counts since the start, over all workers. A window's figures are differences.
type Stats struct {
	Orders            uint64 `json:"orders"`              // transfer orders that were answered with a vote, repeats included
	Certificates      uint64 `json:"certificates"`        // confirmation orders that were settled, repeats included
	Infos             uint64 `json:"infos"`               // info requests answered
	Rejected          uint64 `json:"rejected"`            // requests answered with an error, or not at all
	Votes             uint64 `json:"votes"`               // votes signed
	Signatures        uint64 `json:"signatures"`          // signatures checked
	BadSignatures     uint64 `json:"bad_signatures"`      // requests refused for one
	Credits           uint64 `json:"credits"`             // credits taken from other workers and processes
	CappedCredits     uint64 `json:"capped_credits"`      // credits cut because a balance would exceed 128 bits
	CrossShardRefused uint64 `json:"cross_shard_refused"` // credits that came to a public port, and were dropped
	OutboxFull        uint64 `json:"outbox_full"`         // credits to other processes that were read back from the journal
	LinksRefused      uint64 `json:"links_refused"`       // connections that did not prove to be a sibling's
	Batches           uint64 `json:"batches"`
	Requests          uint64 `json:"requests"`      // in those batches
	BusyNs            uint64 `json:"busy_ns"`       // time spent in batches
	BatchP999Ns       uint64 `json:"batch_p999_ns"` // longest that a loop was blocked by a batch, 99.9 %, to a power of two
	BytesIn           uint64 `json:"bytes_in"`
	BytesOut          uint64 `json:"bytes_out"`
	Connections       int64  `json:"connections"` // open now
	Refused           uint64 `json:"connections_refused"`
	Timeouts          uint64 `json:"timeouts"`          // connections closed as idle, or in a frame
	SlowReaders       uint64 `json:"slow_readers"`      // connections closed for what they did not read, or made the node keep
	Oversized         uint64 `json:"oversized"`         // connections closed for a frame beyond the limit
	DatagramsDropped  uint64 `json:"datagrams_dropped"` // replies that the kernel did not take

	// Of the journal; 0 without one.
	Commits        uint64 `json:"commits"`         // groups of records, each made durable by one write that syncs
	JournalRecords uint64 `json:"journal_records"` // in those groups
	JournalBytes   uint64 `json:"journal_bytes"`   // of those groups, padding included
	JournalNs      uint64 `json:"journal_ns"`      // time in writing and syncing them
	CommitP999Ns   uint64 `json:"commit_p999_ns"`  // longest that one took, 99.9 %, up to a sixteenth too much
	Snapshots      uint64 `json:"snapshots"`       // that were made
}

// counters are one worker's, published once a batch: written by its thread, read from any.
type counters struct {
	orders, certificates, infos, rejected, votes, signatures, badSignatures atomic.Uint64
	credits, crossShardRefused, batches, requests, busyNs                   atomic.Uint64
	published                                                               struct{ in, out atomic.Uint64 }
	connections                                                             atomic.Int64
	connectionsRefused, timeouts, slowReaders, oversized, datagramsDropped  atomic.Uint64
	cappedCredits, readErrors, readsFull                                    atomic.Uint64
	duration                                                                [64]atomic.Uint64 // batches by the bits of their nanoseconds

	bytesIn, bytesOut uint64 // of the worker's thread alone
}

// tally is what one batch counts.
type tally struct {
	orders, certificates, infos, rejected, votes, signatures, badSignatures int
	credits, readsFull                                                      int
}

func (t *tally) order(accepted bool) {
	if accepted {
		t.orders++
	} else {
		t.rejected++
	}
}

func (t *tally) info(accepted bool) {
	if accepted {
		t.infos++
	} else {
		t.rejected++
	}
}

func (t *tally) certificate(accepted bool) {
	if accepted {
		t.certificates++
	} else {
		t.rejected++
	}
}

// publish adds a batch.
func (c *counters) publish(t *tally, requests int) {
	for _, p := range [...]struct {
		to *atomic.Uint64
		n  int
	}{
		{&c.orders, t.orders}, {&c.certificates, t.certificates}, {&c.infos, t.infos}, {&c.rejected, t.rejected},
		{&c.votes, t.votes}, {&c.signatures, t.signatures}, {&c.badSignatures, t.badSignatures}, {&c.credits, t.credits},
		{&c.readsFull, t.readsFull},
		{&c.batches, 1}, {&c.requests, requests},
	} {
		if p.n != 0 {
			p.to.Add(uint64(p.n))
		}
	}
}

// publishTraffic adds what is known once a batch's replies have left: how long it blocked the loop, and the bytes.
func (c *counters) publishTraffic(took time.Duration) {
	c.busyNs.Add(uint64(took))
	c.published.in.Store(c.bytesIn)
	c.published.out.Store(c.bytesOut)
	c.duration[bits.Len64(uint64(took))%64].Add(1)
}

// Stats reads the counters; cheap, from any goroutine, at any time.
func (n *Node) Stats() (s Stats) {
	var duration [64]uint64
	for _, w := range n.workers {
		c := &w.stats
		for _, p := range [...]struct {
			to   *uint64
			from *atomic.Uint64
		}{
			{&s.Orders, &c.orders}, {&s.Certificates, &c.certificates}, {&s.Infos, &c.infos}, {&s.Rejected, &c.rejected},
			{&s.Votes, &c.votes}, {&s.Signatures, &c.signatures}, {&s.BadSignatures, &c.badSignatures},
			{&s.Credits, &c.credits}, {&s.CappedCredits, &c.cappedCredits}, {&s.CrossShardRefused, &c.crossShardRefused},
			{&s.Batches, &c.batches}, {&s.Requests, &c.requests}, {&s.BusyNs, &c.busyNs},
			{&s.BytesIn, &c.published.in}, {&s.BytesOut, &c.published.out}, {&s.Refused, &c.connectionsRefused},
			{&s.Timeouts, &c.timeouts}, {&s.SlowReaders, &c.slowReaders}, {&s.Oversized, &c.oversized},
			{&s.DatagramsDropped, &c.datagramsDropped},
		} {
			*p.to += p.from.Load()
		}
		s.Connections += c.connections.Load()
		for i := range duration {
			duration[i] += c.duration[i].Load()
		}
	}
	if n.links != nil {
		s.OutboxFull = n.links.stats.readBack.Load()
		s.LinksRefused = n.links.stats.handshakesFailed.Load()
	}
	s.BatchP999Ns = quantile(&duration, s.Batches)
	if j := n.journal(); j != nil {
		written := j.Stats()
		s.Commits, s.JournalRecords, s.JournalBytes = written.Groups, written.Records, written.Bytes
		s.JournalNs, s.CommitP999Ns = uint64(written.Written), uint64(written.Quantile(0.999))
		s.Snapshots = n.store.snapshots.Load()
	}
	return s
}

// quantile is the power of two that 99.9 % of the batches stayed below.
func quantile(duration *[64]uint64, total uint64) uint64 {
	left := total / 1000
	for i := len(duration) - 1; i >= 0; i-- {
		if duration[i] > left {
			return 1 << i
		}
		left -= duration[i]
	}
	return 0
}
