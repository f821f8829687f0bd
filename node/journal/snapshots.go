package journal

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// snapshotsKept is how many snapshots there are at most: should the newest be damaged, the other one serves.
const snapshotsKept = 2

// begin is where replay begins.
type begin struct {
	at      Point
	loaded  bool
	id      ID      // zero if no snapshot said it
	points  []Point // of the snapshots that may be loaded, newest first
	damaged []error
}

// loadSnapshot gives the newest snapshot that is whole to options.Load.
func loadSnapshot(fs FS, o *Options, names *listing) (b begin, err error) {
	for _, number := range names.snapshots {
		err := b.tryLoad(fs, o, names, number)
		if damage := (*damageError)(nil); errors.As(err, &damage) {
			b.damaged = append(b.damaged, damage.error)
		} else if err != nil {
			return b, errors.Join(append(slices.Clone(b.damaged), err)...)
		}
	}
	if o.Load != nil && !b.loaded && len(b.damaged) > 0 {
		return b, errors.Join(b.damaged...)
	}
	return b, nil
}

// damageError says that one snapshot can't be read.
type damageError struct{ error }

// tryLoad loads a snapshot if none was loaded so far, and adds it to those that may be loaded.
func (b *begin) tryLoad(fs FS, o *Options, names *listing, number uint32) error {
	info, r, err := openSnapshot(fs, number)
	if errors.Is(err, ErrVersion) {
		return err
	}
	if err != nil {
		return &damageError{err}
	}
	defer r.file.Close()
	if err := info.Identity.difference(o.Identity); err != nil {
		return err
	}
	if b.id != (ID{}) && info.ID != b.id {
		return &damageError{snapshotError(r.name, snapOffID, fmt.Sprintf("this is a snapshot of journal %x, not of %x",
			info.ID, b.id))}
	}
	if o.Load != nil && !b.loaded {
		if _, err := names.from(number); err != nil {
			return err
		}
		if err := r.give(info.At, o.Load); err != nil {
			return err
		}
		b.at, b.loaded = info.At, true
	}
	b.id = info.ID
	b.points = append(b.points, info.At)
	return nil
}

// give lets read have the content. What it leaves is verified as well.
func (r *snapshotReader) give(at Point, read func(at Point, content io.Reader) error) error {
	err := read(at, r)
	for r.err == nil && err == nil {
		r.rest, r.err = nil, r.next()
	}
	if r.err != nil && r.err != io.EOF {
		return &damageError{r.err}
	}
	if err != nil {
		return fmt.Errorf("journal: load snapshot of %v: %w", at, err)
	}
	return nil
}

// Snapshots gives the points of the snapshots that recovery could begin with, newest first.
func (j *Journal) Snapshots() []Point {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.points)
}

// WriteSnapshot makes a snapshot of the state at a point, which ReadGroups returned or which is the beginning, out of
// the bytes that write writes, in pieces of any size. Once it has returned, recovery begins with this snapshot; the one
// before it is kept as well, older ones are removed. It may run beside commits, which don't wait for it, but only once
// at a time. An error is not final, and leaves the snapshots as they were; if only removing failed, the new one is
// there, as Snapshots says. Close makes it fail.
func (j *Journal) WriteSnapshot(at Point, write func(io.Writer) error) error {
	if err := j.beginBeside(); err != nil {
		return err
	}
	defer j.endBeside()
	j.snapshotMu.Lock()
	defer j.snapshotMu.Unlock()
	if sealed := j.Sealed(); at.Segment == 0 || at.Segment > sealed+1 {
		return fmt.Errorf("journal: snapshot of %v: only %x and those before it are sealed", at, sealed)
	}
	if err := j.lowSpace(); err != nil { // what commits need must not go into a snapshot
		return fmt.Errorf("journal: snapshot of %v: %w", at, err)
	}
	points := j.Snapshots()
	if len(points) > 0 && at.Segment <= points[0].Segment {
		return fmt.Errorf("journal: snapshot of %v: there is one of %v already", at, points[0])
	}
	if err := j.writeSnapshot(at, write); err != nil {
		return fmt.Errorf("journal: snapshot of %v: %w", at, err)
	}
	points = slices.Insert(points, 0, at)
	points = points[:min(len(points), snapshotsKept)]
	j.mu.Lock()
	j.points = points
	j.mu.Unlock()
	return j.removeSnapshotsBut(points)
}

func (j *Journal) writeSnapshot(at Point, write func(io.Writer) error) (err error) {
	name := snapshotName(at.Segment)
	unfinished := name + unfinishedSuffix
	f, err := j.fs.Create(unfinished)
	if err != nil {
		return err
	}
	defer func() {
		_ = f.Close() // it is synced, or given up
		if err != nil {
			_ = j.fs.Remove(unfinished) // and if it can't be removed, the next Open does
		}
	}()
	header := appendSnapshotHeader(nil, &SnapshotInfo{At: at, ID: j.recovery.ID, Identity: j.options.Identity})
	if err := writeAt(f, header, 0); err != nil {
		return err
	}
	w := &snapshotWriter{file: f, stopped: j.stopped, enough: j.lowSpace, at: BlockSize, crc: headerCRC(header),
		buf: make([]byte, snapshotBlockHeader, BlockSize)}
	if err := write(w); err != nil {
		return err
	}
	if err := w.finish(); err != nil {
		return err
	}
	if err := j.fs.Rename(unfinished, name); err != nil {
		return err
	}
	return j.fs.SyncDir()
}

// removeSnapshotsBut removes all snapshots but those of these points.
func (j *Journal) removeSnapshotsBut(points []Point) error {
	names, err := list(j.fs)
	if err != nil {
		return err
	}
	for _, number := range names.snapshots {
		if slices.ContainsFunc(points, func(p Point) bool { return p.Segment == number }) {
			continue
		}
		if err := j.fs.Remove(snapshotName(number)); err != nil {
			return fmt.Errorf("journal: remove old snapshot: %w", err)
		}
	}
	if err := j.fs.SyncDir(); err != nil {
		return fmt.Errorf("journal: remove old snapshots: %w", err)
	}
	return nil
}

// ReadSnapshot gives read the content of the snapshot of a point, each byte verified before. It may run beside anything
// else.
func (j *Journal) ReadSnapshot(at Point, read func(content io.Reader) error) error {
	if err := j.beginBeside(); err != nil {
		return err
	}
	defer j.endBeside()
	return ScanSnapshot(j.fs, at.Segment, func(info SnapshotInfo, content io.Reader) error {
		if info.At != at || info.ID != j.recovery.ID {
			return snapshotError(snapshotName(at.Segment), snapOffGroup, fmt.Sprintf(
				"this is a snapshot of %v in journal %x, not of %v in %x", info.At, info.ID, at, j.recovery.ID))
		}
		return read(content)
	})
}

// ListSnapshots gives the segments of the points of all snapshots in fs, newest first.
func ListSnapshots(fs FS) ([]uint32, error) {
	names, err := list(fs)
	return names.snapshots, err
}

// ScanSnapshot gives read the header and the content of the snapshot of a point before this segment. It changes nothing
// and takes no lock.
func ScanSnapshot(fs FS, segment uint32, read func(info SnapshotInfo, content io.Reader) error) error {
	info, r, err := openSnapshot(fs, segment)
	if err != nil {
		return err
	}
	defer r.file.Close()
	err = r.give(info.At, func(_ Point, content io.Reader) error { return read(info, content) })
	if damage := (*damageError)(nil); errors.As(err, &damage) {
		return damage.error
	}
	return err
}
