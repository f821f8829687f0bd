package client

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// The wallet holds keys, so nobody but its owner may read it.
const walletMode = 0o600

// Next to the wallet: its next content while it is being written, and the lock file while a command runs.
const (
	tempSuffix = ".tmp"
	lockSuffix = ".lock"
)

// ErrLocked is another command at work on the same wallet.
var ErrLocked = errors.New("client: the wallet is in use by another command")

// replaceFile gives path new content, all of it or nothing of it whenever the machine stops: it goes to a second file in
// the same folder, is synced, and takes the name; then the folder is synced. On an error the old content stands, but for
// a failed sync of the folder, after which either may. step is called before each step; its error is the step's.
func replaceFile(path string, write func(*os.File) error, step func(name string) error) (err error) {
	temp := path + tempSuffix
	if err := step("create"); err != nil {
		return err
	}
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, walletMode)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(temp)
		}
	}()
	if err := errors.Join(step("write"), write(f)); err != nil {
		return err
	}
	if err := errors.Join(step("sync"), f.Sync()); err != nil {
		return err
	}
	if err := errors.Join(step("close"), f.Close()); err != nil {
		return err
	}
	if err := step("rename"); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return errors.Join(step("sync folder"), syncFolder(filepath.Dir(path)))
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// lockFile takes the lock of the wallet at path without waiting. The lock is the kernel's, so it ends with the process;
// a lock file that a killed process left behind is harmless.
func lockFile(path string) (*os.File, error) {
	name := path + lockSuffix
	for {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, walletMode)
		if err != nil {
			return nil, fmt.Errorf("client: can't lock the wallet: %w", err)
		}
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			f.Close()
			return nil, fmt.Errorf("%w (%s is locked; wait for that command to end)", ErrLocked, name)
		}
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("client: can't lock the wallet: %s: %w", name, err)
		}
		// Whoever held the lock before may have removed the file between our open and our lock.
		ours, err1 := f.Stat()
		current, err2 := os.Stat(name)
		if err1 == nil && err2 == nil && os.SameFile(ours, current) {
			return f, nil
		}
		f.Close()
	}
}

// unlockFile removes the lock file while it is still locked, then lets go of it.
func unlockFile(f *os.File) error {
	return errors.Join(os.Remove(f.Name()), f.Close())
}
