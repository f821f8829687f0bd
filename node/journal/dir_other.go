//go:build !linux

package journal

import "math"

// WriteSync is two calls where there is no single one.
func (f *osFile) WriteSync(b []byte, at int64) error { return writeThenSync(f, b, at) }

// Sync is inherited: fsync, or what the platform has in its place.

// Free does not know.
func (d *Dir) Free() (int64, error) { return math.MaxInt64, nil }

// LockedBy can't tell.
func (d *Dir) LockedBy(name string) (pid int) { return 0 }

// Allocate leaves it to the first write to allocate.
func (f *osFile) Allocate(size int64) error { return nil }

func adviseHugePages([]byte) {}
