package authority

import (
	"fmt"
	"io"
)

// Load fills empty shards with a snapshot, which must be of exactly these, in ascending order. It reads r to its end.
// After an error they are not to be used.
func Load(r io.Reader, shards []*Shard) error {
	if len(shards) == 0 {
		return badSnapshot("for no shard")
	}
	var numbers []int
	for _, s := range shards {
		numbers = append(numbers, s.shard)
		if s.table.accounts.n > 0 {
			return fmt.Errorf("authority: load a snapshot: shard %d has %d accounts already", s.shard, s.table.accounts.n)
		}
	}
	in, err := newSnapshotReader(r, shards[0].numShards, numbers)
	if err != nil {
		return err
	}
	for i, s := range shards {
		if err := s.load(in, in.heads[i]); err != nil {
			return err
		}
	}
	return in.end()
}

func (s *Shard) load(in *snapshotReader, h *head) error {
	s.lastTransaction, s.lanes = h.lastTransaction, h.lanes
	in.begin(s.shard)
	for {
		var e entry
		ok, err := in.next(&e)
		if !ok || err != nil {
			return err
		}
		if !e.order.IsZero() {
			number := s.pending.add(e.order)
			e.pending = number + 1
		}
		i, a := s.table.accounts.add()
		*a = e.account
		s.table.index.insert(s.table.key.of(&a.address), i)
	}
}
