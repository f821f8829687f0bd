package journal

import (
	"errors"
	"fmt"
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
	// ErrLocked: another process has the journal open.
	ErrLocked = errors.New("journal: in use by another process")
	// ErrIdentity: the journal was begun with another identity.
	ErrIdentity = errors.New("journal: identity differs")
	// ErrVersion: the journal was written by a program with another format.
	ErrVersion = errors.New("journal: unknown format")

	errRunning = errors.New("journal: Run is running already")
)

// CorruptError is damage to data that was durable: a journal that can't be trusted. Nothing was changed.
type CorruptError struct {
	File   string
	Offset int64
	Reason string
}

// Error says where, what, and what to do.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("journal: %s: offset %d: %s. This is not the torn end that a crash leaves; votes may be lost, and "+
		"signing again could make money twice. Restore the directory from a copy that has this file whole, and keep the "+
		"damaged one; without a copy, retire this authority's key", e.File, e.Offset, e.Reason)
}
