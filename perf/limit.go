package perf

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// RaiseFileLimit raises the number of descriptors that this process may have open to the most it is allowed, and returns
// it.
func RaiseFileLimit() (uint64, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("perf: limit of open files: %w", err)
	}
	if limit.Cur == limit.Max {
		return limit.Cur, nil
	}
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("perf: raise the limit of open files to %d: %w", limit.Max, err)
	}
	return limit.Cur, nil
}
