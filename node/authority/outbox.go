package authority

import (
	"errors"
	"fmt"
)

// ErrGap is a number of a credit that does not follow from what this shard knows: credits are missing, or were forgotten.
var ErrGap = errors.New("authority: gap in the numbers of credits")

// An outbox numbers the credits from this shard to another one, from 1 without a gap. The credits themselves are in the
// log, in the settlements that made them; the outbox remembers where some of them are, from the first one that is not
// acknowledged on.
type outbox struct {
	issued       uint64 // number of the last credit
	acknowledged uint64 // all up to this number are durable at their receiver
	sum          uint64 // of the orders of all up to this number, as the receiver says; 0 when it does not
	first        uint64 // number of the credit at marks[0]
	interval     uint64 // between the credits of two marks
	marks        []Position
}

const (
	// markInterval is how many credits lie between two marks at first.
	markInterval = 1024
	// maxMarks bounds the marks, 8 bytes each; when they are full, every other one is dropped. A million credits that
	// wait for a shard that is down are found again within a thousand.
	maxMarks = 1024
)

// issue takes in the next credit, whose settlement is at position at. It reports whether it was marked.
func (o *outbox) issue(at Position) (marked bool) {
	o.issued++
	if len(o.marks) == 0 {
		o.first, o.interval = o.issued, markInterval
	} else if o.issued != o.first+uint64(len(o.marks))*o.interval {
		return false
	}
	if len(o.marks) == maxMarks {
		for i := range maxMarks / 2 {
			o.marks[i] = o.marks[2*i]
		}
		o.marks, o.interval = o.marks[:maxMarks/2], 2*o.interval
	}
	o.marks = append(o.marks, at)
	return true
}

// acknowledge takes in that the receiver has all up to number. A number that is not news changes nothing.
func (o *outbox) acknowledge(number, sum uint64) (changed bool, err error) {
	if number > o.issued {
		return false, fmt.Errorf("%w: the receiver has credit %d, the last one issued is %d", ErrGap, number, o.issued)
	}
	if sabotaged("authority: the acknowledgement of one credit counts for all") {
		number = o.issued
	}
	if number <= o.acknowledged {
		return false, nil
	}
	o.acknowledged, o.sum = number, sum
	if number == o.issued {
		o.marks = o.marks[:0]
	} else if passed := int((number + 1 - o.first) / o.interval); passed > 0 {
		o.marks = append(o.marks[:0], o.marks[passed:]...)
		o.first += uint64(passed) * o.interval
	}
	return true, nil
}

// find is the position of a credit at or before number, acknowledged < number <= issued.
func (o *outbox) find(number uint64) Position {
	return o.marks[(number-o.first)/o.interval]
}

// rebase makes the marks of a batch absolute; they are the last ones.
func (o *outbox) rebase(base Position) {
	for i := len(o.marks) - 1; i >= 0 && o.marks[i].IsProvisional(); i-- {
		o.marks[i] = o.marks[i].Rebase(base)
	}
}

// needed is the first position that an unacknowledged credit needs, 0 for none.
func (o *outbox) needed() Position {
	if len(o.marks) == 0 {
		return 0
	}
	return o.marks[0]
}

// A lane is all that a shard knows of credits to and from one other shard.
type lane struct {
	out    outbox
	cursor uint64 // number of the last credit that was applied here
	sum    uint64 // of the orders of all up to the cursor, if they came from another log
}

// take applies the record of a credit, which is the next one.
func (l *lane) take(r *Record) {
	l.cursor = r.Number
	if r.At == 0 {
		l.sum = r.Order.AddTo(l.sum)
	}
}

// Issued is the number of the last credit from this shard to another one.
func (s *Shard) Issued(to int) uint64 { return s.lanes[to].out.issued }

// Acknowledged is the number up to which the credits to another shard are known to be durable there; what only they needed
// is forgotten.
func (s *Shard) Acknowledged(to int) uint64 { return s.lanes[to].out.acknowledged }

// AcknowledgedSum is what Acknowledge was given with that number.
func (s *Shard) AcknowledgedSum(to int) uint64 { return s.lanes[to].out.sum }

// Cursor is the number of the last credit from another shard that was applied here.
func (s *Shard) Cursor(from int) uint64 { return s.lanes[from].cursor }

// CursorSum sums up the orders of all credits up to Cursor (codec.Order.AddTo), if they came from another log than this
// shard's: the shard that paid compares it with its own, to find out whether either was put back to an older state.
func (s *Shard) CursorSum(from int) uint64 { return s.lanes[from].sum }

// Acknowledge says that all credits up to number are durable at their receiver, and writes it down, so that retention need
// not keep their settlements. What is not news changes nothing. A number that was never issued is ErrGap: this shard has
// lost what its receiver has. sum is the receiver's CursorSum up to number.
func (s *Shard) Acknowledge(to int, number, sum uint64) error {
	changed, err := s.lanes[to].out.acknowledge(number, sum)
	if err != nil {
		return fmt.Errorf("shard %d to %d: %w", s.shard, to, err)
	}
	if changed {
		s.write.acknowledged(to, number, sum)
	}
	return nil
}

// Undelivered says what a receiver that has the credits up to cursor lacks: count credits, which are in settlements of
// this shard from position at on, with Record.To and a Record.Number above the cursor. A cursor outside of Acknowledged
// and Issued is ErrGap.
func (s *Shard) Undelivered(to int, cursor uint64) (at Position, count uint64, err error) {
	o := &s.lanes[to].out
	if cursor < o.acknowledged || cursor > o.issued {
		return 0, 0, fmt.Errorf("%w: shard %d has the credits of shard %d up to %d, expected %d to %d (was one of the two "+
			"put back to an older state?)", ErrGap, to, s.shard, cursor, o.acknowledged, o.issued)
	}
	if cursor == o.issued {
		return 0, 0, nil
	}
	return o.find(cursor + 1), o.issued - cursor, nil
}

// Needed is the position of the first record that credits without an acknowledgement still need, 0 for none.
func (s *Shard) Needed() (at Position) {
	for i := range s.lanes {
		if p := s.lanes[i].out.needed(); p != 0 && (at == 0 || p < at) {
			at = p
		}
	}
	return at
}
