package node

import (
	"errors"
	"fmt"

	"fastpay/codec"
	"fastpay/node/authority"
	"fastpay/node/journal"
)

// redelivery finds the credits that left one shard of this process and had not reached another when the process before
// ended.
type redelivery struct {
	s      *store
	wanted map[[2]int]uint64 // by paying and credited shard: how many are missing
	total  uint64
	from   authority.Position // where the first one may be
	record authority.Record
	cert   []byte
}

// redeliver applies what is missing. The workers do not run yet.
func (s *store) redeliver() error {
	r := redelivery{s: s, wanted: make(map[[2]int]uint64)}
	for _, from := range s.node.shards {
		for _, to := range s.node.shards {
			if err := r.add(from, to); err != nil {
				return err
			}
		}
	}
	if r.total == 0 {
		return nil
	}
	err := s.journal.ReadFrom(journal.Position(r.from), r.visit)
	if err == nil {
		err = s.flush()
	}
	if err == nil && r.total > 0 {
		err = fmt.Errorf("node: %s: %d credits between shards are not in the journal", s.folder, r.total)
	}
	return err
}

func (r *redelivery) add(from, to int) error {
	if from == to {
		return nil
	}
	n := r.s.node
	at, count, err := n.byShard[from].shard(from).core.Undelivered(to, n.byShard[to].shard(to).core.Cursor(from))
	if err != nil || count == 0 {
		return err
	}
	r.wanted[[2]int{from, to}] = count
	r.total += count
	if r.from == 0 || at < r.from {
		r.from = at
	}
	return nil
}

// visit applies a record's credit if it is missing, and reports whether more are.
func (r *redelivery) visit(rec journal.Record) (more bool, err error) {
	if len(rec.Data) == 0 || authority.RecordKind(rec.Data[0]) != authority.RecordSettlement {
		return true, nil
	}
	if err := r.record.Parse(authority.Position(rec.Position), rec.Data); err != nil {
		return false, err
	}
	from, to := int(rec.Shard), r.record.To
	missing := r.wanted[[2]int{from, to}]
	if missing == 0 {
		return true, nil
	}
	core := r.s.node.byShard[to].shard(to).core
	if r.record.Number <= core.Cursor(from) {
		return true, nil
	}
	if r.cert, err = r.record.AppendCertificate(r.cert[:0], r.s.node.Committee); err != nil {
		return false, err
	}
	cert, err := codec.ParseCertificate(r.cert)
	if err == nil {
		err = core.Credit(from, r.record.Number, authority.Position(rec.Position), cert)
	}
	if err != nil {
		return false, err
	}
	r.wanted[[2]int{from, to}] = missing - 1
	r.total--
	r.s.found.Redelivered++
	if r.s.node.byShard[to].batch.records.Size() >= r.s.node.limits.flush {
		err = r.s.flush()
	}
	return r.total > 0, err
}

// flush commits what the workers' batches hold, from the one goroutine that there is before and after the loops.
func (s *store) flush() error {
	for _, w := range s.node.workers {
		if w.batch.records.Len() == 0 {
			continue
		}
		base, _, err := s.journal.Append(&w.batch.records)
		if errors.Is(err, journal.ErrFull) {
			if err = s.journal.Commit(); err == nil {
				base, _, err = s.journal.Append(&w.batch.records)
			}
		}
		if err != nil {
			return err
		}
		for _, shard := range w.shards {
			shard.core.Rebase(authority.Position(base))
		}
		w.batch.records.Reset()
	}
	return s.journal.Commit()
}
