//go:build !linux

package journal

// Sync is inherited: fsync, or what the platform has in its place.

// Allocate leaves it to the first write to allocate.
func (f *osFile) Allocate(size int64) error { return nil }
