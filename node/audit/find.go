package audit

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"fastpay/codec"
	"fastpay/node/committee"
	"fastpay/node/journal"
)

// ErrNone: there is no journal.
var ErrNone = errors.New("audit: no journal")

// findDepth is how far below a directory journals are looked for: a data directory has a folder for each authority, and
// that one for each process.
const findDepth = 2

// Find gives the folders of all journals in a directory: of one, of an authority, or a data directory.
func Find(path string) (folders []string, err error) {
	if folders, err = find(path, findDepth); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	if folders == nil {
		return nil, fmt.Errorf("%w in %s: expected a data directory, an authority's folder in it, or the folder of a journal",
			ErrNone, path)
	}
	return folders, nil
}

func find(path string, depth int) (folders []string, err error) {
	dir, err := journal.ExistingDir(path)
	if err != nil {
		return nil, err
	}
	segments, err := journal.ListSegments(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // one was removed meanwhile
		return nil, err
	}
	snapshots, err := journal.ListSnapshots(dir)
	if err != nil {
		return nil, err
	}
	if len(segments)+len(snapshots) > 0 || depth == 0 {
		if len(segments)+len(snapshots) > 0 {
			folders = []string{dir.Path()}
		}
		return folders, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		below, err := find(filepath.Join(path, e.Name()), depth-1)
		if errors.Is(err, fs.ErrPermission) {
			continue // somebody else's, and no data directory of ours
		}
		if err != nil {
			return nil, err
		}
		folders = append(folders, below...)
	}
	return folders, nil
}

// The fields of a journal's identity that a node writes.
const (
	fieldAuthority = "authority"
	fieldShards    = "shards"
	fieldNumShards = "number of shards"
	fieldCommittee = "committee"
	fieldAccounts  = "initial accounts"
)

// identify fills in whose journal it is.
func (j *Journal) identify(id journal.Identity) error {
	for _, f := range id {
		switch f.Name {
		case fieldAuthority:
			j.Authority = f.Value
		case fieldShards:
			j.Shards = parseShards(f.Value)
		case fieldNumShards:
			j.NumShards, _ = strconv.Atoi(f.Value)
		case fieldCommittee:
			j.Committee = f.Value
		case fieldAccounts:
			j.Accounts = f.Value
		}
	}
	if _, err := codec.ParseAddress(j.Authority); err != nil || j.NumShards < 1 || j.NumShards > committee.MaxPort ||
		len(j.Shards) == 0 || j.Shards[len(j.Shards)-1] >= j.NumShards {
		return fmt.Errorf("audit: %s: not the journal of an authority: its identity is %v", j.Path, id)
	}
	return nil
}

// parseShards reads a set of shards such as 0,2-3; nil if it is none.
func parseShards(s string) (shards []int) {
	for part := range strings.SplitSeq(s, ",") {
		first, last, ranged := strings.Cut(part, "-")
		if !ranged {
			last = first
		}
		from, err1 := strconv.ParseUint(first, 10, 16)
		to, err2 := strconv.ParseUint(last, 10, 16)
		if err1 != nil || err2 != nil {
			return nil
		}
		for i := from; i <= to; i++ {
			shards = append(shards, int(i))
		}
	}
	if !slices.IsSorted(shards) {
		return nil
	}
	return slices.Compact(shards)
}

// The marks that a node makes, and where.
const (
	asyncMark = "async" // in the journal's folder
	noneMark  = "none"  // in the authority's, above it
)

// findMarks notes the marks that are there.
func (j *Journal) findMarks() {
	for _, mark := range [...]string{filepath.Join(j.Path, asyncMark), filepath.Join(j.Path, "..", noneMark)} {
		if info, err := os.Stat(mark); err == nil && info.Mode().IsRegular() {
			j.Marks = append(j.Marks, filepath.Base(mark))
		}
	}
	slices.SortFunc(j.Marks, cmp.Compare)
}
