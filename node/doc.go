// Package node runs one authority, or some of its shards, as a process: sockets, batches, signature checks, credits
// between shards, limits, and a clean end.
//
// It decides nothing about money. Every rule is in node/authority; what is here is when a request reaches that core, and
// when its reply may leave. A worker is one event loop on one thread and owns several shards; nothing on the way of a
// request takes a lock. A request goes through these steps, a batch at a time:
//
//  1. read: frames and datagrams are copied once into the batch's arena (conn.go, datagram.go)
//  2. check: what needs no state is refused, signatures are collected and checked together (batch.go,
//     check.go)
//  3. apply: the core answers in order of arrival; new votes are signed together
//  4. park: the batch's records go to the journal, and replies and credits wait until they are durable (commit.go)
//  5. release: one write for each connection, credits to their shards (release.go); certificates that a reply shows are
//     read back from the journal first (reading.go)
//
// The invariant: a reply or a credit leaves only after everything that was applied before it is durable, and the replies
// of a connection leave in the order of its requests.
//
// What is kept on disk begins at store.go: whose it is (datadir.go, identity.go, mark.go), how a start finds it again
// (recovery.go, redeliver.go), and how it is kept small (snapshots.go, acknowledge.go).
//
// Start reading at worker.go. DESIGN.md has the reasons.
package node
