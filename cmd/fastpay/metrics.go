package main

import (
	"runtime"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"fastpay/crypto"
	"fastpay/node"
	"fastpay/perf"
)

// nodeMetric is one of a node's counts as a metric.
type nodeMetric struct {
	name, help string
	kind       prometheus.ValueType
	value      func(*node.Stats) float64
}

// nodeMetrics has every field of node.Stats; a test holds that.
var nodeMetrics = []nodeMetric{
	counter("orders", "Transfer orders that were answered with a vote.", func(s *node.Stats) uint64 { return s.Orders }),
	counter("certificates", "Confirmation orders that were settled.", func(s *node.Stats) uint64 { return s.Certificates }),
	counter("infos", "Info requests that were answered.", func(s *node.Stats) uint64 { return s.Infos }),
	counter("rejected", "Requests answered with an error, or not at all.", func(s *node.Stats) uint64 { return s.Rejected }),
	counter("votes_signed", "Votes signed.", func(s *node.Stats) uint64 { return s.Votes }),
	counter("signatures_checked", "Signatures checked.", func(s *node.Stats) uint64 { return s.Signatures }),
	counter("bad_signatures", "Requests refused for a signature.", func(s *node.Stats) uint64 { return s.BadSignatures }),
	counter("credits", "Credits taken from other workers and processes.", func(s *node.Stats) uint64 { return s.Credits }),
	counter("credits_capped", "Credits cut at the largest balance.", func(s *node.Stats) uint64 { return s.CappedCredits }),
	counter("credits_refused", "Credits that came to a public port, and were dropped.",
		func(s *node.Stats) uint64 { return s.CrossShardRefused }),
	counter("outbox_full", "Credits to other processes that were read back from the journal.",
		func(s *node.Stats) uint64 { return s.OutboxFull }),
	counter("links_refused", "Connections that did not prove to be a sibling's.", func(s *node.Stats) uint64 { return s.LinksRefused }),
	counter("batches", "Batches of requests.", func(s *node.Stats) uint64 { return s.Batches }),
	counter("requests", "Requests in batches.", func(s *node.Stats) uint64 { return s.Requests }),
	{"fastpay_busy_seconds_total", "Time that event loops spent in batches.", prometheus.CounterValue,
		func(s *node.Stats) float64 { return float64(s.BusyNs) / 1e9 }},
	{"fastpay_batch_p999_seconds", "What 99.9 % of batches since the start took at most, to a power of two.", prometheus.GaugeValue,
		func(s *node.Stats) float64 { return float64(s.BatchP999Ns) / 1e9 }},
	counter("received_bytes", "Bytes received from clients.", func(s *node.Stats) uint64 { return s.BytesIn }),
	counter("sent_bytes", "Bytes sent to clients.", func(s *node.Stats) uint64 { return s.BytesOut }),
	{"fastpay_connections", "Connections that are open.", prometheus.GaugeValue,
		func(s *node.Stats) float64 { return float64(s.Connections) }},
	counter("connections_refused", "Connections refused for want of descriptors.", func(s *node.Stats) uint64 { return s.Refused }),
	counter("connections_timed_out", "Connections closed as idle, or within a frame.", func(s *node.Stats) uint64 { return s.Timeouts }),
	counter("connections_slow", "Connections closed for what they did not read, or made the node keep.",
		func(s *node.Stats) uint64 { return s.SlowReaders }),
	counter("connections_oversized", "Connections closed for a frame beyond the limit.",
		func(s *node.Stats) uint64 { return s.Oversized }),
	counter("datagrams_dropped", "Replies that the kernel did not take.", func(s *node.Stats) uint64 { return s.DatagramsDropped }),
	counter("journal_commits", "Groups of records made durable, each by one write that syncs.",
		func(s *node.Stats) uint64 { return s.Commits }),
	counter("journal_records", "Records made durable.", func(s *node.Stats) uint64 { return s.JournalRecords }),
	counter("journal_bytes", "Bytes of the groups made durable.", func(s *node.Stats) uint64 { return s.JournalBytes }),
	{"fastpay_journal_commit_seconds_total", "Time in writing and syncing groups.", prometheus.CounterValue,
		func(s *node.Stats) float64 { return float64(s.JournalNs) / 1e9 }},
	{"fastpay_journal_commit_p999_seconds", "What writing and syncing took at most, for 99.9 % of the groups since the start.",
		prometheus.GaugeValue, func(s *node.Stats) float64 { return float64(s.CommitP999Ns) / 1e9 }},
	counter("snapshots", "Snapshots made since the start.", func(s *node.Stats) uint64 { return s.Snapshots }),
}

func counter(name, help string, value func(*node.Stats) uint64) nodeMetric {
	return nodeMetric{"fastpay_" + name + "_total", help, prometheus.CounterValue,
		func(s *node.Stats) float64 { return float64(value(s)) }}
}

// gaugeMetric is one of a node's sizes as a metric.
type gaugeMetric struct {
	name, help string
	value      func(*node.Gauges) int64
}

var gaugeMetrics = []gaugeMetric{
	{"fastpay_queued_reply_bytes", "Replies that clients have not taken.", func(g *node.Gauges) int64 { return g.QueuedBytes }},
	{"fastpay_kept_request_bytes", "Requests that are not whole, or wait until certificates are read.",
		func(g *node.Gauges) int64 { return g.KeptBytes }},
	{"fastpay_held_connections", "Connections that wait until certificates are read.", func(g *node.Gauges) int64 { return g.Holders }},
	{"fastpay_credit_queue_bytes", "Credits between workers that are not applied yet.",
		func(g *node.Gauges) int64 { return g.CreditQueueBytes }},
	{"fastpay_outbox_bytes", "Credits that wait in memory for a link to another process.",
		func(g *node.Gauges) int64 { return g.OutboxBytes }},
	{"fastpay_outbox_credits", "Credits to other processes that are not acknowledged yet.",
		func(g *node.Gauges) int64 { return int64(g.OutboxCredits) }},
	{"fastpay_links", "Links to shards of other processes.", func(g *node.Gauges) int64 { return g.Links }},
	{"fastpay_links_up", "Links that are connected.", func(g *node.Gauges) int64 { return g.LinksUp }},
	{"fastpay_parked_batches", "Batches whose replies wait for the journal.", func(g *node.Gauges) int64 { return g.Parked }},
}

// recoveryMetrics are what the start found on the disk; 0 without a journal.
var recoveryMetrics = []struct {
	name, help string
	value      func(*node.Recovery) float64
}{
	{"fastpay_recovery_seconds", "What recovery took at the start.", func(r *node.Recovery) float64 { return r.Took.Seconds() }},
	{"fastpay_recovery_snapshot_seconds", "What loading the snapshot took of it.",
		func(r *node.Recovery) float64 { return r.SnapshotTook.Seconds() }},
	{"fastpay_recovery_records", "Records of the journal that were replayed.", func(r *node.Recovery) float64 { return float64(r.Records) }},
	{"fastpay_recovery_bytes", "Bytes of the groups that were replayed.", func(r *node.Recovery) float64 { return float64(r.Bytes) }},
	{"fastpay_recovery_credits", "Credits that had left one shard and not reached another.",
		func(r *node.Recovery) float64 { return float64(r.Redelivered) }},
}

// What has labels, or is a histogram.
var (
	accountsDesc = prometheus.NewDesc("fastpay_accounts", "Accounts of a shard.", []string{"shard"}, nil)
	pendingDesc  = prometheus.NewDesc("fastpay_pending_orders", "Orders that were signed and are not confirmed.", []string{"shard"}, nil)
	batchDesc    = prometheus.NewDesc("fastpay_batch_seconds", "How long batches blocked their event loop.", nil, nil)
	buildDesc    = prometheus.NewDesc("fastpay_build_info", "What runs: always 1.",
		[]string{"commit", "go", "crypto_backend", "durability"}, nil)
)

// Batch durations are shown from 2^10 ns, a microsecond, to 2^34 ns, 17 s. Shorter and longer ones count at the ends.
const (
	firstBucket = 10
	lastBucket  = 34
)

// measuredNode is what the collector needs of a node.
type measuredNode interface {
	Stats() node.Stats
	Gauges() node.Gauges
	Recovery() node.Recovery
}

// nodeCollector reads a node's counts when it is asked.
type nodeCollector struct {
	node       measuredNode
	durability string
}

// Describe sends nothing: the metrics are made when they are asked for, and the registry checks them then.
func (*nodeCollector) Describe(chan<- *prometheus.Desc) {}

func (c *nodeCollector) Collect(to chan<- prometheus.Metric) {
	stats, gauges := c.node.Stats(), c.node.Gauges()
	for _, m := range nodeMetrics {
		to <- prometheus.MustNewConstMetric(prometheus.NewDesc(m.name, m.help, nil, nil), m.kind, m.value(&stats))
	}
	for _, m := range gaugeMetrics {
		to <- prometheus.MustNewConstMetric(prometheus.NewDesc(m.name, m.help, nil, nil), prometheus.GaugeValue,
			float64(m.value(&gauges)))
	}
	recovery := c.node.Recovery()
	for _, m := range recoveryMetrics {
		to <- prometheus.MustNewConstMetric(prometheus.NewDesc(m.name, m.help, nil, nil), prometheus.GaugeValue, m.value(&recovery))
	}
	for _, s := range gauges.Shards {
		shard := strconv.Itoa(s.Number)
		to <- prometheus.MustNewConstMetric(accountsDesc, prometheus.GaugeValue, float64(s.Accounts), shard)
		to <- prometheus.MustNewConstMetric(pendingDesc, prometheus.GaugeValue, float64(s.Pending), shard)
	}
	buckets, count := batchBuckets(&gauges.BatchDurations)
	to <- prometheus.MustNewConstHistogram(batchDesc, count, float64(stats.BusyNs)/1e9, buckets)
	commit, _ := perf.Commit()
	to <- prometheus.MustNewConstMetric(buildDesc, prometheus.GaugeValue, 1, commit, runtime.Version(), crypto.Backend(),
		c.durability)
}

// batchBuckets is the cumulative histogram, by upper bounds in seconds.
func batchBuckets(durations *[64]uint64) (buckets map[float64]uint64, count uint64) {
	buckets = make(map[float64]uint64, lastBucket-firstBucket+1)
	for i, n := range durations {
		count += n
		if i >= firstBucket && i <= lastBucket {
			buckets[float64(uint64(1)<<i)/1e9] = count
		}
	}
	return buckets, count
}
