package node

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"fastpay/node/journal"
)

// Marks are files whose being there says something. They outlive crashes, and are read by people too.

func hasMark(fs journal.FS, name string) (bool, error) {
	names, err := fs.List()
	if err != nil {
		return false, fmt.Errorf("node: data directory: %w", err)
	}
	return slices.Contains(names, name), nil
}

// setMark makes a mark, durable when it returns.
func setMark(fs journal.FS, name, text string) error {
	if has, err := hasMark(fs, name); has || err != nil {
		return err
	}
	f, err := fs.Create(name)
	if err != nil {
		return fmt.Errorf("node: data directory: %w", err)
	}
	n, err := f.WriteAt([]byte(text), 0)
	if err == nil && n < len(text) {
		err = io.ErrShortWrite
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = fs.SyncDir()
	}
	if err != nil {
		return fmt.Errorf("node: data directory: mark %s: %w", name, err)
	}
	return nil
}

// removeMark removes a mark if it is there.
func removeMark(fs journal.FS, name string) error {
	has, err := hasMark(fs, name)
	if !has || err != nil {
		return err
	}
	if err = fs.Remove(name); err == nil {
		err = fs.SyncDir()
	}
	if err != nil {
		return fmt.Errorf("node: data directory: mark %s: %w", name, err)
	}
	return nil
}

const (
	noneText = "An authority with this key ran with --durability none. What it signed then is forgotten, and it may sign " +
		"another order for the same sequence number.\n"
	asyncText = "A process with --durability async runs here, or ended without syncing its last records.\n"

	hintAccept = "--accept-lost-votes starts it all the same: from then on it counts as faulty in the committee if it did " +
		"sign twice; less than a third of the committee's weight may be"
)

// beginNone lets a process keep everything in memory, if no shard of the authority has a journal, and leaves a mark.
func (d *dataDir) beginNone() error {
	sets, err := d.begun()
	if err != nil {
		return err
	}
	if len(sets) > 0 {
		return &Refusal{
			fmt.Sprintf("%s has the journal of this authority: with durability none it would not know what it signed",
				d.folderOf(sets[0])),
			"start it with --durability sync; for trials make another authority, with generate",
		}
	}
	return setMark(d.fs, noneMark, noneText)
}

// checkNone refuses to begin a journal after a process with durability none: its votes are in no journal.
func (d *dataDir) checkNone(accept bool) error {
	ran, err := hasMark(d.fs, noneMark)
	if err != nil || !ran || accept {
		return err
	}
	return &Refusal{
		fmt.Sprintf("data directory %s: this authority ran with --durability none, and its votes are lost", d.path),
		hintAccept,
	}
}

// checkAsync refuses a journal on which a process with durability async did not end in good order.
func checkAsync(fs journal.FS, folder string, accept bool) error {
	unclean, err := hasMark(fs, asyncMark)
	if err != nil || !unclean || accept {
		return err
	}
	return &Refusal{
		fmt.Sprintf("%s: a process with --durability async ended here without syncing, so its last votes may be lost", folder),
		hintAccept,
	}
}
