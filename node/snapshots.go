package node

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"fastpay/node/authority"
	"fastpay/node/journal"
)

const (
	// minSnapshotBytes of sealed segments make a new snapshot worth its work, and take a second to recover; and as many as
	// the last one has, so that no more is written for snapshots than for the journal.
	minSnapshotBytes = 512 << 20
	// snapshotInterval is how often it is looked whether a snapshot is due.
	snapshotInterval = time.Second
	// snapshotSlice is how long making one works before it pauses, so that a loop on the same CPU never waits long; and
	// snapshotRest how many times as long the pause is.
	snapshotSlice = time.Millisecond
	snapshotRest  = 3
)

// Retain says what of the journal is kept under a snapshot: bytes of segments, at least, or everything. What credits that
// are under way need is kept in any case.
type Retain struct {
	All   bool
	Bytes int64
}

// makeSnapshots makes a snapshot whenever one is due, from the one before and the segments since, and never from what the
// shards hold: they are not disturbed.
func (s *store) makeSnapshots() {
	tick := time.NewTicker(s.node.limits.snapshotInterval)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		to := s.journal.Sealed()
		if !s.snapshotDue(to) {
			continue
		}
		began := time.Now()
		s.runs.begin()
		err := s.makeSnapshot(to)
		if err == nil {
			s.snapshots.Add(1)
			s.node.log.Debug("snapshot", "segment", to, "took", time.Since(began))
			err = s.retire()
		}
		s.runs.end(s.snapshotBytes)
		if errors.Is(err, journal.ErrClosed) || s.halted.Load() {
			return
		}
		if err != nil {
			s.node.log.Error("no snapshot could be made; the journal grows until one can", "error", err)
		}
	}
}

// snapshotDue reports whether the segments up to the one given, which is sealed, are worth a snapshot.
func (s *store) snapshotDue(to uint32) bool {
	from := s.journal.Snapshots()[0].Segment
	sealed := (int64(to) - int64(from) + 1) * s.node.limits.segmentBytes
	return sealed >= max(s.node.limits.snapshotBytes, s.snapshotBytes)
}

// behind reports whether so much was sealed after the segment given, the last one of a snapshot that is being made, that the
// next is due already.
func (s *store) behind(to uint32) bool {
	return (int64(s.journal.Sealed())-int64(to))*s.node.limits.segmentBytes >= s.node.limits.snapshotBytes
}

// makeSnapshot makes the snapshot of the state after a segment.
func (s *store) makeSnapshot(to uint32) error {
	last := s.journal.Snapshots()[0]
	pace := pacer{stop: s.stop, behind: func() bool { return s.behind(to) }, began: time.Now()}
	return s.journal.ReadSnapshot(last, func(old io.Reader) error {
		list, err := readAccountsList(old)
		if err != nil {
			return err
		}
		m, err := authority.NewMerger(pacedReader{old, &pace}, s.node.Member.NumShards, s.node.shards)
		if err != nil {
			return err
		}
		m.Pause = pace.rest
		m.Seed(s.node.seed)
		var group []authority.Logged
		after, err := s.journal.ReadGroups(last, to, func(records []journal.Record) error {
			pace.rest()
			group = group[:0]
			for _, r := range records {
				if len(r.Data) > 0 && r.Data[0] == recordList {
					if err := list.parse(r.Data[1:]); err != nil {
						return err
					}
					continue
				}
				group = append(group, authority.Logged{Shard: int(r.Shard), At: authority.Position(r.Position), Record: r.Data})
			}
			return m.AddAll(group)
		}, func(before journal.Position) error { return m.Leave(authority.Position(before)) })
		if err != nil {
			return err
		}
		return s.journal.WriteSnapshot(after, func(w io.Writer) error {
			paced := &pacedWriter{w: w, p: &pace}
			defer func() { s.snapshotBytes = paced.n }()
			return s.save(paced, list, m)
		})
	})
}

// retire removes the segments that nobody needs any more: those before the older snapshot, the outbox of any shard, and
// what is to be retained.
func (s *store) retire() error {
	if s.node.Retain.All {
		return nil
	}
	points := s.journal.Snapshots()
	if len(points) < 2 {
		return nil
	}
	before := points[1].Segment
	for i := range s.needed {
		before = min(before, s.needed[i].Load())
	}
	files, err := s.journal.Segments()
	if err != nil {
		return err
	}
	total := int64(0)
	for i := len(files) - 1; i >= 0; i-- {
		if total += files[i].Size; total > s.node.Retain.Bytes {
			before = min(before, files[i].Number+1) // this one need not be kept
			break
		}
	}
	if total <= s.node.Retain.Bytes {
		return nil
	}
	return s.journal.RemoveBefore(before)
}

// pacer makes work on the side leave the CPU to the loops most of the time, but not without end: what is behind doesn't rest,
// or the journal, and with it the next recovery, would grow for as long as the load is high.
type pacer struct {
	stop   <-chan struct{}
	behind func() bool
	began  time.Time // of this slice
}

// rest is called often, and sleeps if enough was done since the last time.
func (p *pacer) rest() {
	worked := time.Since(p.began)
	if worked < snapshotSlice {
		return
	}
	if p.behind() {
		p.began = time.Now()
		return
	}
	select {
	case <-p.stop: // the rest is not made, or made in a hurry
	case <-time.After(snapshotRest * worked):
	}
	p.began = time.Now()
}

type pacedReader struct {
	r io.Reader
	p *pacer
}

// Read implements io.Reader.
func (r pacedReader) Read(b []byte) (int, error) {
	r.p.rest()
	return r.r.Read(b)
}

// pacedWriter also counts.
type pacedWriter struct {
	w io.Writer
	p *pacer
	n int64
}

// Write implements io.Writer.
func (c *pacedWriter) Write(b []byte) (int, error) {
	c.p.rest()
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

// ParseRetain reads the value of a flag: all, none, or a size such as 20GiB.
func ParseRetain(s string) (Retain, error) {
	switch s {
	case "all":
		return Retain{All: true}, nil
	case "none":
		return Retain{}, nil
	}
	bytes, err := parseSize(s)
	if err != nil {
		return Retain{}, fmt.Errorf("node: retain %q: expected all, none, or a size such as 20GiB", s)
	}
	return Retain{Bytes: bytes}, nil
}

// parseSize reads a number of bytes with a unit.
func parseSize(s string) (int64, error) {
	for i, unit := range [...]string{"KiB", "MiB", "GiB", "TiB"} {
		if digits, ok := strings.CutSuffix(s, unit); ok {
			n, err := strconv.ParseUint(digits, 10, 63-10*(i+1))
			return int64(n) << (10 * (i + 1)), err
		}
	}
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err
}
