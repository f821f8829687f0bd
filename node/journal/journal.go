package journal

import (
	"io"
	"sync"
	"sync/atomic"
)

// Journal is an open journal. Any goroutine may append, wait and read. Groups are committed by whoever calls Commit:
// Run does so as soon as there is something, in a goroutine that the caller gives it; a simulator calls Commit when its
// clock says so.
type Journal struct {
	fs       FS
	options  Options // resolved
	lock     io.Closer
	recovery Recovery
	counters counters
	readers  readers
	wake     signal        // for Run: something was appended, or it is to stop
	stop     atomic.Bool   // set by Close
	durable  atomic.Uint64 // sequence of the last durable group
	end      atomic.Uint64 // Position after it
	first    atomic.Uint32 // first segment that is kept

	commitMu sync.Mutex // held while a group is in flight
	active   *segment   // where the last group was written
	flying   pending

	snapshotMu sync.Mutex // held while a snapshot is written

	mu        sync.Mutex // never held over an operation of the file system
	cond      sync.Cond  // durable, err, preparing or running changed
	filling   pending
	room      int64    // bytes for groups from filling.base to the end of its segment
	newest    uint32   // number of the last segment that there is
	next      *segment // that one, if it was made ahead and is not used yet
	preparing bool     // it is being made
	retryRoom int64    // after a failure, next is tried again when room falls below
	running   bool
	beside    int     // calls that read or write files beside the commits; Close waits for them
	points    []Point // of the snapshots that may be loaded, newest first
	closed    bool
	err       error // final
}

// pending is a group in memory. Its buffer begins with room for the header, and has the capacity of the largest group.
type pending struct {
	buf      []byte
	count    int
	sequence uint64
	base     Position // of the group; its first record is groupHeaderSize further
}

// Recovery says what Open found.
func (j *Journal) Recovery() Recovery { return j.recovery }

// Close commits what was appended, marks the end as clean, ends Run, and lets go of the files and the lock. It returns
// the error that made the journal stop before, if there was one; then nothing is written. A second call does nothing.
func (j *Journal) Close() error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	j.closed = true
	j.stop.Store(true)
	j.wake.give()
	for j.running || j.beside > 0 {
		j.cond.Wait()
	}
	j.mu.Unlock()

	err := j.Commit()
	if err == nil {
		err = j.commit(true)
	}
	j.mu.Lock()
	for j.preparing {
		j.cond.Wait()
	}
	if j.err == nil {
		j.err = ErrClosed
	}
	next := j.next
	j.next = nil
	j.cond.Broadcast()
	j.mu.Unlock()

	// Everything that matters is synced, or was given up because of err: closing has nothing to add.
	j.commitMu.Lock()
	defer j.commitMu.Unlock()
	_ = j.active.file.Close()
	if next != nil {
		_ = next.file.Close()
	}
	j.readers.close()
	_ = j.lock.Close()
	return err
}
