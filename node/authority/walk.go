package authority

import (
	"io"

	"fastpay/codec"
)

// A SnapshotShard is what a snapshot says of a shard beside its accounts. Its slices have an element for each shard of the
// authority.
type SnapshotShard struct {
	Shard           int
	LastTransaction uint64   // of the Primary
	Cursors         []uint64 // the last credit that came, by the shard that sent it
	Issued          []uint64 // the last credit that was sent, by the shard that gets it
	Acknowledged    []uint64 // the last one that its receiver is known to have durably
	// The sums of all orders up to these numbers (codec.Order.AddTo), between shards of different logs.
	CursorSums, AcknowledgedSums []uint64
}

// A SnapshotAccount is an account of a snapshot.
type SnapshotAccount struct {
	Address      codec.Address
	Balance      codec.Balance
	Next         uint64      // sequence number of its next payment
	Received     uint64      // certificates that credited it
	Synchronized uint32      // transactions of the Primary that credited it
	Pending      codec.Order // zero for none; a view during the call
	// Where the logs are of the certificates that it confirmed, as many as Next, and that it received.
	ConfirmedLinks, ReceivedLinks Links
}

// WalkSnapshot reads a snapshot of these shards, in ascending order, of numShards, for tools that look at it apart from
// any shard: all of begin first, then the accounts shard by shard, by ascending address. An error of either ends it.
func WalkSnapshot(r io.Reader, numShards int, shards []int, begin func(*SnapshotShard) error,
	visit func(shard int, a *SnapshotAccount) error) error {
	in, err := newSnapshotReader(r, numShards, shards)
	if err != nil {
		return err
	}
	for _, h := range in.heads {
		s := &SnapshotShard{Shard: h.shard, LastTransaction: h.lastTransaction}
		for i := range h.lanes {
			l := &h.lanes[i]
			s.Cursors = append(s.Cursors, l.cursor)
			s.Issued = append(s.Issued, l.out.issued)
			s.Acknowledged = append(s.Acknowledged, l.out.acknowledged)
			s.CursorSums = append(s.CursorSums, l.sum)
			s.AcknowledgedSums = append(s.AcknowledgedSums, l.out.sum)
		}
		if err := begin(s); err != nil {
			return err
		}
	}
	var (
		e entry
		a SnapshotAccount
	)
	for _, shard := range shards {
		in.begin(shard)
		for {
			ok, err := in.next(&e)
			if err != nil {
				return err
			}
			if !ok {
				break
			}
			a = SnapshotAccount{e.address, e.balance, e.next, e.received, e.synchronized, e.order, e.confirmedChain.links(),
				e.receivedChain.links()}
			if err := visit(shard, &a); err != nil {
				return err
			}
		}
	}
	return in.end()
}
