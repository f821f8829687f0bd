package sim

import (
	"errors"
	"fmt"
	"io"

	"fastpay/node/authority"
	"fastpay/node/journal"
)

// A disk is a process's journal on a file system that can crash.
type disk struct {
	fs         *journal.MemFS
	journal    *journal.Journal
	batch      journal.Batch
	committing bool   // an eventCommit is under way
	fullGroup  uint64 // the group that was committed because it was full, until its process has seen that

	segmentBytes int64
	readBuf      []byte // for records that are read back

	failing bool           // writes and syncs fail
	stopAt  journal.OpKind // the machine stops at the next such operation
	keep    func() bool    // and leaves what this says
	left    *journal.MemFS // what it has left
}

const (
	groupBytes = 32 << 10
	maxBatch   = 24 // requests: so that all their records fit in a group
)

var errDisk = errors.New("the disk failed")

// Next implements authority.Log.
func (d *disk) Next() authority.Position { return authority.Provisional(uint64(d.batch.Size())) }

// Append implements authority.Log.
func (d *disk) Append(shard int, record []byte) authority.Position {
	return authority.Provisional(uint64(d.batch.Add(uint32(shard), record)))
}

// append puts the batch into the group that fills.
func (d *disk) append() (base authority.Position, group uint64, ok bool) {
	defer d.batch.Reset()
	at, group, err := d.journal.Append(&d.batch)
	if errors.Is(err, journal.ErrFull) {
		if err = d.journal.Commit(); err == nil {
			d.fullGroup = d.journal.Durable()
			at, group, err = d.journal.Append(&d.batch)
		}
	}
	return authority.Position(at), group, err == nil || d.journal.Err() != nil
}

// open opens the journal that is on the disk and gives every record to replay.
func (d *disk) open(random io.Reader, load func(journal.Point, io.Reader) error, replay func(journal.Record) error) error {
	d.committing, d.failing = false, false
	d.batch.Reset()
	var err error
	d.journal, err = journal.Open(&journal.FaultFS{FS: d.fs, Inject: d.inject}, journal.Options{
		SegmentSize: d.segmentBytes, GroupSize: groupBytes, Random: random, Load: load,
		Identity: journal.Identity{{Name: "authority", Value: "simulated"}},
	}, replay)
	return err
}

// inject lets an operation of the disk fail, or has the machine stop at it.
func (d *disk) inject(op journal.Op) error {
	switch {
	case d.left != nil: // it stopped before
		return errDisk
	case d.stopAt == op.Kind:
		d.stopAt = ""
		d.left = d.fs.Crash(d.keep)
		return errDisk
	case d.failing && (op.Kind == journal.OpSync || op.Kind == journal.OpWrite):
		return errDisk
	}
	return nil
}

// commit has the disk write what is appended, and lets go of what waited for it. A failure stops the process.
func (p *process) commit() {
	p.disk.committing = false
	switch w := p.w; {
	case w.mayCrash(w.plan.DiskErrors):
		w.count.DiskErrors++
		p.disk.failing = true
	case w.mayCrash(w.plan.TornCommits):
		w.count.TornCommits++
		p.disk.stopAt, p.disk.keep = journal.OpSync, w.keeper()
	}
	if err := p.disk.journal.Commit(); err != nil {
		p.crash()
		return
	}
	p.sealedBefore, p.sealed = p.sealed, p.applied
	p.groupRecords[p.disk.journal.Durable()] = p.applied
	p.release()
}

// keeper says which of the sectors that were not synced are there after a crash: all, none, or any.
func (w *World) keeper() func() bool {
	keep := w.rng.IntN(3) * 50 // percent
	return func() bool { return w.rng.IntN(100) < keep }
}

// crash stops the process where it is. The disk keeps what is synced, and of the rest what chance leaves.
func (p *process) crash() {
	if p.down {
		return
	}
	p.w.count.Crashes++
	if len(p.parked) > 0 {
		p.w.count.CrashesUnsynced++
	}
	p.disk.crash(p.w.keeper())
	p.backUp()
	p.stop()
	p.w.push(event{kind: eventRestart, to: p.index, ref: p.epoch}, 1+p.w.draw(p.w.plan.DownMax))
}

// crash leaves the file system as it is after a crash now, or at the operation where the machine stopped.
func (d *disk) crash(keep func() bool) {
	if d.left == nil {
		d.left = d.fs.Crash(keep)
	}
	d.fs, d.left, d.stopAt = d.left, nil, ""
}

// maxCrashes bounds the crashes of a world: each costs a recovery, and more of them tell nothing more.
const maxCrashes = 100

// mayCrash is chance, for what ends in a crash.
func (w *World) mayCrash(thousandths int) bool {
	return w.count.Crashes < maxCrashes && w.chance(thousandths)
}

// crashLater has some process crash after a while.
func (w *World) crashLater() {
	if w.plan.CrashEvery > 0 && w.count.Crashes < maxCrashes {
		w.push(event{kind: eventCrash, to: int32(w.rng.IntN(len(w.processes)))}, 1+w.draw(2*w.plan.CrashEvery))
	}
}

// stop forgets all that is in memory.
func (p *process) stop() {
	p.down = true
	p.epoch++
	p.closeWires()
	p.batching, p.resending = false, false
	p.inbox, p.parked, p.outboxes, p.patches = p.inbox[:0], nil, nil, p.patches[:0]
}

// recoveryOps are where a recovery may be stopped by another crash.
var recoveryOps = []journal.OpKind{journal.OpCreate, journal.OpWrite, journal.OpSync, journal.OpRename, journal.OpSyncDir}

// restart brings the process back with what its disk has kept.
func (p *process) restart() {
	if !p.down || p.retired {
		return
	}
	w := p.w
	if w.mayCrash(10 * w.plan.TornCommits) {
		p.disk.stopAt, p.disk.keep = recoveryOps[w.rng.IntN(len(recoveryOps))], w.keeper()
	}
	p.flipped = p.flipped || p.flips() && p.disk.flip(w.rng)
	p.restore()
	err := p.open()
	switch {
	case p.disk.left != nil: // the crash in the middle of it
		w.count.TornRecoveries++
		p.disk.crash(nil)
		p.w.push(event{kind: eventRestart, to: p.index, ref: p.epoch}, 1+w.draw(w.plan.DownMax))
	case p.flipped:
		p.flipped = false
		p.afterFlip(err)
	case err != nil:
		w.fail(propertyDisk, fmt.Sprintf("process %d can't start again: %v", p.index, err))
	default:
		p.start()
	}
}

// start goes on after a recovery that went well.
func (p *process) start() {
	p.down, p.disk.stopAt = false, ""
	p.w.count.Recoveries++
	p.sealedBefore, p.sealed = p.recoveredBefore, p.applied
	if p.books != nil {
		p.books.recovered(p.applied)
	}
	p.openWires()
	p.snapshotLater()
	if !p.w.plan.Split && p.holdsCredits() {
		p.resendLater()
	}
}

// open makes the shards anew and applies the journal's records to them; credits that are not acknowledged are then found
// in the journal, as a node does.
func (p *process) open() error {
	p.reset()
	if p.disk == nil {
		return nil
	}
	replayed, beforeLast, group := 0, 0, uint64(0)
	p.loaded, p.loadedRecords = false, 0
	err := p.disk.open(randomBytes{p.w.rng}, p.load, func(r journal.Record) error {
		if r.Group != group {
			p.groupRecords[group] = p.loadedRecords + replayed
			group, beforeLast = r.Group, replayed
		}
		replayed++
		return p.shards[r.Shard].Replay(authority.Position(r.Position), r.Data)
	})
	p.groupRecords[group] = p.loadedRecords + replayed
	p.applied, p.recoveredBefore = p.loadedRecords+replayed, p.loadedRecords+beforeLast
	if err == nil {
		err = p.findCredits()
	}
	p.funded = p.shards[p.first].LastTransaction()
	return err
}
