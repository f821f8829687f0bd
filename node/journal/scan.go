package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
)

// scanner reads segments in order. Reading and checking one runs ahead of visiting the one before it, in a goroutine of
// its own; the fields say which of the two has them. Afterwards the scanner holds the tail: the last segment that has
// groups, or the first of all.
type scanner struct {
	fs            FS
	visit         func(Record) error
	visitMany     func([]Record) error // in place of visit
	want          Identity
	checkIdentity bool
	mayMove       bool         // another process may append
	stopped       func() error // of a stream: asked before each group

	// Of the side that reads.
	id       ID     // zero: the first segment says
	sequence uint64 // of the last group
	based    bool   // false: the first group says which it is
	last     uint32 // the last segment that has groups, or the first of all
	lastEnd  int64  // where its groups end

	// Of the side that visits.
	together []Record
	found    Recovery
	numbers  []uint32
	tail     segment // its file is not open
	content  []byte  // of the tail, whole
	end      int64   // where its groups end
}

// contents is a segment as read. Its groups are whole, and follow those of the segment before it.
type contents struct {
	segment  // its file is not open
	identity Identity
	bytes    []byte
	groups   []placedGroup
	end      int64 // of the groups
	torn     bool  // something is after them
	moving   bool  // there are more groups by now; later segments are not to be read
	err      error // what is wrong after these groups, if something is
}

type placedGroup struct {
	group
	offset int64
}

// aheadBuffers is how many segments are in memory: the tail so far, the one that is visited, and the one that is read.
const aheadBuffers = 3

// scan reads the segments of these numbers, which follow one another.
func (s *scanner) scan(numbers []uint32) error {
	if len(numbers) < 2 {
		for _, number := range numbers {
			if _, err := s.take(s.load(number, takeBuffer())); err != nil {
				return err
			}
		}
		return nil
	}
	loads, stop := make(chan *contents), make(chan struct{})
	spare := make(chan []byte, aheadBuffers)
	for range aheadBuffers {
		spare <- takeBuffer()
	}
	defer func() {
		for len(spare) > 0 {
			leaveBuffer(<-spare)
		}
	}()
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(loads)
		for _, number := range numbers {
			var c *contents
			select {
			case buf := <-spare:
				c = s.load(number, buf)
			case <-stop:
				return
			}
			select {
			case loads <- c:
			case <-stop:
				return
			}
			if c.err != nil || c.moving {
				return
			}
		}
	})
	defer reading.Wait()
	defer close(stop)
	for c := range loads {
		unused, err := s.take(c)
		if err != nil {
			return err
		}
		spare <- unused // there is room: what was not there at first has come out of it
	}
	return nil
}

// load reads a segment, into buf if it has room.
func (s *scanner) load(number uint32, buf []byte) *contents {
	c := new(contents)
	if c.bytes, c.err = readSegment(s.fs, number, buf); c.err != nil {
		return c
	}
	if c.err = s.header(number, c, c.bytes, int64(len(c.bytes))); c.err != nil {
		return c
	}
	c.err = s.groups(c)
	if damage := (*CorruptError)(nil); s.mayMove && errors.As(c.err, &damage) && s.moved(damage) {
		c.moving, c.err = true, nil
	}
	if len(c.groups) > 0 || s.last == 0 {
		s.last, s.lastEnd = number, c.end
	}
	return c
}

// moved reports whether the group that looks damaged has been written since it was read.
func (s *scanner) moved(damage *CorruptError) bool {
	number, _ := parseName(damage.File, segmentSuffix)
	content, err := readSegment(s.fs, number, nil)
	if err != nil || damage.Offset < BlockSize || damage.Offset > int64(len(content)) {
		return false
	}
	header, _, reason := parseSegmentHeader(content)
	g, ok := parseGroup(content[damage.Offset:], header.salt)
	return reason == "" && ok && g.sequence == s.sequence+1
}

// segmentBuffers are what segments were read into: recoveries that follow one another, as in tests and simulations, use
// them again.
var segmentBuffers sync.Pool

// takeBuffer is a buffer of any size, nil if there is none.
func takeBuffer() []byte {
	if b, ok := segmentBuffers.Get().(*[]byte); ok {
		return *b
	}
	return nil
}

// leaveBuffer is for one that nobody looks at any more.
func leaveBuffer(b []byte) {
	if cap(b) > 0 {
		segmentBuffers.Put(&b)
	}
}

// readSegment reads a segment whole, into buf if it has room.
func readSegment(fs FS, number uint32, buf []byte) ([]byte, error) {
	name := segmentName(number)
	f, err := fs.Open(name)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if size > MaxSegmentSize {
		return nil, &CorruptError{name, MaxSegmentSize,
			fmt.Sprintf("the file has %d bytes, more than any segment", size)}
	}
	if int64(cap(buf)) < size {
		buf = alignedBytes(int(size)) // slices.Grow clears all of it in one go, and a garbage collection waits for that
	}
	buf = buf[:size]
	if _, err := io.ReadFull(io.NewSectionReader(f, 0, size), buf); err != nil {
		return nil, fmt.Errorf("journal: read %s: %w", name, err)
	}
	return buf, nil
}

// header reads the header of the segment, with which b begins, into c, and checks that it is this segment of this
// journal. size is that of the file.
func (s *scanner) header(number uint32, c *contents, b []byte, size int64) (err error) {
	name := segmentName(number)
	var reason string
	c.segment, c.identity, reason = parseSegmentHeader(b)
	switch {
	case reason == reasonVersion:
		return versionError(name, b, segmentMagic)
	case reason != "":
		return &CorruptError{name, 0, reason}
	case c.number != number:
		return &CorruptError{name, segOffNumber, fmt.Sprintf("this is segment %d", c.number)}
	case c.size != size:
		return &CorruptError{name, size, fmt.Sprintf("the file has %d bytes, its header says %d", size, c.size)}
	}
	if s.checkIdentity {
		if err := c.identity.difference(s.want); err != nil {
			return err
		}
	}
	if s.id == (ID{}) {
		s.id = c.id
	}
	if c.id != s.id {
		return &CorruptError{name, segOffID, fmt.Sprintf("this is a segment of journal %x, not of %x", c.id, s.id)}
	}
	return nil
}

// groups finds the groups of a segment. It fails if a group that is not whole has one after it that is: see doc.go.
func (s *scanner) groups(c *contents) error {
	name := segmentName(c.number)
	c.end = BlockSize
	for c.end < int64(len(c.bytes)) {
		g, ok := parseGroup(c.bytes[c.end:], c.salt)
		if !ok {
			break
		}
		if err := s.follows(name, c.end, &g); err != nil {
			return err
		}
		c.groups = append(c.groups, placedGroup{g, c.end})
		c.end += g.size()
	}
	c.end = min(c.end, int64(len(c.bytes)))
	if err := s.noneAfter(name, c.bytes[c.end:], c.end, c.salt); err != nil {
		return err
	}
	c.torn = !allZero(c.bytes[c.end:])
	return nil
}

// follows takes a group of the file in, or says why it does not follow the one before it.
func (s *scanner) follows(name string, at int64, g *group) error {
	if !s.based {
		s.sequence, s.based = g.sequence-1, true
	}
	if expected := s.sequence + 1; g.sequence != expected || g.durable != expected-1 {
		return s.gap(name, at, g)
	}
	s.sequence++
	return nil
}

// noneAfter fails if there is a whole group in rest, what the file has from end on, where no group begins.
func (s *scanner) noneAfter(name string, rest []byte, end int64, salt uint32) error {
	if sabotaged("journal: damage is taken for the end") {
		return nil
	}
	for at := BlockSize; at < len(rest); at += BlockSize {
		if g, ok := parseGroup(rest[at:], salt); ok {
			return &CorruptError{name, end, fmt.Sprintf("group %d is damaged, though group %d at offset %d is whole",
				s.sequence+1, g.sequence, end+int64(at))}
		}
	}
	return nil
}

// gap describes a group that does not follow the one before it.
func (s *scanner) gap(name string, at int64, g *group) error {
	expected := s.sequence + 1
	if at == BlockSize && g.sequence > expected && s.last != 0 {
		return &CorruptError{segmentName(s.last), s.lastEnd, fmt.Sprintf(
			"group %d is damaged, though group %d in %s is whole", expected, g.sequence, name)}
	}
	return &CorruptError{name, at, fmt.Sprintf(
		"group %d, written after group %d was durable, is where group %d belongs", g.sequence, g.durable, expected)}
}

// deliver visits what was read of a segment, and then reports what is wrong with it.
func (s *scanner) deliver(c *contents) error {
	for i := range c.groups {
		if err := s.records(newPosition(c.number, c.groups[i].offset), &c.groups[i].group); err != nil {
			return err
		}
	}
	return c.err
}

// take delivers, notes what was found, and gives a buffer that is not needed any more.
func (s *scanner) take(c *contents) (unused []byte, err error) {
	if err := s.deliver(c); err != nil {
		return nil, err
	}
	s.found.Identity, s.found.ID = c.identity, c.id
	if len(c.groups) > 0 {
		s.found.Segments++
		s.found.Torn = 0 // what was found before lies where no group ever was
	}
	s.found.Moving = c.moving
	if s.found.Torn == 0 && c.torn {
		s.found.Torn = newPosition(c.number, c.end)
	}
	unused = c.bytes
	if len(c.groups) > 0 || s.content == nil {
		unused = s.content
		s.tail, s.content, s.end = c.segment, c.bytes, c.end
	}
	return unused, nil
}

func (s *scanner) records(at Position, g *group) error {
	if s.visitMany != nil {
		if err := s.many(at+groupHeaderSize, g); err != nil {
			return err
		}
	} else if s.visit != nil {
		if err := s.each(at+groupHeaderSize, g); err != nil {
			return err
		}
	}
	s.found.Groups++
	s.found.LastGroup = g.sequence
	s.found.Records += uint64(g.count)
	s.found.Bytes += g.size()
	s.found.Clean = g.count == 0
	return nil
}

// each visits the records of a group, the first of which is at a position.
func (s *scanner) each(at Position, g *group) error {
	for rest := g.records; len(rest) > 0; {
		shard, data, after, _ := takeRecord(rest)
		if err := s.visit(Record{at, g.sequence, shard, data}); err != nil {
			return fmt.Errorf("journal: replay record at %v: %w", at, err)
		}
		at += Position(len(rest) - len(after))
		rest = after
	}
	return nil
}

// recordsAtOnce is how many records are visited together at most: some 50 us of work.
const recordsAtOnce = 256

// many is each for visitMany.
func (s *scanner) many(at Position, g *group) error {
	if s.together == nil {
		s.together = make([]Record, 0, recordsAtOnce)
	}
	for rest := g.records; len(rest) > 0; {
		first := at
		s.together = s.together[:0]
		for len(rest) > 0 && len(s.together) < recordsAtOnce {
			shard, data, after, _ := takeRecord(rest)
			s.together = append(s.together, Record{at, g.sequence, shard, data})
			at += Position(len(rest) - len(after))
			rest = after
		}
		if err := s.visitMany(s.together); err != nil {
			return fmt.Errorf("journal: replay records from %v on: %w", first, err)
		}
	}
	return nil
}

func allZero(b []byte) bool {
	const piece = 64 << 10 // stays in the cache
	for len(b) > 0 {
		n := min(len(b), piece)
		if !bytes.Equal(b[:n], zeros[:n]) {
			return false
		}
		b = b[n:]
	}
	return true
}
