package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// replaceFile writes a file beside name and renames it: name is whole, or what it was.
func replaceFile(name string, content []byte) error {
	f, err := besideFile(name)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if chmodErr := f.Chmod(0o644); err == nil {
		err = chmodErr
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("bench: can't write %s: %w", name, err)
	}
	return nil
}

// besideFile makes a file in the folder of name, which is made when needed.
func besideFile(name string) (*os.File, error) {
	dir := filepath.Dir(name)
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, ".new-*"); err == nil {
			return f, nil
		}
	}
	return nil, fmt.Errorf("bench: can't write %s: %w", name, err)
}

// CheckOutput tries whether files of these names could be written. Who is to wait for minutes wants to know before that.
// Names may be empty.
func CheckOutput(names ...string) error {
	for _, name := range names {
		if name == "" {
			continue
		}
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			return fmt.Errorf("bench: can't write %s: it is a folder", name)
		}
		f, err := besideFile(name)
		if err != nil {
			return err
		}
		if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
			return fmt.Errorf("bench: can't write %s: %w", name, err)
		}
	}
	return nil
}

// appendLine adds a line to a file of lines, which is made when needed, whole or not at all: when the disk is full no half of it
// stays. What a crash left without an end is ended first. Processes that append at the same time wait for each other.
func appendLine(name string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(appendTo(f, text), f.Close()) // and so ends the lock
}

func appendTo(f *os.File, text []byte) error {
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	torn, err := tornLine(f, info.Size())
	if err != nil {
		return err
	}
	line := append(append([]byte{}, text...), '\n')
	if torn {
		line = append([]byte{'\n'}, line...)
	}
	if _, err = f.Write(line); err != nil {
		return errors.Join(err, f.Truncate(info.Size()))
	}
	return nil
}

// tornLine reports whether the last line of f has no end.
func tornLine(f *os.File, size int64) (bool, error) {
	if size == 0 {
		return false, nil
	}
	var last [1]byte
	_, err := f.ReadAt(last[:], size-1)
	return last[0] != '\n', err
}

// writeJSON writes v indented; the file appears whole or not at all.
func writeJSON(name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("bench: %s: %w", name, err)
	}
	return replaceFile(name, append(b, '\n'))
}

func readJSON(name string, v any) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("bench: %s is not a result: %w", name, err)
	}
	return nil
}
