package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"fastpay/node/authority"
	"fastpay/node/committee"
)

// readSnapshots reads those that are not to be compared later, and begins the books.
func (x *examiner) readSnapshots(snapshots []uint32) error {
	for _, segment := range snapshots {
		x.j.Snapshots = append(x.j.Snapshots, Snapshot{Segment: segment})
	}
	if x.Verify && x.Accounts != nil {
		return x.beginWithAccounts(snapshots)
	}
	for i, segment := range slices.Backward(snapshots) {
		if x.Verify && x.book != nil {
			x.compare = append(x.compare, segment)
			continue
		}
		b := newBook(x.j.NumShards, x.j.Shards)
		err := x.readSnapshot(i, func(s *authority.SnapshotShard) error {
			if x.Verify {
				b.loadShard(s)
			}
			return nil
		}, func(shard int, a *authority.SnapshotAccount) error {
			if x.Verify {
				b.load(shard, a)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if x.Verify && x.j.Snapshots[i].Whole {
			x.begin(b, segment, fmt.Sprintf("snapshot of what is before segment %x", segment))
		}
	}
	if x.Verify && x.book == nil {
		x.tell(0, x.j.Shards[0], "there is no snapshot to begin with, and initial accounts were not given")
		x.begins = 1 << 31
	}
	return nil
}

func (x *examiner) begin(b *book, segment uint32, from string) {
	x.book, x.begins = b, segment
	x.j.Books = &Books{From: from, Compared: []uint32{}}
	if len(x.j.Segments) > 0 {
		b.first = x.j.Segments[0].Number
	}
}

// beginWithAccounts begins the books with initial accounts.
func (x *examiner) beginWithAccounts(snapshots []uint32) error {
	if len(x.j.Segments) == 0 || x.j.Segments[0].Number != 1 {
		return fmt.Errorf("audit: %s: segments before %x were removed: without initial accounts, begin with a snapshot", x.j.Path,
			x.firstSegment())
	}
	b := newBook(x.j.NumShards, x.j.Shards)
	var count uint64 // lines of the file that were there when the journal was begun
	if _, err := fmt.Sscanf(x.j.Accounts, "%d accounts", &count); err != nil {
		return fmt.Errorf("audit: %s: initial accounts %q: %w", x.j.Path, x.j.Accounts, err)
	}
	for address, balance := range x.Accounts {
		if count == 0 {
			break
		}
		count--
		if b.has(committee.ShardOf(&address, b.numShards)) {
			b.accounts[b.open(&address)].balance = balance
			b.minted.Add(b.minted, balance.Big())
		}
	}
	if count > 0 {
		return fmt.Errorf("audit: %s was begun with %s; %d of them were not given", x.j.Path, x.j.Accounts, count)
	}
	x.begin(b, 1, "initial accounts")
	for _, segment := range slices.Backward(snapshots) {
		x.compare = append(x.compare, segment)
	}
	return nil
}

func (x *examiner) firstSegment() uint32 {
	if len(x.j.Segments) == 0 {
		return 0
	}
	return x.j.Segments[0].Number
}

// readSnapshot reads snapshot i of the list, and notes what is wrong with it.
func (x *examiner) readSnapshot(i int, begin func(*authority.SnapshotShard) error,
	visit func(int, *authority.SnapshotAccount) error) error {
	s := &x.j.Snapshots[i]
	var id string
	err := walkSnapshot(x.dir, s.Segment, x.j, s, &id, begin, func(shard int, a *authority.SnapshotAccount) error {
		if s.Accounts%65536 == 0 && x.ctx.Err() != nil {
			return x.ctx.Err()
		}
		return visit(shard, a)
	})
	if errors.Is(err, fs.ErrNotExist) || x.ctx.Err() != nil {
		return errors.Join(x.ctx.Err(), err)
	}
	if err != nil {
		x.j.Damage = append(x.j.Damage, damageOf(fmt.Sprintf("%016x.snapshot", s.Segment), err))
		return nil
	}
	s.Whole = true
	if x.j.ID == "" {
		x.j.ID = id
	}
	return nil
}

// compareUpTo compares the snapshots of what is before a segment, now that all of it was read.
func (x *examiner) compareUpTo(segment uint32) error {
	for len(x.compare) > 0 && x.compare[0] <= segment {
		next := x.compare[0]
		x.compare = x.compare[1:]
		i := slices.IndexFunc(x.j.Snapshots, func(s Snapshot) bool { return s.Segment == next })
		same := true
		c := comparison{b: x.book, tell: func(shard int, problem string) {
			same = false
			x.tell(0, shard, fmt.Sprintf("snapshot of what is before segment %x: %s", next, problem))
		}}
		if err := x.readSnapshot(i, c.shard, c.account); err != nil {
			return err
		}
		if !x.j.Snapshots[i].Whole {
			continue
		}
		if c.end(); same {
			x.j.Books.Compared = append(x.j.Books.Compared, next)
		}
	}
	return nil
}

// readRest reads the snapshots that are left, and compares them if all records before them were read.
func (x *examiner) readRest(compare bool) error {
	if compare {
		return x.compareUpTo(1 << 31)
	}
	for i := range x.j.Snapshots {
		if !slices.Contains(x.compare, x.j.Snapshots[i].Segment) {
			continue
		}
		err := x.readSnapshot(i, func(*authority.SnapshotShard) error { return nil },
			func(int, *authority.SnapshotAccount) error { return nil })
		if err != nil {
			return err
		}
	}
	return nil
}
