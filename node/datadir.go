package node

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"fastpay/codec"
	"fastpay/node/committee"
	"fastpay/node/journal"
)

// dataDir is an authority's part of a data directory. Processes of one authority share it, each with shards of its own:
//
//	<data directory>/<first 16 hex digits of the key>/
//	    shard-<I>.lock    locked by the process that runs shard I
//	    none              a process ran with durability none, and its votes are forgotten
//	    shards-<set>/     journal and snapshots of the process that runs this set of shards, such as 0,2-3
//	        async         a process with durability async runs on it, or ended without syncing
//
// An empty journal is never begun for a shard that has one: its folder is found by the shard, and a start with another set
// is refused.
type dataDir struct {
	path      string // of the authority
	shards    []int
	numShards int
	open      func(path string) (journal.FS, error)
	fs        journal.FS // of path
	locks     []io.Closer
}

const (
	keyDigits    = 16 // of the key, in the name of an authority's folder
	noneMark     = "none"
	asyncMark    = "async"
	folderPrefix = "shards-"
	// maxFolderName is what file systems take as a name.
	maxFolderName = 255
)

// openDataDir takes the locks of the shards, and makes the authority's folder if there is none. nil opens real folders.
func openDataDir(root string, name *codec.Address, shards []int, numShards int,
	open func(path string) (journal.FS, error)) (*dataDir, error) {
	if open == nil {
		open = openFolder
	}
	d := &dataDir{
		path:   filepath.Join(root, hex.EncodeToString(name[:keyDigits/2])),
		shards: shards, numShards: numShards, open: open,
	}
	var err error
	if d.fs, err = open(d.path); err != nil {
		return nil, fmt.Errorf("node: data directory: %w", err)
	}
	for _, s := range shards {
		lock, err := d.fs.Lock(fmt.Sprintf("shard-%d.lock", s))
		if err != nil {
			d.close()
			if errors.Is(err, journal.ErrLocked) {
				return nil, &Refusal{
					fmt.Sprintf("data directory %s: shard %d is in use by another process", d.path, s),
					"end that process first: two that sign with one key would make the authority faulty",
				}
			}
			return nil, fmt.Errorf("node: data directory: %w", err)
		}
		d.locks = append(d.locks, lock)
	}
	return d, nil
}

func openFolder(path string) (journal.FS, error) { return journal.OpenDir(path) }

// close lets go of the locks.
func (d *dataDir) close() {
	for _, l := range d.locks {
		_ = l.Close() // nothing is written to them
	}
	d.locks = nil
}

// folder is where this process's journal lies.
func (d *dataDir) folder() string { return d.folderOf(d.shards) }

func (d *dataDir) folderOf(shards []int) string {
	return filepath.Join(d.path, folderPrefix+formatShards(shards))
}

// checkSet refuses a set of shards of which one has its journal in the folder of another set.
func (d *dataDir) checkSet() error {
	if n := len(filepath.Base(d.folder())); n > maxFolderName {
		return &Refusal{
			fmt.Sprintf("shards %s: a folder's name can't have %d characters", formatShards(d.shards), n),
			"run ranges of shards in one process, such as --shard 0-3",
		}
	}
	sets, err := d.begun()
	if err != nil {
		return err
	}
	for _, set := range sets {
		i := slices.IndexFunc(d.shards, func(s int) bool { return slices.Contains(set, s) })
		if i < 0 || slices.Equal(set, d.shards) {
			continue
		}
		return &Refusal{
			fmt.Sprintf("the journal of shard %d is in %s, which is for a process with shards %s", d.shards[i],
				d.folderOf(set), formatShards(set)),
			"start it " + d.shardFlags(set),
		}
	}
	return nil
}

// shardFlags are the flags that select a set of shards, in words.
func (d *dataDir) shardFlags(set []int) string {
	if len(set) == d.numShards {
		return "without --shard"
	}
	return "with --shard " + formatShards(set)
}

// begun are the sets of shards that have a journal here. Nothing of it may be used by other numbers of shards, so folders
// of shards that the authority does not have are looked at too.
func (d *dataDir) begun() (sets [][]int, err error) {
	entries, err := os.ReadDir(d.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) { // the folder may be one in memory
		return nil, fmt.Errorf("node: data directory: %w", err)
	}
	for _, e := range entries {
		text, ok := strings.CutPrefix(e.Name(), folderPrefix)
		if !ok || !e.IsDir() {
			continue
		}
		set, ok := parseShardSet(text, committee.MaxPort)
		if !ok {
			continue
		}
		begun, err := d.hasJournal(filepath.Join(d.path, e.Name()))
		if err != nil {
			return nil, err
		}
		if begun {
			sets = append(sets, set)
		}
	}
	slices.SortFunc(sets, func(a, b []int) int { return cmp.Compare(a[0], b[0]) })
	return sets, nil
}

func (d *dataDir) hasJournal(folder string) (bool, error) {
	fs, err := d.open(folder)
	if err != nil {
		return false, fmt.Errorf("node: data directory: %w", err)
	}
	_, begun, err := journal.ReadIdentity(fs)
	if err != nil {
		return false, fmt.Errorf("node: %s: %w", folder, err)
	}
	return begun, nil
}
