package authority

import "fmt"

// Position is where a record is in the log; 0 is none. Positions grow in the order of the records. While a batch is
// being filled nobody knows yet where the log will take it: its positions are provisional then, offsets in the batch with
// the top bit set, until Shard.Rebase makes them absolute.
type Position uint64

const provisional = 1 << 63

// Provisional is the position at an offset of the batch that is being filled.
func Provisional(offset uint64) Position { return Position(offset | provisional) }

// IsProvisional reports whether p is an offset in a batch.
func (p Position) IsProvisional() bool { return p&provisional != 0 }

// Rebase is p once its batch is in the log at base; what is not provisional stays.
func (p Position) Rebase(base Position) Position {
	if p.IsProvisional() {
		return base + p&^provisional
	}
	return p
}

// String is "segment:offset" of a journal's position, the segment in hex as in the name of its file.
func (p Position) String() string {
	if p.IsProvisional() {
		return fmt.Sprintf("batch:%d", uint64(p&^provisional))
	}
	return fmt.Sprintf("%x:%d", uint64(p)>>32, uint32(p))
}

// A Log takes the records of one or more shards of a goroutine: a batch of the journal, a Ring when nothing is durable,
// or the simulator's.
type Log interface {
	// Next is the position that the next record will have.
	Next() Position
	// Append adds a copy of a record of shard and returns its position, 0 if the log does not keep that kind.
	Append(shard int, record []byte) Position
}
