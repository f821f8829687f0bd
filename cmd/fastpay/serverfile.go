package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"fastpay/node/committee"
)

// readServerFile reads the file at path, see committee.ParseServer.
func readServerFile(path string) (*committee.Server, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, hintIfMissing(fmt.Errorf("server file: %w", err),
			"'server --server "+path+" generate ...' makes it")
	}
	s, err := committee.ParseServer(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// writeServerFile makes the file at path, for its owner alone to read. It appears whole or not at all; one that exists
// is fs.ErrExist, unless it may be replaced.
func writeServerFile(path string, s *committee.Server, replace bool) error {
	text, err := committee.AppendServer(nil, s)
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".server-*") // mode 0600
	if err != nil {
		return fmt.Errorf("server file: %w", err)
	}
	defer os.Remove(temp.Name())
	if _, err = temp.Write(text); err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return fmt.Errorf("server file: %w", err)
	}
	if replace {
		err = os.Rename(temp.Name(), path)
	} else {
		err = os.Link(temp.Name(), path) // refuses an existing name in the same step that makes it
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("server file %s: %w", path, fs.ErrExist)
	case err != nil:
		return fmt.Errorf("server file: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes a new name in the folder durable: a key that signed must not be lost.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
