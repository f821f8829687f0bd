package journal

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	// LockName is the file that the process which has the journal open has locked.
	LockName       = "LOCK"
	segmentSuffix  = ".log"
	snapshotSuffix = ".snapshot"
	// unfinishedSuffix marks a file that is being written in full. It never has records of its own.
	unfinishedSuffix = ".tmp"
)

func segmentName(number uint32) string { return fmt.Sprintf("%016x%s", number, segmentSuffix) }

// snapshotName is by the segment of the snapshot's point.
func snapshotName(segment uint32) string { return fmt.Sprintf("%016x%s", segment, snapshotSuffix) }

// parseName is the inverse of segmentName and snapshotName.
func parseName(name, suffix string) (number uint32, ok bool) {
	digits, ok := strings.CutSuffix(name, suffix)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 16, 32)
	return uint32(n), err == nil && n > 0 && n <= maxSegmentNumber && fmt.Sprintf("%016x", n) == digits
}

// listing is the journal's files; others are left alone.
type listing struct {
	segments   []uint32 // ascending
	snapshots  []uint32 // newest first
	unfinished []string
}

func list(fs FS) (l listing, err error) {
	names, err := fs.List()
	if err != nil {
		return l, fmt.Errorf("journal: list files: %w", err)
	}
	for _, name := range names {
		if number, ok := parseName(name, segmentSuffix); ok {
			l.segments = append(l.segments, number)
		} else if number, ok := parseName(name, snapshotSuffix); ok {
			l.snapshots = append(l.snapshots, number)
		} else if finished, ok := strings.CutSuffix(name, unfinishedSuffix); ok &&
			(strings.HasSuffix(finished, segmentSuffix) || strings.HasSuffix(finished, snapshotSuffix)) {
			l.unfinished = append(l.unfinished, name)
		}
	}
	slices.Sort(l.segments)
	slices.Sort(l.snapshots)
	slices.Reverse(l.snapshots)
	return l, nil
}

// from is the segments from the number on. It fails if one of them is missing, or all while there is a snapshot.
func (l *listing) from(number uint32) ([]uint32, error) {
	if len(l.segments) == 0 {
		if len(l.snapshots) > 0 {
			return nil, &CorruptError{segmentName(max(number, l.snapshots[0])), 0, "the file is missing, though " +
				snapshotName(l.snapshots[0]) + " is there"}
		}
		return nil, nil
	}
	first, found := slices.BinarySearch(l.segments, number)
	for i, n := range l.segments[first:] {
		if n != number+uint32(i) {
			return nil, &CorruptError{segmentName(number + uint32(i)), 0,
				"the file is missing, though a later one is there"}
		}
	}
	if !found {
		return nil, &CorruptError{segmentName(number), 0, "the file is missing, though a snapshot needs it"}
	}
	return l.segments[first:], nil
}

// first is the lowest number from which on no segment is missing; 0 if there is none. Those before a gap are what a
// crash during RemoveBefore left.
func (l *listing) first() uint32 {
	for i := len(l.segments) - 1; i > 0; i-- {
		if l.segments[i-1] != l.segments[i]-1 {
			return l.segments[i]
		}
	}
	if len(l.segments) == 0 {
		return 0
	}
	return l.segments[0]
}
