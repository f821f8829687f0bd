package link

import "fmt"

// Reason is why the two sides of a link can't go on.
type Reason byte

// The reasons. The first three are mistakes of configuration, the others directories that don't belong together.
const (
	// OtherAuthority: the sender is of another authority.
	OtherAuthority Reason = iota + 1
	// OtherShards: the sides don't agree how many shards the authority has; the numbers are theirs.
	OtherShards
	// NoSuchLink: the receiver does not run the shard that is paid, or runs the one that pays; the numbers are the
	// shards.
	NoSuchLink
	// SenderBehind: the sender has issued fewer credits than the receiver has applied; the numbers say how many.
	SenderBehind
	// ReceiverBehind: the receiver has applied fewer credits than it acknowledged; the numbers are what the sender
	// knows to be acknowledged and the receiver's cursor.
	ReceiverBehind
	// OtherHistory: credits up to the receiver's cursor are others at the sender; both numbers are the cursor.
	OtherHistory
	// OtherLog: the sender's journal is another one than a moment ago; the numbers begin their names.
	OtherLog
)

// Refusal ends a connection, from either side. What its numbers mean depends on the reason.
type Refusal struct {
	Reason   Reason
	Sender   uint64
	Receiver uint64
}

// RefusedError is a Refusal with the link that it is about.
type RefusedError struct {
	Pair Pair
	Refusal
}

// Error says what does not fit, and what must have happened.
func (e *RefusedError) Error() string {
	text := "other reason than this version knows"
	switch s, r := e.Sender, e.Receiver; e.Reason {
	case OtherAuthority:
		text = "the shards are of two authorities"
	case OtherShards:
		text = fmt.Sprintf("the sender's authority has %d shards, the receiver's %d", s, r)
	case NoSuchLink:
		text = fmt.Sprintf("there is no link from shard %d to shard %d there (do two processes run one shard, or does the "+
			"committee file say another place?)", s, r)
	case SenderBehind:
		text = fmt.Sprintf("the sender has issued %d credits and the receiver has applied %d: the sender's data directory is "+
			"an old copy or a new one, and using it would lose money", s, r)
	case ReceiverBehind:
		text = fmt.Sprintf("the receiver has acknowledged %d credits and its cursor is at %d: the receiver's data directory is "+
			"an old copy or a new one, and using it would lose money", s, r)
	case OtherHistory:
		text = fmt.Sprintf("credits up to %d are not those that the receiver has applied up to %d: the sender's data directory "+
			"is an old copy or a new one, and using it would lose money", s, r)
	case OtherLog:
		text = fmt.Sprintf("the sender's journal is %016x and was %016x before: its data directory is another one", s, r)
	}
	return fmt.Sprintf("link: shard %d to shard %d refused: %s", e.Pair.From, e.Pair.To, text)
}

// SenderStale reports whether the sender's data directory is not the one that it should be. It must not go on: what it
// has forgotten are votes, too.
func (r *Refusal) SenderStale() bool {
	return r.Reason == SenderBehind || r.Reason == OtherHistory || r.Reason == OtherLog
}

// ReceiverStale is the same of the receiver.
func (r *Refusal) ReceiverStale() bool { return r.Reason == ReceiverBehind }
