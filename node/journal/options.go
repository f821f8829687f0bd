package journal

import (
	"crypto/rand"
	"fmt"
	"io"
)

// Limits and defaults, in bytes.
const (
	// DefaultSegmentSize keeps the zeros that are written ahead, and the tail that recovery copies, to some 50 ms.
	DefaultSegmentSize = 32 << 20
	// MaxSegmentSize is bounded by offsets of 32 bits, and by recovery, which reads a segment at once.
	MaxSegmentSize = 1 << 30
	// DefaultGroupSize has room for several workers' batches while a slow disk syncs. A segment's last bytes, fewer
	// than a group may have, stay unused.
	DefaultGroupSize = 1 << 20
	// DefaultLowSpace lasts for some seconds at the highest load, and for days at a low one.
	DefaultLowSpace = 1 << 30
)

// Options say how to open a journal. The zero value of each is good.
type Options struct {
	// Identity must be that with which the journal was begun; it is written when it is begun now.
	Identity Identity
	// SegmentSize is the size of segments that are begun from now on: a multiple of BlockSize.
	SegmentSize int64
	// GroupSize is the most that a group has, its header included: a multiple of BlockSize. A segment holds at least
	// one.
	GroupSize int
	// Random gives the salts of segments. Tests that must repeat themselves give their own; nil is crypto/rand.
	Random io.Reader
	// Load reads the state at a point from the content of its snapshot; replay then gives the records after it. It is
	// called a second time, for an older point, if the newest snapshot turned out to be damaged, maybe after much of it
	// was read: then it begins anew. It is not called if there is no snapshot. If it is nil, snapshots are not used.
	Load func(at Point, content io.Reader) error
	// OnCommit is called after each commit, by the goroutine that commits: group is the last durable one now. An error
	// is final; the process must stop without answering what it has not answered. It must return soon, for the next
	// group waits for it, and must not call Commit or Close.
	OnCommit func(group uint64, err error)
	// LowSpace is how many bytes should stay free on the disk. With less, OnTrouble gets an error that wraps
	// ErrLowSpace, once for each segment, and snapshots are not written.
	LowSpace int64
	// OnTrouble is called by a goroutine of Run when the disk has little space, or the next segment can't be made ahead
	// of time. The journal goes on until room, the bytes left for groups in the segments that there are, is used up,
	// and then ends with the error that making one has. It must not call Close.
	OnTrouble func(room int64, err error)
}

// resolve fills in the defaults and checks the rest.
func (o Options) resolve() (Options, error) {
	if o.SegmentSize == 0 {
		o.SegmentSize = DefaultSegmentSize
	}
	if o.GroupSize == 0 {
		o.GroupSize = DefaultGroupSize
	}
	if o.LowSpace == 0 {
		o.LowSpace = DefaultLowSpace
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.GroupSize < BlockSize || o.GroupSize%BlockSize != 0 {
		return o, fmt.Errorf("journal: group size %d: expected a multiple of %d", o.GroupSize, BlockSize)
	}
	if o.SegmentSize > MaxSegmentSize || o.SegmentSize%BlockSize != 0 || o.SegmentSize < BlockSize+int64(o.GroupSize) {
		return o, fmt.Errorf("journal: segment size %d: expected a multiple of %d, at most %d, with room for a header "+
			"and a group of %d", o.SegmentSize, BlockSize, int64(MaxSegmentSize), o.GroupSize)
	}
	if n := o.Identity.encodedSize(); n > maxIdentityBytes {
		return o, fmt.Errorf("journal: identity of %d bytes, at most %d fit", n, maxIdentityBytes)
	}
	seen := make(map[string]bool)
	for _, f := range o.Identity {
		if seen[f.Name] {
			return o, fmt.Errorf("journal: identity names %q twice", f.Name)
		}
		seen[f.Name] = true
	}
	if o.OnCommit == nil {
		o.OnCommit = func(uint64, error) {}
	}
	if o.OnTrouble == nil {
		o.OnTrouble = func(int64, error) {}
	}
	return o, nil
}
