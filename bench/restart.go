package bench

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"fastpay/crypto"
	"fastpay/node"
	"fastpay/perf"
)

// RestartOptions describe a measurement of a start from a snapshot.
type RestartOptions struct {
	Accounts  int
	NumShards int
	DataDir   string   // where the files and the journal are made, and removed afterwards; by default in the user's cache folder
	Command   []string // to be kept with the result
}

// RestartTime is how long an authority's process takes from its start to the first reply on every port: 'server run', as its
// users start it.
type RestartTime struct {
	Accounts      int              `json:"accounts"`
	NumShards     int              `json:"num_shards"`
	DiskBytes     int64            `json:"disk_bytes"` // of its data directory, snapshot and all
	FirstSeconds  float64          `json:"first_start_seconds"`
	Seconds       float64          `json:"start_seconds"` // of the second start, from the disk
	FromDisk      bool             `json:"from_disk"`     // the kernel was told to forget the files in between
	PeakRSSBytes  int64            `json:"peak_rss_bytes"`
	FileSystem    string           `json:"file_system"`
	DurabilityWas string           `json:"durability"`
	Environment   perf.Environment `json:"environment"`
	Command       []string         `json:"command,omitempty"`
}

// RunRestart runs 'server run' with that many initial accounts, which writes them into its first snapshot, stops it, has the
// kernel forget the files, and runs it again.
func RunRestart(ctx context.Context, o RestartOptions) (*RestartTime, error) {
	if o.Accounts < 1 || o.Accounts > maxAccounts || o.NumShards < 1 || o.NumShards > maxShards {
		return nil, fmt.Errorf("bench: restart with %d accounts in %d shards: expected 1 to %d accounts in 1 to %d shards", o.Accounts,
			o.NumShards, maxAccounts, maxShards)
	}
	dir, remove, err := (&Options{Durability: string(node.DurabilitySync), DataDir: o.DataDir}).makeDataDir()
	if err != nil {
		return nil, err
	}
	defer remove()
	s, err := newRestartServer(dir, o)
	if err != nil {
		return nil, err
	}
	r := &RestartTime{Accounts: o.Accounts, NumShards: o.NumShards, FileSystem: perf.FileSystem(dir),
		DurabilityWas: string(node.DurabilitySync), Environment: perf.NewEnvironment(crypto.Backend()), Command: o.Command}
	if r.FirstSeconds, _, err = s.run(ctx); err != nil {
		return nil, err
	}
	var forgotten error
	if r.DiskBytes, forgotten, err = forget(s.file("data")); err == nil {
		_, other, err2 := forget(dir)
		forgotten, err = cmp.Or(forgotten, other), err2
	}
	if err != nil {
		return nil, fmt.Errorf("bench: restart: %w", err)
	}
	r.FromDisk = forgotten == nil
	r.Seconds, r.PeakRSSBytes, err = s.run(ctx)
	return r, err
}

// forget has the kernel drop what it has of all files below dir in its cache, which needs no privilege. forgotten is why it
// may not have.
func forget(dir string) (bytes int64, forgotten, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return err
		}
		bytes += info.Size()
		forgotten = cmp.Or(forgotten, f.Sync(), unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED))
		return nil
	})
	return bytes, forgotten, err
}

// WriteText says it in a few lines.
func (r *RestartTime) WriteText(out io.Writer) error {
	_, err := fmt.Fprintf(out, "An authority of %s accounts in %d shards, %s MiB on %s, from the start of 'server run' to the first "+
		"reply on every port\n First start: %.2f s\n Start %s: %.2f s, %s MiB at most\n", grouped(r.Accounts), r.NumShards,
		grouped(int(r.DiskBytes>>20)), orNone(r.FileSystem), r.FirstSeconds, fromDisk(r.FromDisk), r.Seconds, grouped(int(r.PeakRSSBytes>>20)))
	return err
}

// fromDisk says where a start read from.
func fromDisk(forgotten bool) string {
	if forgotten {
		return "from the disk"
	}
	return "maybe from the kernel's cache"
}

// WriteFile writes it as JSON.
func (r *RestartTime) WriteFile(name string) error {
	return writeJSON(name, r)
}

// ReadRestartTime reads what WriteFile wrote.
func ReadRestartTime(name string) (*RestartTime, error) {
	r := new(RestartTime)
	if err := readJSON(name, r); err != nil {
		return nil, err
	}
	if r.Accounts == 0 || r.Seconds == 0 {
		return nil, fmt.Errorf("bench: %s is not a result of a restart: it has no accounts, or no time", name)
	}
	return r, nil
}
