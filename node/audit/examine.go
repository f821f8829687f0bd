package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strconv"
	"sync"

	"fastpay/codec"
	"fastpay/node/authority"
	"fastpay/node/committee"
	"fastpay/node/journal"
)

// Options say how much Examine does.
type Options struct {
	// Verify keeps books, and checks signatures.
	Verify bool
	// Committee is whose votes are checked; nil leaves them unchecked.
	Committee *committee.Committee
	// Accounts are the initial accounts with which the books begin, if all segments are kept; nil begins with the
	// oldest snapshot.
	Accounts iter.Seq2[codec.Address, codec.Balance]
}

// examiner reads one journal.
type examiner struct {
	Options
	ctx     context.Context
	dir     *journal.Dir
	j       *Journal
	segment *Segment // in which the last record was
	kinds   []*ShardCounts
	record  authority.Record
	last    journal.Position

	// Of Verify.
	book    *book
	begins  uint32   // segment with which the books begin
	compare []uint32 // snapshots to come, by ascending segment
	checks  *signatures
	mu      sync.Mutex // for the two below: signatures are checked by other goroutines
	told    []toldProblem
	more    uint64
}

// tries is how often an examination begins anew because a running process removed what was to be read.
const tries = 3

// Examine reads the journal in a folder. Its error is for what can't be looked at; what is wrong with what was is in
// the Journal.
func Examine(ctx context.Context, folder string, o Options) (*Journal, error) {
	for try := 1; ; try++ {
		dir, err := journal.ExistingDir(folder)
		if err != nil {
			return nil, fmt.Errorf("audit: %w", err)
		}
		x := &examiner{Options: o, ctx: ctx, dir: dir, j: &Journal{Path: dir.Path(), End: EndNone,
			Process: dir.LockedBy(journal.LockName)}}
		err = x.examine()
		if errors.Is(err, fs.ErrNotExist) && x.j.Process != 0 && try < tries {
			continue
		}
		if err != nil {
			return nil, err
		}
		return x.j, nil
	}
}

func (x *examiner) examine() error {
	id, begun, err := journal.ReadIdentity(x.dir)
	snapshots, listErr := journal.ListSnapshots(x.dir)
	if listErr != nil {
		return listErr
	}
	if err != nil || !begun { // the first segment is missing or damaged: a snapshot knows as well
		id, begun = x.identityOfSnapshot(snapshots)
	}
	if damage := (*journal.CorruptError)(nil); !begun && errors.As(err, &damage) { // so nothing of it can be judged
		x.j.End, x.j.Damage = EndDamage, append(x.j.Damage, damageOf("", damage))
		x.j.EndAt = damage.File + ":" + strconv.FormatInt(damage.Offset, 10)
		return x.listSegments()
	}
	if !begun {
		return errors.Join(fmt.Errorf("audit: %s: no file says whose journal this is", x.j.Path), err)
	}
	if err := x.j.identify(id); err != nil {
		return err
	}
	if x.Committee != nil && x.j.Committee != committeeID(x.Committee) {
		return fmt.Errorf("audit: %s was begun with another committee, %s, given was %s", x.j.Path, x.j.Committee,
			committeeID(x.Committee))
	}
	x.j.findMarks()
	if err := x.listSegments(); err != nil {
		return err
	}
	for _, shard := range x.j.Shards {
		x.j.ByShard = append(x.j.ByShard, ShardCounts{Shard: shard})
	}
	x.kinds = make([]*ShardCounts, x.j.NumShards)
	for i := range x.j.ByShard {
		x.kinds[x.j.ByShard[i].Shard] = &x.j.ByShard[i]
	}
	if x.Verify {
		if x.checks, err = newSignatures(x.Committee, x.tell); err != nil {
			return err
		}
	}
	err = x.read(snapshots)
	if x.Verify {
		x.checks.end()
		x.closeBooks()
	}
	return err
}

func (x *examiner) identityOfSnapshot(snapshots []uint32) (id journal.Identity, ok bool) {
	enough := errors.New("the header is enough")
	for _, segment := range snapshots {
		err := journal.ScanSnapshot(x.dir, segment, func(info journal.SnapshotInfo, _ io.Reader) error {
			id = info.Identity
			return enough
		})
		if errors.Is(err, enough) {
			return id, true
		}
	}
	return nil, false
}

func (x *examiner) listSegments() error {
	segments, err := journal.ListSegments(x.dir)
	for _, s := range segments {
		x.j.Segments = append(x.j.Segments, Segment{Number: s.Number, Bytes: s.Size})
	}
	return err
}

// read reads snapshots and records.
func (x *examiner) read(snapshots []uint32) error {
	if err := x.readSnapshots(snapshots); err != nil {
		return err
	}
	found, err := journal.Scan(x.dir, x.visit)
	if errors.Is(err, fs.ErrNotExist) || x.ctx.Err() != nil {
		return errors.Join(x.ctx.Err(), err)
	}
	if err != nil && !errors.As(err, new(*journal.CorruptError)) {
		return fmt.Errorf("audit: %s: %w", x.j.Path, err)
	}
	if err := x.readRest(err == nil); err != nil {
		return err
	}
	x.finish(&found, err)
	return nil
}

// visit takes in a record.
func (x *examiner) visit(r journal.Record) error {
	if x.segment == nil || x.segment.Number != r.Position.Segment() {
		if err := x.enter(r.Position.Segment()); err != nil {
			return err
		}
	}
	x.segment.count(&r)
	x.last = r.Position
	shard := int(r.Shard)
	if shard >= len(x.kinds) || x.kinds[shard] == nil {
		x.tell(r.Position, shard, "a record of a shard that is not of this journal")
		return nil
	}
	if len(r.Data) > 0 && r.Data[0] == recordList {
		x.kinds[shard].Lists++
		return nil
	}
	if err := x.record.Parse(authority.Position(r.Position), r.Data); err != nil {
		x.kinds[shard].Unknown++
		x.tell(r.Position, shard, err.Error())
		return nil
	}
	x.kinds[shard].count(x.record.Kind)
	if x.Verify {
		x.check(&r, shard)
	}
	return nil
}

// enter begins a segment.
func (x *examiner) enter(number uint32) error {
	if err := x.ctx.Err(); err != nil {
		return err
	}
	x.leave()
	i, ok := slices.BinarySearchFunc(x.j.Segments, number, func(s Segment, n uint32) int { return int(s.Number) - int(n) })
	if !ok { // made after they were listed
		x.j.Segments = slices.Insert(x.j.Segments, i, Segment{Number: number})
	}
	x.segment = &x.j.Segments[i]
	return x.compareUpTo(number)
}

// leave notes the last record of the segment.
func (x *examiner) leave() {
	if x.segment != nil {
		x.segment.Last = x.last.String()
	}
}

func (s *Segment) count(r *journal.Record) {
	if s.Records == 0 {
		s.FirstGroup, s.First = r.Group, r.Position.String()
	}
	s.Records++
	s.LastGroup = r.Group
}

func (c *ShardCounts) count(kind authority.RecordKind) {
	switch kind {
	case authority.RecordOrder:
		c.Orders++
	case authority.RecordSettlement:
		c.Settlements++
	case authority.RecordCredit:
		c.Credits++
	case authority.RecordPrimary:
		c.Primary++
	case authority.RecordFunded:
		c.Funded++
	case authority.RecordAcknowledged:
		c.Acknowledged++
	case authority.RecordStarted:
		c.Started++
	}
}

// check checks a record's signatures, and applies it to the books.
func (x *examiner) check(r *journal.Record, shard int) {
	x.checks.add(r.Position, shard, r.Data, &x.record)
	switch {
	case x.book == nil:
	case r.Position.Segment() >= x.begins:
		if problem := x.book.apply(r.Position, shard, &x.record); problem != "" {
			x.tell(r.Position, shard, problem)
		}
	case x.record.Kind == authority.RecordSettlement:
		x.book.send(r.Position, shard, &x.record) // what the snapshot says is under way
	}
}

// finish notes what the scan found.
func (x *examiner) finish(found *journal.Recovery, err error) {
	j := x.j
	x.leave()
	if found.ID != (journal.ID{}) {
		id := fmt.Sprintf("%x", found.ID)
		if j.ID != "" && j.ID != id {
			j.Damage = append(j.Damage, Damage{Reason: fmt.Sprintf("snapshots are of journal %s, segments of %s", j.ID, id),
				Advice: "files of two journals were mixed: restore the directory from one copy"})
		}
		j.ID = id
	}
	j.LastGroup, j.Groups, j.Records, j.Bytes = found.LastGroup, found.Groups, found.Records, found.Bytes
	for i := range j.Segments {
		j.Segments[i].Leftover = j.Segments[i].Number < found.First
	}
	if x.last != 0 {
		j.EndAt = x.last.String()
	}
	switch {
	case err != nil:
		j.End = EndDamage
		d := damageOf("", err)
		j.Damage = append(j.Damage, d)
		j.EndAt = d.File + ":" + strconv.FormatInt(d.Offset, 10)
	case found.Moving:
		j.End = EndMoving
	case found.Torn != 0 && j.Process == 0:
		j.End, j.EndAt = EndTorn, found.Torn.String()
	case found.Clean:
		j.End = EndClean
	case found.Groups > 0:
		j.End = EndOpen
	}
}
