//go:build !linux

package journal

// WriteSync is two calls where there is no single one.
func (f *osFile) WriteSync(b []byte, at int64) error { return writeThenSync(f, b, at) }

// Sync is inherited: fsync, or what the platform has in its place.

// Allocate leaves it to the first write to allocate.
func (f *osFile) Allocate(size int64) error { return nil }
