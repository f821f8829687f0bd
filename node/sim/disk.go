package sim

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/journal"
)

// A disk is a process's journal on a file system that can crash.
type disk struct {
	fs         *journal.MemFS
	journal    *journal.Journal
	batch      journal.Batch
	committing bool // an eventCommit is under way
	broken     bool // the next sync fails
}

// Records, by their first byte; what follows is the request that changed the state.
const (
	recordOrder       = 'O' // order, then the signature of our vote
	recordCertificate = 'C'
	recordCredit      = 'X'
	recordFund        = 'P' // recipient [32] | amount u64 | index u64
)

const (
	groupBytes   = 32 << 10
	segmentBytes = 256 << 10
	maxBatch     = 24 // requests: so that all their records fit in a group
)

var errDisk = errors.New("the disk failed")

func (d *disk) order(shard int, o codec.Order, vote []byte) {
	d.batch.Add(uint32(shard), []byte{recordOrder}, o.Bytes(), vote)
}

func (d *disk) certificate(shard int, c codec.Certificate) {
	d.batch.Add(uint32(shard), []byte{recordCertificate}, c.Bytes())
}

func (d *disk) credit(shard int, c codec.Certificate) {
	d.batch.Add(uint32(shard), []byte{recordCredit}, c.Bytes())
}

func (d *disk) fund(shard int, recipient *codec.Address, amount, index uint64) {
	var numbers [16]byte
	binary.LittleEndian.PutUint64(numbers[:], amount)
	binary.LittleEndian.PutUint64(numbers[8:], index)
	d.batch.Add(uint32(shard), []byte{recordFund}, recipient[:], numbers[:])
}

// append puts the batch into the group that fills.
func (d *disk) append() (group uint64, ok bool) {
	defer d.batch.Reset()
	_, group, err := d.journal.Append(&d.batch)
	if errors.Is(err, journal.ErrFull) {
		if err = d.journal.Commit(); err == nil {
			_, group, err = d.journal.Append(&d.batch)
		}
	}
	return group, err == nil || d.journal.Err() != nil
}

// open opens the journal that is on the disk and gives every record to replay.
func (d *disk) open(random io.Reader, replay func(journal.Record) error) error {
	d.committing, d.broken = false, false
	d.batch.Reset()
	faulty := &journal.FaultFS{FS: d.fs, Inject: func(op journal.Op) error {
		if d.broken && (op.Kind == journal.OpSync || op.Kind == journal.OpWrite) {
			return errDisk
		}
		return nil
	}}
	var err error
	d.journal, err = journal.Open(faulty, journal.Options{
		SegmentSize: segmentBytes, GroupSize: groupBytes, Random: random,
		Identity: journal.Identity{{Name: "authority", Value: "simulated"}},
	}, replay)
	return err
}

// commit has the disk write what is appended, and lets go of what waited for it. A failure stops the process.
func (p *process) commit() {
	p.disk.committing = false
	if p.w.chance(p.w.plan.DiskErrors) {
		p.w.count.DiskErrors++
		p.disk.broken = true
	}
	if p.down {
		return
	}
	if err := p.disk.journal.Commit(); err != nil {
		p.crash()
		return
	}
	p.release()
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
	keep := p.w.rng.IntN(3) * 50 // percent
	p.disk.fs = p.disk.fs.Crash(func() bool { return p.w.rng.IntN(100) < keep })
	p.stop()
	p.w.push(event{kind: eventRestart, to: p.index, ref: p.epoch}, 1+p.w.draw(p.w.plan.DownMax))
}

// crashLater has some process crash after a while.
func (w *World) crashLater() {
	if w.plan.CrashEvery > 0 {
		w.push(event{kind: eventCrash, to: int32(w.rng.IntN(len(w.processes)))}, 1+w.draw(2*w.plan.CrashEvery))
	}
}

// stop forgets all that is in memory.
func (p *process) stop() {
	p.down = true
	p.epoch++
	p.batching, p.resending = false, false
	p.inbox, p.parked, p.outbox, p.patches = p.inbox[:0], nil, nil, p.patches[:0]
}

// restart brings the process back with what its disk has kept.
func (p *process) restart() {
	if !p.down {
		return
	}
	p.down = false
	p.w.count.Recoveries++
	if err := p.open(); err != nil {
		p.w.fail(propertyDisk, fmt.Sprintf("process %d can't start again: %v", p.index, err))
	}
}

// open makes the shards anew and applies the journal's records to them.
func (p *process) open() error {
	p.reset()
	if p.disk == nil {
		return nil
	}
	records := 0
	err := p.disk.open(randomBytes{p.w.rng}, func(r journal.Record) error {
		records++
		return p.replay(int(r.Shard), r.Data)
	})
	if err != nil {
		return err
	}
	p.applied = records
	p.funded = p.shards[p.first].LastTransaction()
	if p.books != nil {
		p.books.recovered(records)
	}
	if p.holdsCredits() {
		p.resendLater()
	}
	return nil
}

var errRecord = errors.New("sim: a record can't be applied")

// replay applies one record.
func (p *process) replay(shard int, data []byte) error {
	data = append([]byte(nil), data...)
	kind, data, core := data[0], data[1:], p.shards[shard]
	switch kind {
	case recordOrder:
		if sabotaged("sim: recovery forgets pending orders") {
			return nil
		}
		var m codec.Message
		order, vote := data[:len(data)-crypto.SignatureSize], data[len(data)-crypto.SignatureSize:]
		if !m.Decode(append([]byte{byte(codec.KindOrder), 0, 0, 0}, order...)) {
			return errRecord
		}
		if out := core.Order(nil, m.Order()); !out.NewVote {
			return errRecord
		}
		core.Signed([]crypto.Signature{crypto.Signature(vote)})
	case recordCertificate:
		c, err := codec.ParseCertificate(data)
		if err != nil {
			return errRecord
		}
		out := core.Certificate(nil, c)
		if !out.Changed {
			return errRecord
		}
		if out.CreditTo >= 0 && !sabotaged("sim: recovery forgets credits that are to be sent") {
			p.queueCredit(out.CreditTo, codec.AppendCertificate(nil, c))
		}
	case recordCredit:
		c, err := codec.ParseCertificate(data)
		if err != nil || core.Credit(c) != nil {
			return errRecord
		}
	case recordFund:
		recipient := codec.Address(data)
		amount, index := binary.LittleEndian.Uint64(data[32:]), binary.LittleEndian.Uint64(data[40:])
		if out := core.SyncPrimary(nil, &recipient, amount, index); !out.Changed {
			return errRecord
		}
	}
	return nil
}
