package journal

import "fmt"

// Position is where a record lies: segment number in the upper 32 bits, offset in the file in the lower. Positions grow
// in the order of Append, and stay the same over recovery. 0 is no record. The top bit is never set.
type Position uint64

// maxSegmentNumber leaves the top bit of positions to callers, who may tell something else by it.
const maxSegmentNumber = 1<<31 - 1

func newPosition(segment uint32, offset int64) Position {
	return Position(segment)<<32 | Position(offset)
}

// Segment is the number of the segment in which the record lies.
func (p Position) Segment() uint32 { return uint32(p >> 32) }

func (p Position) offset() int64 { return int64(uint32(p)) }

// String is "segment:offset", the segment in hex as in the file's name.
func (p Position) String() string { return fmt.Sprintf("%x:%d", p.Segment(), p.offset()) }

// Point lies between two segments. Before it are all segments up to Segment, without that one, and so all groups up to
// Group, that one included. {1, 0} is the beginning.
type Point struct {
	Segment uint32
	Group   uint64
}

// String says what is before the point.
func (p Point) String() string {
	return fmt.Sprintf("segments before %x, groups up to %d", p.Segment, p.Group)
}
