package audit

import (
	"bytes"
	"fmt"
	"io"

	"fastpay/codec"
	"fastpay/node/authority"
	"fastpay/node/journal"
)

// A snapshot's content begins with the list of accounts that were funded, as the node has it: their number, and a hash.
// A record of that list begins with recordList, above all kinds of the authority's own.
const (
	accountsListSize = 8 + 32
	recordList       = 0xf0
)

// walkSnapshot reads a snapshot of a journal.
func walkSnapshot(fs journal.FS, segment uint32, j *Journal, found *Snapshot, id *string,
	begin func(*authority.SnapshotShard) error, visit func(shard int, a *authority.SnapshotAccount) error) error {
	return journal.ScanSnapshot(fs, segment, func(info journal.SnapshotInfo, content io.Reader) error {
		found.Group, found.Bytes, *id = info.At.Group, info.Size, fmt.Sprintf("%x", info.ID)
		var list [accountsListSize]byte
		if _, err := io.ReadFull(content, list[:]); err != nil {
			return fmt.Errorf("audit: snapshot: list of accounts: %w", err)
		}
		return authority.WalkSnapshot(content, j.NumShards, j.Shards, begin,
			func(shard int, a *authority.SnapshotAccount) error {
				found.Accounts++
				return visit(shard, a)
			})
	})
}

// load takes over what a snapshot says.
func (b *book) load(shard int, a *authority.SnapshotAccount) {
	n := b.open(&a.Address)
	b.accounts[n] = accountOf(a)
	if !a.Pending.IsZero() {
		b.pending[n] = bytes.Clone(a.Pending.TransferBytes())
	}
}

func accountOf(a *authority.SnapshotAccount) account {
	return account{a.Address, a.Balance, a.Next, a.Synchronized, accountLog{a.Next, a.ConfirmedLinks},
		accountLog{a.Received, a.ReceivedLinks}}
}

func (b *book) loadShard(s *authority.SnapshotShard) {
	b.last[s.Shard] = s.LastTransaction
	for other := range b.numShards {
		if other == s.Shard {
			continue
		}
		in, out := b.lane(other, s.Shard), b.lane(s.Shard, other)
		in.cursor, in.cursorSum = s.Cursors[other], s.CursorSums[other]
		out.issued, out.acknowledged, out.acknowledgedSum = s.Issued[other], s.Acknowledged[other], s.AcknowledgedSums[other]
	}
}

// comparison compares a snapshot with the book.
type comparison struct {
	b        *book
	accounts int
	tell     func(shard int, problem string)
}

func (c *comparison) shard(s *authority.SnapshotShard) error {
	if want := c.b.last[s.Shard]; s.LastTransaction != want {
		c.tell(s.Shard, fmt.Sprintf("it has transaction %d of the Primary as the last one, the records %d",
			s.LastTransaction, want))
	}
	for other := range c.b.numShards {
		if other == s.Shard {
			continue
		}
		in, out := c.b.lane(other, s.Shard), c.b.lane(s.Shard, other)
		have := [3]uint64{s.Cursors[other], s.Issued[other], s.Acknowledged[other]}
		if want := [3]uint64{in.cursor, out.issued, out.acknowledged}; have != want {
			c.tell(s.Shard, fmt.Sprintf("with shard %d, credits arrived, issued and acknowledged are %d in it, and %d in the "+
				"records", other, have, want))
		}
		if c.b.has(other) {
			continue
		}
		sums := [2]uint64{s.CursorSums[other], s.AcknowledgedSums[other]}
		if want := [2]uint64{in.cursorSum, out.acknowledgedSum}; sums != want {
			c.tell(s.Shard, fmt.Sprintf("with shard %d, the sums of credits that arrived and were acknowledged are %x in it, and %x "+
				"by the records", other, sums, want))
		}
	}
	return nil
}

func (c *comparison) account(shard int, a *authority.SnapshotAccount) error {
	name := codec.FormatAddress(&a.Address)
	n, ok := c.b.find(&a.Address)
	if !ok {
		c.tell(shard, fmt.Sprintf("it has account %s, the records have not", name))
		return nil
	}
	c.accounts++
	want := &c.b.accounts[n]
	have := accountOf(a)
	switch {
	case have.balance != want.balance:
		c.tell(shard, fmt.Sprintf("the balance of %s is %v in it, and %v by the records", name, have.balance, want.balance))
	case have.next != want.next || have.received.length != want.received.length || have.synchronized != want.synchronized:
		c.tell(shard, fmt.Sprintf("of %s, next sequence number, certificates received and transactions of the Primary are "+
			"%d, %d, %d in it, and %d, %d, %d by the records", name, have.next, have.received.length, have.synchronized, want.next,
			want.received.length, want.synchronized))
	case have != *want:
		c.tell(shard, fmt.Sprintf("the logs of %s are %v and %v in it, and %v and %v by the records", name, &have.confirmed,
			&have.received, &want.confirmed, &want.received))
	}
	pending := c.b.pending[n]
	if a.Pending.IsZero() != (pending == nil) || !a.Pending.IsZero() && !bytes.Equal(a.Pending.TransferBytes(), pending) {
		c.tell(shard, fmt.Sprintf("the pending order of %s in it is not that of the records", name))
	}
	return nil
}

// end complains about accounts that the snapshot lacks.
func (c *comparison) end() {
	if c.accounts < len(c.b.accounts) {
		c.tell(c.b.shards[0], fmt.Sprintf("it lacks %d of the %d accounts that the records have",
			len(c.b.accounts)-c.accounts, len(c.b.accounts)))
	}
}
