package bench

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"fastpay/node"
)

// makeDataDir makes a directory for the journal of one run, and returns how to remove it. It lies in the data directory of
// the options, by default in the user's cache folder: what is in memory, as /tmp often is, would measure no disk. A run
// without a journal has none.
func (o *Options) makeDataDir() (path string, remove func(), err error) {
	if o.Durability == string(node.DurabilityNone) {
		return "", func() {}, nil
	}
	parent := o.DataDir
	if parent == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", nil, fmt.Errorf("bench: no place for a journal, see --data-dir: %w", err)
		}
		parent = filepath.Join(cache, "fastpay")
	}
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return "", nil, fmt.Errorf("bench: data directory: %w", err)
	}
	if path, err = os.MkdirTemp(parent, "bench-data-"); err != nil {
		return "", nil, fmt.Errorf("bench: data directory: %w", err)
	}
	k, err := startKeeper(path) // which removes it, also when this process is killed
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("bench: data directory: %w", err), os.RemoveAll(path))
	}
	return path, func() { _ = k.stop() }, nil // what is left over is in a folder for that
}
