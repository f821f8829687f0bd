package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node"
	"fastpay/node/committee"
	"fastpay/perf"
)

// RestartOptions describe a measurement of a start from a snapshot.
type RestartOptions struct {
	Accounts  int
	NumShards int
	DataDir   string // where the journal is made, and removed afterwards; by default in the user's cache folder
	Stderr    io.Writer
	Command   []string // to be kept with the result
}

// RestartTime is how long an authority's process takes to accept again.
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

// RunRestart starts an authority with that many accounts in a process of its own, which writes them into its first
// snapshot, stops it, has the kernel forget the files, and starts it again. A start is from the begin of reading what
// accounts there are to every port accepting.
func RunRestart(ctx context.Context, o RestartOptions) (*RestartTime, error) {
	if o.Accounts < 1 || o.NumShards < 1 {
		return nil, fmt.Errorf("bench: restart with %d accounts in %d shards: expected one of each at least", o.Accounts, o.NumShards)
	}
	dir, remove, err := (&Options{Durability: string(node.DurabilitySync), DataDir: o.DataDir}).makeDataDir()
	if err != nil {
		return nil, err
	}
	defer remove()
	key := memberKey('r', 0)
	spec := authoritySpec{Members: []crypto.PublicKey{key.Public()}, Protocol: committee.TCP, Host: "127.0.0.1",
		NumShards: o.NumShards, Pin: "auto", MaxMessage: codec.DefaultMaxMessage, Durability: string(node.DurabilitySync),
		DataDir: dir, Accounts: o.Accounts, Balance: 1, Seed: key.Seed()}
	addresses := make([]codec.Address, o.Accounts)
	source := rand.NewChaCha8([32]byte{'r', 'e', 's', 't', 'a', 'r', 't'})
	for i := range addresses {
		_, _ = source.Read(addresses[i][:]) // never fails
	}
	r := &RestartTime{Accounts: o.Accounts, NumShards: o.NumShards, FileSystem: perf.FileSystem(dir), DurabilityWas: spec.Durability,
		Environment: perf.NewEnvironment(crypto.Backend()), Command: o.Command}
	if r.FirstSeconds, _, err = startOnce(spec, addresses, o.Stderr); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var forgotten error
	if r.DiskBytes, forgotten, err = forget(dir); err != nil {
		return nil, fmt.Errorf("bench: restart: %w", err)
	}
	r.FromDisk = forgotten == nil
	r.Seconds, r.PeakRSSBytes, err = startOnce(spec, addresses, o.Stderr)
	return r, err
}

// startOnce starts the authority and stops it, and returns how long the start took.
func startOnce(spec authoritySpec, addresses []codec.Address, stderr io.Writer) (seconds float64, peakRSS int64, err error) {
	a, err := startChild(spec, addresses, stderr)
	if err != nil {
		return 0, 0, err
	}
	mark, err := a.mark()
	return a.startedIn().Seconds(), mark.PeakRSS, errors.Join(err, a.stop())
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
	from := "from the disk"
	if !r.FromDisk {
		from = "maybe from the kernel's cache"
	}
	_, err := fmt.Fprintf(out, "An authority of %s accounts in %d shards, %s MiB on %s\n First start: %.2f s\n Start %s: %.2f s, %s MiB at most\n",
		grouped(r.Accounts), r.NumShards, grouped(int(r.DiskBytes>>20)), orNone(r.FileSystem), r.FirstSeconds, from, r.Seconds,
		grouped(int(r.PeakRSSBytes>>20)))
	return err
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
