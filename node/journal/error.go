package journal

import (
	"errors"
	"fmt"
	"strings"
)

// Errors of Append, Commit, Wait and Read.
var (
	// ErrClosed: the journal was closed.
	ErrClosed = errors.New("journal: closed")
	// ErrFull: the group that fills has no room for the batch. Wait for it, then append again.
	ErrFull = errors.New("journal: the group that fills has no room; wait for it, then append again")
	// ErrTooLarge: the batch does not fit in any group.
	ErrTooLarge = errors.New("journal: the batch is larger than a group can be")
	// ErrNotDurable: the record to read has not been synced yet.
	ErrNotDurable = errors.New("journal: the record is not durable yet")
	// ErrRemoved: the record to read lies in a segment that was removed.
	ErrRemoved = errors.New("journal: the record's segment was removed")
	// ErrLowSpace: the disk is nearly full; see Options.LowSpace.
	ErrLowSpace = errors.New("journal: the disk is nearly full; free some space, or keep fewer segments")
	// ErrLocked: another process has the journal open.
	ErrLocked = errors.New("journal: in use by another process")
	// ErrIdentity: the journal was begun with another identity.
	ErrIdentity = errors.New("journal: identity differs")
	// ErrVersion: the journal was written by a program with another format.
	ErrVersion = errors.New("journal: unknown format")

	errRunning = errors.New("journal: Run is running already")
)

// CorruptError is damage to data that was durable: a journal that can't be trusted, or a snapshot that can't be used.
// Nothing was changed.
type CorruptError struct {
	File   string
	Offset int64
	Reason string
}

// Error says where, what, and what to do.
func (e *CorruptError) Error() string {
	where := fmt.Sprintf("journal: %s: offset %d: %s. ", e.File, e.Offset, e.Reason)
	if strings.HasSuffix(e.File, snapshotSuffix) {
		return where + "An older snapshot serves as long as the segments after it are there; without one, restore this " +
			"file from a copy, and keep the damaged one"
	}
	return where + "This is not the torn end that a crash leaves; votes may be lost, and signing again could make " +
		"money twice. Restore the directory from a copy that has this file whole, and keep the damaged one; without a " +
		"copy, retire this authority's key"
}

// versionError describes a header that begins as magic does, but for the last byte.
func versionError(name string, header []byte, magic [8]byte) error {
	at := len(magic) - 1
	return fmt.Errorf("%w: %s has version %d, this program knows %d", ErrVersion, name, header[at], magic[at])
}
