package node

import (
	"net"
	"time"

	"fastpay/node/journal"
)

// Every buffer and queue has a bound. What a peer can make a node hold is the sum of these.
const (
	// workOrder and workSign are what an order costs to check, and a vote to sign, in units of a vote's check, whatever
	// the implementation. crypto.BatchSize of these close a batch.
	workOrder = 2
	workSign  = 1
	// batchFrameBytes closes a batch: what its arena holds of received messages.
	batchFrameBytes = 256 << 10
	// batchRequests bounds the replies of a batch: requests may be as short as 38 bytes.
	batchRequests = 2048
	// batchReplyBytes is when info replies of a batch shrink to minInfoReply, so that short questions with long answers
	// don't make a batch large.
	batchReplyBytes = 4 << 20
	// minInfoReply has room for the account and a certificate of 28 votes.
	minInfoReply = 4 << 10

	// readBufferBytes is what one read takes from a socket: a batch of small frames in one system call.
	readBufferBytes = 256 << 10
	// maxQueuedConn is what a connection may leave unread before it is closed. An honest client has at most some 50,000
	// requests in flight, and replies of 350 bytes.
	maxQueuedConn = 32 << 20
	// maxQueued bounds the same over all connections; each worker has an equal part of it, but room for one connection at
	// least. The largest one goes first.
	maxQueued = 512 << 20
	// maxHeldConn is what a connection may send on while its next request waits until certificates are read.
	maxHeldConn = 1 << 20
	// maxKept bounds what all connections together have sent and the node has to keep: frames that are not whole, and what
	// waits until certificates are read. Each worker has an equal part of it. The largest one goes first.
	maxKept = 512 << 20
	// MaxPeerBytes bounds what clients can make a process keep beyond what it needs for its work, all connections together.
	MaxPeerBytes = maxQueued + maxKept

	// maxConnections bounds memory for connections when descriptors are plenty.
	maxConnections = 60_000
	// reservedDescriptors stay free beside those that a node is known to need, for files, profiles, logs and the runtime.
	reservedDescriptors = 128

	// idleTimeout closes a connection that has neither sent anything nor taken any of its replies.
	idleTimeout = 10 * time.Minute
	// partialFrameTimeout closes a connection that does not end a frame it began.
	partialFrameTimeout = 10 * time.Second
	// suspicionTime is how long a source that sent a bad signature is checked apart from the others.
	suspicionTime = time.Second
	// freshSuspects is how many sources of datagrams may send their first bad signature within suspicionTime before no source
	// is trusted: a forger's addresses are all different.
	freshSuspects = 16
	// drainTimeout bounds how long a stop waits for replies to leave.
	drainTimeout = 5 * time.Second
	// sweepInterval is how often time-outs are looked at.
	sweepInterval = time.Second

	// udpReceiveBatch is how many datagrams one system call takes.
	udpReceiveBatch = 256
	// udpSlotBytes is the largest datagram plus one, so that a longer one shows.
	udpSlotBytes = 64 << 10
	// udpInfoReply cuts info replies over UDP, where the asker's address can be forged: an answer is not much of an
	// amplifier.
	udpInfoReply = 8 << 10
	// udpSocketBuffer is asked of the kernel for each UDP socket: bursts of thousands of datagrams between two rounds.
	udpSocketBuffer = 8 << 20

	// maxParked bounds the batches of a worker that wait for the disk: replies of 0.1 MiB each under load, and another
	// 0.5 MiB of requests when there are credits for other processes in it.
	maxParked = 16
	// commitHere is up to how many requests a batch is written by its worker's own thread.
	commitHere = 8
	// flushBytes is when the records of a batch are handed to the journal before it ends.
	flushBytes = 256 << 10
	// maxFetches bounds the replies of a worker that wait for certificates to be read back; beyond that connections that
	// ask for more wait.
	maxFetches = 1024

	// creditRingBytes is the queue of credits from one worker to another. It must hold those of two batches: a batch
	// sends none before it has reserved all.
	creditRingBytes = 4 << 20
	// linkRingBytes holds credits on their way between a worker and a link, each way. What is new and finds no room is read
	// back from the journal.
	linkRingBytes = 512 << 10
	// linkWindowBytes is what a link sends before it is acknowledged: with 10 ms for a round trip and a sync, 100 MB/s.
	linkWindowBytes = 1 << 20
	// linkWriteBytes is when a link writes what it has gathered.
	linkWriteBytes = 64 << 10
	// linkChunkBytes is what a link reads back from the journal at a time.
	linkChunkBytes = 1 << 20
	// linkAnswers is how many acknowledgements wait for their link.
	linkAnswers = 16
	// maxHandshakes bounds connections that have not proven to be a sibling's.
	maxHandshakes = 16
	// linkConnectTimeout bounds connecting and the handshake. A lost packet is repeated after a second.
	linkConnectTimeout = 4 * time.Second
	// linkRepeatLog is how often a trouble that stays the same is logged.
	linkRepeatLog = 30 * time.Second
	// linkTimeout bounds connecting, sending and the wait for an acknowledgement.
	linkTimeout = 5 * time.Second
	// linkRetryMin and linkRetryMax bound the pause before a link is tried again.
	linkRetryMin = 50 * time.Millisecond
	linkRetryMax = 2 * time.Second
)

// limits are those of the above that tests make small.
type limits struct {
	connections        int64 // 0 means what the descriptors allow
	creditRing         int
	queuedConn, queued int
	kept               int
	idle, partialFrame time.Duration
	sweep              time.Duration

	fetches          int   // replies that wait for certificates
	commitHere       int   // requests of a batch that its worker writes itself
	flush, group     int   // bytes of a batch's records, and of a group
	segmentBytes     int64 // of the journal
	snapshotBytes    int64 // of sealed segments, for a snapshot
	lowSpace         int64 // of the disk, that should stay free
	snapshotInterval time.Duration
}

var defaultLimits = limits{
	creditRing: creditRingBytes,
	queuedConn: maxQueuedConn, queued: maxQueued, kept: maxKept,
	idle: idleTimeout, partialFrame: partialFrameTimeout, sweep: sweepInterval,
	fetches: maxFetches, commitHere: commitHere, flush: flushBytes, group: journal.DefaultGroupSize, segmentBytes: journal.DefaultSegmentSize,
	snapshotBytes: minSnapshotBytes, snapshotInterval: snapshotInterval, lowSpace: journal.DefaultLowSpace,
}

// linkKeepAlive finds out within half a minute that a sibling's host is gone, should it have nothing to say.
var linkKeepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}
