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

type toldProblem struct {
	at journal.Position
	Problem
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

// tell notes a problem.
func (x *examiner) tell(at journal.Position, shard int, text string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.told) == 10*maxProblems {
		x.more++
		return
	}
	p := toldProblem{at, Problem{Shard: shard, Text: text}}
	if at != 0 {
		p.Position = at.String()
	}
	x.told = append(x.told, p)
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

// closeBooks writes down what the books say at the end.
func (x *examiner) closeBooks() {
	if x.j.Books == nil {
		x.j.Books = &Books{From: "nothing", Compared: []uint32{}}
	}
	v, c := x.j.Books, x.checks
	v.Orders, v.Certificates, v.Votes, v.Unchecked = c.orders, c.certificates, c.votes, c.unchecked
	if b := x.book; b != nil {
		v.Accounts, v.Pending, v.InFlight, v.Balance = len(b.accounts), len(b.pending), uint64(len(b.flying)), b.total().String()
		for _, l := range b.lanes {
			v.lanes = append(v.lanes, *l)
		}
	}
	slices.SortStableFunc(x.told, func(a, b toldProblem) int { return int(min(max(int64(a.at)-int64(b.at), -1), 1)) })
	for _, p := range x.told {
		if len(v.Problems) < maxProblems {
			v.Problems = append(v.Problems, p.Problem)
		} else {
			x.more++
		}
	}
	v.More = x.more
}
