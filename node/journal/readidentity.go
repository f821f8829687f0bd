package journal

import (
	"errors"
	"fmt"
	"io"
)

// ReadIdentity says whose journal is in fs, from the header of its first segment alone. It changes nothing and takes no
// lock. begun is false when there is no journal: what a process left that was killed before it had made its first
// segment counts as nothing.
func ReadIdentity(fs FS) (id Identity, begun bool, err error) {
	names, err := list(fs)
	if err != nil || len(names.segments) == 0 {
		return nil, false, err
	}
	name := segmentName(names.segments[0])
	f, err := fs.Open(name)
	if err != nil {
		return nil, true, fmt.Errorf("journal: %w", err)
	}
	defer f.Close() // opened for reading
	var block [BlockSize]byte
	if n, err := f.ReadAt(block[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, true, fmt.Errorf("journal: read %s: %w", name, err)
	} else if n < BlockSize {
		return nil, true, &CorruptError{name, int64(n), "the file is shorter than a header"}
	}
	_, id, reason := parseSegmentHeader(block[:])
	switch reason {
	case "":
		return id, true, nil
	case reasonVersion:
		return nil, true, fmt.Errorf("%w: %s", ErrVersion, name)
	}
	return nil, true, &CorruptError{name, 0, reason}
}
