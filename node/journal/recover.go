package journal

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// Record is what Open, Scan and ReadGroups give for each record.
type Record struct {
	Position Position
	Group    uint64
	Shard    uint32
	Data     []byte // valid during the call
}

// Recovery is what was found in a journal.
type Recovery struct {
	Identity Identity
	ID       ID
	// First is the first segment that is kept: from it on none is missing.
	First uint32
	// Snapshot is where replay began; the zero Point if no snapshot was loaded.
	Snapshot Point
	// Snapshots is how many there are, and Damaged what is wrong with newer ones than the one that was loaded.
	Snapshots int
	Damaged   []error
	// LastGroup is the number of the last group. Groups, their Records and Bytes (padding included), and the Segments
	// that have some, are what was replayed.
	LastGroup uint64
	Segments  int
	Groups    uint64
	Records   uint64
	Bytes     int64
	// Clean: Close ended the journal, so its last group is beyond doubt.
	Clean bool
	// Moving: Scan ended where a running process had gone on meanwhile.
	Moving bool
	// Torn: something was dropped from here on: what a crash left of a group that was never durable. 0 if nothing was.
	Torn Position
}

// Open opens the journal in fs, or begins one. It gives options.Load the newest snapshot, if both are there, and replay
// every record from there on, or from the beginning, in the order of Append. What they got is void if Open fails; an
// error of replay ends it. When Open returns, all that it gave is durable, also if the process before could not sync
// it. The caller commits from then on; see Run and Commit. replay may be nil.
func Open(fs FS, options Options, replay func(Record) error) (*Journal, error) {
	o, err := options.resolve()
	if err != nil {
		return nil, err
	}
	lock, err := fs.Lock(LockName)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j, err := recoverJournal(fs, o, replay)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	j.lock = lock
	return j, nil
}

func recoverJournal(fs FS, o Options, replay func(Record) error) (*Journal, error) {
	names, err := list(fs)
	if err != nil {
		return nil, err
	}
	begin, err := loadSnapshot(fs, &o, &names)
	if err != nil {
		return nil, err
	}
	s := scanner{fs: fs, visit: replay, want: o.Identity, checkIdentity: true,
		id: begin.id, sequence: begin.at.Group, based: true}
	if err := s.scanFrom(begin.at, &names); err != nil {
		return nil, err
	}
	for _, name := range names.unfinished {
		if err := fs.Remove(name); err != nil {
			return nil, fmt.Errorf("journal: remove unfinished file: %w", err)
		}
	}
	active, end, err := s.secure(&o)
	if err != nil {
		return nil, err
	}
	leaveBuffer(s.content)
	found := &s.found
	found.Identity, found.ID, found.LastGroup = o.Identity, active.id, s.sequence
	found.Snapshots, found.Damaged = len(begin.points), begin.damaged
	if begin.loaded {
		found.Snapshot = begin.at
	}
	if found.First == 0 {
		found.First = active.number
	}
	j := &Journal{
		fs: fs, options: o, recovery: s.found, active: active, newest: active.number, points: begin.points,
		readers: readers{fs: fs},
	}
	groups := hugeBytes(2 * o.GroupSize)
	j.filling.buf, j.flying.buf = groups[:0:o.GroupSize], groups[o.GroupSize:o.GroupSize:2*o.GroupSize]
	j.cond.L = &j.mu
	at := newPosition(active.number, end)
	j.first.Store(s.found.First)
	j.durable.Store(s.found.LastGroup)
	j.end.Store(uint64(at))
	j.beginGroup(s.found.LastGroup+1, at, active.size-end)
	return j, nil
}

// scanFrom scans all segments from the point on. When a snapshot was made, a group of its segment was durable, and so
// one must be there.
func (s *scanner) scanFrom(at Point, names *listing) error {
	numbers, err := names.from(max(at.Segment, 1))
	if err != nil {
		return err
	}
	s.found.First, s.numbers = names.first(), numbers
	if err := s.scan(numbers); err != nil {
		return err
	}
	if len(names.snapshots) > 0 {
		newest := names.snapshots[0]
		if newest > 1 && (s.tail.number < newest || s.end == BlockSize) {
			return &CorruptError{segmentName(newest), BlockSize, fmt.Sprintf(
				"no group, though one was durable before %s was made", snapshotName(newest))}
		}
	}
	return nil
}

// Scan reads the journal in fs, gives visit every record that is kept, and says what it found. Snapshots are not read. It
// changes nothing, takes no lock, and accepts any identity. Beside a running process the end is somewhere in what that
// appends meanwhile, and may look torn; what it removes meanwhile is an fs.ErrNotExist.
func Scan(fs FS, visit func(Record) error) (Recovery, error) {
	names, err := list(fs)
	if err != nil {
		return Recovery{}, err
	}
	begin := Point{Segment: 1}
	if len(names.snapshots) > 0 {
		begin.Segment = min(names.first(), names.snapshots[0])
	}
	s := scanner{fs: fs, visit: visit, based: begin.Segment == 1, mayMove: true}
	s.found.Snapshots = len(names.snapshots)
	err = s.scanFrom(begin, &names)
	leaveBuffer(s.content)
	return s.found, err
}

// secure makes the tail durable in a file of its own, whatever became of the syncs of the process before, and removes
// the segments after it, which hold nothing. It returns the segment to go on with, and where its groups end.
func (s *scanner) secure(o *Options) (active *segment, end int64, err error) {
	if s.content == nil {
		var id ID
		if _, err := io.ReadFull(o.Random, id[:]); err != nil {
			return nil, 0, fmt.Errorf("journal: name of a journal: %w", err)
		}
		active, err = newSegment(s.fs, o, id, 1)
		return active, BlockSize, err
	}
	active = &segment{id: s.tail.id, number: s.tail.number, salt: s.tail.salt, size: s.tail.size}
	if err := writeSegment(s.fs, active, s.content[:s.end]); err != nil {
		return nil, 0, err
	}
	for _, number := range slices.Backward(s.numbers) {
		if number == active.number || err != nil {
			break
		}
		// The last one first, and durably: a later one without it would look as if it had been lost.
		if err = s.fs.Remove(segmentName(number)); err == nil {
			err = s.fs.SyncDir()
		}
	}
	if err != nil {
		_ = active.file.Close() // nothing was written to it since it was synced
		return nil, 0, fmt.Errorf("journal: remove empty segments: %w", err)
	}
	return active, s.end, nil
}
