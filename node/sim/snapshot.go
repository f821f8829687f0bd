package sim

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"fastpay/codec"
	"fastpay/node/authority"
	"fastpay/node/journal"
)

// Snapshots are made from the last one and the segments that were filled since, never from the living shards; recovery
// begins with one. Where certificates need not be kept, segments that nobody needs any more go.

// snapshotLater has the process make a snapshot after a while.
func (p *process) snapshotLater() {
	if p.disk != nil && p.w.plan.SnapshotEvery > 0 {
		p.w.push(event{kind: eventSnapshot, to: p.index, ref: p.epoch}, 1+p.w.draw(2*p.w.plan.SnapshotEvery))
	}
}

// snapshot makes the next snapshot, if there is something new in it. The disk may fail, or the machine stop, on the
// way.
func (p *process) snapshot() {
	w := p.w
	if w.mayCrash(5 * w.plan.TornCommits) {
		p.disk.stopAt, p.disk.keep = recoveryOps[w.rng.IntN(len(recoveryOps))], w.keeper()
	}
	p.disk.failing = w.chance(20 * w.plan.DiskErrors)
	made, err := p.makeSnapshot()
	if err == nil && made && w.plan.Forget {
		err = p.forgetSegments()
	}
	failing := p.disk.failing
	p.disk.failing = false
	switch {
	case p.disk.left != nil:
		w.count.TornSnapshots++
		p.crash()
		return
	case err != nil && !failing:
		w.fail(propertyDisk, fmt.Sprintf("process %d can't make a snapshot: %v", p.index, err))
		return
	case err != nil:
		w.count.FailedSnapshots++
	case made:
		w.count.Snapshots++
	}
	p.disk.stopAt = ""
	p.snapshotLater()
}

func (p *process) makeSnapshot() (made bool, err error) {
	j := p.disk.journal
	sealed := j.Sealed()
	var (
		from journal.Point
		old  io.Reader
	)
	if points := j.Snapshots(); len(points) > 0 {
		from = points[0]
		content := &p.w.content
		content.Reset()
		err := j.ReadSnapshot(from, func(r io.Reader) error {
			_, err := content.ReadFrom(r)
			return err
		})
		if err != nil {
			return false, err
		}
		old = p.w.buffered(content)
	}
	if sealed < max(from.Segment, 1) {
		return false, nil
	}
	var shards []int
	for s, core := range p.shards {
		if core != nil {
			shards = append(shards, s)
		}
	}
	m, err := authority.NewMerger(old, len(p.shards), shards)
	if err != nil {
		return false, err
	}
	for i := range p.w.facts.accounts {
		if a := &p.w.facts.accounts[i]; old == nil && a.initial > 0 {
			if err := m.Fund(&a.address, codec.NewBalance(uint64(a.initial))); err != nil {
				return false, err
			}
		}
	}
	at, err := j.ReadGroups(from, sealed, func(records []journal.Record) error {
		group := make([]authority.Logged, len(records))
		for i, r := range records {
			group[i] = authority.Logged{Shard: int(r.Shard), At: authority.Position(r.Position), Record: r.Data}
		}
		return m.AddAll(group)
	}, func(before journal.Position) error { return m.Leave(authority.Position(before)) })
	if err != nil {
		return false, err
	}
	return true, j.WriteSnapshot(at, m.Write)
}

// forgetSegments removes the segments that neither a recovery nor a credit needs.
func (p *process) forgetSegments() error {
	points := p.disk.journal.Snapshots()
	needed := points[len(points)-1].Segment
	for _, core := range p.shards {
		if core == nil {
			continue
		}
		if at := core.Needed(); at != 0 {
			needed = min(needed, journal.Position(at).Segment())
		}
	}
	if needed > 1 {
		p.w.count.SegmentsRemoved++
	}
	return p.disk.journal.RemoveBefore(needed)
}

// load fills new shards with a snapshot.
func (p *process) load(at journal.Point, content io.Reader) error {
	p.makeShards(false)
	p.loadedRecords = p.groupRecords[at.Group]
	p.loaded = true
	p.w.count.SnapshotsLoaded++
	var shards []*authority.Shard
	for _, core := range p.shards {
		if core != nil {
			shards = append(shards, core)
		}
	}
	return authority.Load(p.w.buffered(content), shards)
}

// buffered reads from r through a buffer as large as authority wants one, until the next call.
func (w *World) buffered(r io.Reader) io.Reader {
	if w.snapshots == nil {
		w.snapshots = bufio.NewReaderSize(nil, 256<<10)
	}
	w.snapshots.Reset(r)
	return w.snapshots
}

// findCredits rebuilds the outboxes: what is not acknowledged is in the log, from the place on that the shard remembers.
func (p *process) findCredits() error {
	var (
		wanted  = make([]uint64, len(p.shards)*len(p.shards))
		missing uint64
		first   authority.Position
	)
	for from, core := range p.shards {
		for to := range p.shards {
			if core == nil {
				break
			}
			at, count, err := core.Undelivered(to, core.Acknowledged(to))
			if err != nil {
				return err
			}
			if count > 0 && (missing == 0 || at < first) {
				first = at
			}
			wanted[from*len(p.shards)+to], missing = count, missing+count
		}
	}
	if missing == 0 {
		return nil
	}
	var record authority.Record
	err := p.disk.journal.ReadFrom(journal.Position(first), func(r journal.Record) (more bool, err error) {
		if err := record.Parse(authority.Position(r.Position), r.Data); err != nil {
			return false, err
		}
		from := int(r.Shard)
		if record.Kind != authority.RecordSettlement || record.To < 0 || record.Number <= p.shards[from].Acknowledged(record.To) {
			return true, nil
		}
		wanted[from*len(p.shards)+record.To]--
		missing--
		return missing > 0, p.keepCredit(from, authority.Position(r.Position), &record)
	})
	for i, box := range p.outboxes {
		if err == nil && wanted[i] != 0 {
			err = fmt.Errorf("sim: %d credits from shard %d to %d in the log, and %d are missing", len(box), i/len(p.shards),
				i%len(p.shards), int64(wanted[i]))
		}
	}
	if err == nil && missing > 0 {
		err = fmt.Errorf("sim: %d credits are not in the log", missing)
	}
	return err
}

// keepCredit puts a settlement's credit into the outbox.
func (p *process) keepCredit(from int, at authority.Position, r *authority.Record) error {
	if sabotaged("sim: recovery forgets credits that are to be sent") {
		return nil
	}
	cert, err := r.AppendCertificate([]byte{byte(codec.KindCrossShard), 0, 0, 0}, p.w.committee)
	if err != nil {
		return err
	}
	p.queueCredit(from, r.To, r.Number, at, cert)
	return nil
}

// read is the record at a position.
func (d *disk) read(at authority.Position) ([]byte, error) {
	_, data, err := d.journal.Read(d.readBuf, journal.Position(at))
	if errors.Is(err, journal.ErrRemoved) {
		err = authority.ErrGone
	}
	return data, err
}
