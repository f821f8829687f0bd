package journal

import "fmt"

// Position is where a record lies: segment number in the upper 32 bits, offset in the file in the lower. Positions grow in
// the order of Append, and stay the same over recovery. 0 is no record.
type Position uint64

func newPosition(segment uint32, offset int64) Position {
	return Position(segment)<<32 | Position(offset)
}

func (p Position) segment() uint32 { return uint32(p >> 32) }

func (p Position) offset() int64 { return int64(uint32(p)) }

// String is "segment:offset", the segment in hex as in the file's name.
func (p Position) String() string { return fmt.Sprintf("%x:%d", p.segment(), p.offset()) }
