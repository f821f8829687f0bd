package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

const lockName = "LOCK"

// Record is what Open and Scan give for each record.
type Record struct {
	Position Position
	Group    uint64
	Shard    uint32
	Data     []byte // valid during the call
}

// Recovery is what was found in a journal.
type Recovery struct {
	Identity Identity
	Segments int // that have groups
	Groups   uint64
	Records  uint64
	Bytes    int64 // of groups, padding included
	// Clean: Close ended the journal, so its last group is beyond doubt.
	Clean bool
	// Torn: something was dropped from here on: what a crash left of a group that was never durable. 0 if nothing was.
	Torn Position
}

// Open opens the journal in fs, or begins one, and gives replay every record in the order of Append. What replay got is
// void if Open fails; an error of replay ends it. When Open returns, all that it gave is durable, also if the process
// before could not sync it. The caller commits from then on; see Run and Commit. replay may be nil.
func Open(fs FS, options Options, replay func(Record) error) (*Journal, error) {
	o, err := options.resolve()
	if err != nil {
		return nil, err
	}
	lock, err := fs.Lock(lockName)
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
	s := scanner{fs: fs, visit: replay, want: o.Identity, checkIdentity: true}
	if err := s.scan(names.segments); err != nil {
		return nil, err
	}
	for _, name := range names.unfinished {
		if err := fs.Remove(name); err != nil {
			return nil, fmt.Errorf("journal: remove unfinished segment: %w", err)
		}
	}
	active, end, err := s.secure(&o)
	if err != nil {
		return nil, err
	}
	if s.found.Identity == nil {
		s.found.Identity = o.Identity
	}
	j := &Journal{
		fs: fs, options: o, recovery: s.found, active: active, newest: active.number,
		wake: make(chan struct{}, 1), stop: make(chan struct{}),
		readers: readers{fs: fs},
		filling: pending{buf: make([]byte, 0, o.GroupSize)},
		flying:  pending{buf: make([]byte, 0, o.GroupSize)},
	}
	j.cond.L = &j.mu
	at := newPosition(active.number, end)
	j.durable.Store(s.found.Groups)
	j.end.Store(uint64(at))
	j.beginGroup(s.found.Groups+1, at, active.size-end)
	return j, nil
}

// Scan reads the journal in fs, gives visit every record, and says what it found. It changes nothing, takes no lock, and
// accepts any identity; what a running process appends meanwhile may look torn.
func Scan(fs FS, visit func(Record) error) (Recovery, error) {
	names, err := list(fs)
	if err != nil {
		return Recovery{}, err
	}
	s := scanner{fs: fs, visit: visit}
	err = s.scan(names.segments)
	return s.found, err
}

// listing is the journal's files; others are left alone.
type listing struct {
	segments   []uint32 // ascending
	unfinished []string
}

func list(fs FS) (l listing, err error) {
	names, err := fs.List()
	if err != nil {
		return l, fmt.Errorf("journal: list files: %w", err)
	}
	for _, name := range names {
		if number, ok := parseSegmentName(name); ok {
			l.segments = append(l.segments, number)
		} else if strings.HasSuffix(name, segmentSuffix+unfinishedSuffix) {
			l.unfinished = append(l.unfinished, name)
		}
	}
	slices.Sort(l.segments)
	return l, nil
}

// scanner reads segments in order. Afterwards it holds the tail: the last segment that has groups, or the first of all.
type scanner struct {
	fs            FS
	visit         func(Record) error
	want          Identity
	checkIdentity bool
	found         Recovery

	numbers []uint32
	tail    segment // its file is not open
	content []byte  // of the tail, whole
	end     int64   // where its groups end
}

func (s *scanner) scan(numbers []uint32) error {
	s.numbers = numbers
	var spare []byte
	for i, number := range numbers {
		if uint32(i+1) != number {
			return &CorruptError{segmentName(uint32(i + 1)), 0, "the file is missing, though a later one is there"}
		}
		content, err := s.read(number, spare)
		if err != nil {
			return err
		}
		header, err := s.header(number, content)
		if err != nil {
			return err
		}
		groups := s.found.Groups
		end, err := s.groups(&header, content)
		if err != nil {
			return err
		}
		if s.found.Groups > groups {
			s.found.Segments++
			s.found.Torn = 0 // what was found before lies where no group ever was
		}
		if s.found.Torn == 0 && !allZero(content[end:]) {
			s.found.Torn = newPosition(number, end)
		}
		if i == 0 || s.found.Groups > groups {
			s.tail, s.end = header, end
			s.content, spare = content, s.content
		} else {
			spare = content
		}
	}
	return nil
}

// read reads a segment whole, into buf if it has room.
func (s *scanner) read(number uint32, buf []byte) ([]byte, error) {
	name := segmentName(number)
	f, err := s.fs.Open(name)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if size > MaxSegmentSize {
		return nil, &CorruptError{name, MaxSegmentSize, fmt.Sprintf("the file has %d bytes, more than any segment", size)}
	}
	buf = slices.Grow(buf[:0], int(size))[:size]
	if _, err := io.ReadFull(io.NewSectionReader(f, 0, size), buf); err != nil {
		return nil, fmt.Errorf("journal: read %s: %w", name, err)
	}
	return buf, nil
}

func (s *scanner) header(number uint32, content []byte) (segment, error) {
	name := segmentName(number)
	header, identity, reason := parseSegmentHeader(content)
	switch {
	case reason == reasonVersion:
		known := len(segmentMagic) - 1
		return header, fmt.Errorf("%w: %s has version %d, this program knows %d", ErrVersion, name, content[known],
			segmentMagic[known])
	case reason != "":
		return header, &CorruptError{name, 0, reason}
	case header.number != number:
		return header, &CorruptError{name, segOffNumber, fmt.Sprintf("this is segment %d", header.number)}
	case header.size != int64(len(content)):
		return header, &CorruptError{name, int64(len(content)),
			fmt.Sprintf("the file has %d bytes, its header says %d", len(content), header.size)}
	}
	if s.checkIdentity {
		if err := identity.difference(s.want); err != nil {
			return header, err
		}
	}
	s.found.Identity = identity
	return header, nil
}

// groups visits the groups of a segment, and says where they end. It fails if a group that is not whole has one after it
// that is: see doc.go.
func (s *scanner) groups(header *segment, content []byte) (end int64, err error) {
	name := segmentName(header.number)
	at := int64(BlockSize)
	for at < int64(len(content)) {
		g, ok := parseGroup(content[at:], header.salt)
		if !ok {
			break
		}
		if expected := s.found.Groups + 1; g.sequence != expected || g.durable != expected-1 {
			return 0, s.gap(name, at, &g)
		}
		if err := s.records(newPosition(header.number, at), &g); err != nil {
			return 0, err
		}
		at += g.size()
	}
	end = min(at, int64(len(content)))
	if sabotaged("journal: damage is taken for the end") {
		return end, nil
	}
	for at = end + BlockSize; at < int64(len(content)); at += BlockSize {
		if g, ok := parseGroup(content[at:], header.salt); ok {
			return 0, &CorruptError{name, end, fmt.Sprintf("group %d is damaged, though group %d at offset %d is whole",
				s.found.Groups+1, g.sequence, at)}
		}
	}
	return end, nil
}

// gap describes a group that does not follow the one before it.
func (s *scanner) gap(name string, at int64, g *group) error {
	expected := s.found.Groups + 1
	if at == BlockSize && g.sequence > expected && s.content != nil {
		return &CorruptError{segmentName(s.tail.number), s.end, fmt.Sprintf(
			"group %d is damaged, though group %d in %s is whole", expected, g.sequence, name)}
	}
	return &CorruptError{name, at, fmt.Sprintf("group %d, written after group %d was durable, is where group %d belongs",
		g.sequence, g.durable, expected)}
}

func (s *scanner) records(at Position, g *group) error {
	offset := at + groupHeaderSize
	for rest := g.records; len(rest) > 0; {
		shard, data, after, _ := takeRecord(rest)
		if s.visit != nil {
			if err := s.visit(Record{offset, g.sequence, shard, data}); err != nil {
				return fmt.Errorf("journal: replay record at %v: %w", offset, err)
			}
		}
		offset += Position(len(rest) - len(after))
		rest = after
	}
	s.found.Groups++
	s.found.Records += uint64(g.count)
	s.found.Bytes += g.size()
	s.found.Clean = g.count == 0
	return nil
}

// secure makes the tail durable in a file of its own, whatever became of the syncs of the process before, and removes the
// segments after it, which hold nothing. It returns the segment to go on with, and where its groups end.
func (s *scanner) secure(o *Options) (active *segment, end int64, err error) {
	if s.content == nil {
		active, err = newSegment(s.fs, o, 1)
		return active, BlockSize, err
	}
	active = &segment{number: s.tail.number, salt: s.tail.salt, size: s.tail.size}
	if err := writeSegment(s.fs, active, s.content[:s.end]); err != nil {
		return nil, 0, err
	}
	for _, number := range s.numbers {
		if number > active.number && err == nil {
			err = s.fs.Remove(segmentName(number))
		}
	}
	if err == nil {
		err = s.fs.SyncDir()
	}
	if err != nil {
		_ = active.file.Close() // nothing was written to it since it was synced
		return nil, 0, fmt.Errorf("journal: remove empty segments: %w", err)
	}
	return active, s.end, nil
}

func allZero(b []byte) bool {
	for len(b) > 0 {
		n := min(len(b), len(zeros))
		if !bytes.Equal(b[:n], zeros[:n]) {
			return false
		}
		b = b[n:]
	}
	return true
}
