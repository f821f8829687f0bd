package journal

import "io"

// FS is one directory of files, as the journal needs it. Its methods may be called by several goroutines.
//
// A file's data is durable after Sync on it; its name, and the removal of one, after SyncDir.
type FS interface {
	// Create makes an empty file, in place of any of that name, open for reading and writing.
	Create(name string) (File, error)
	// Open opens a file for reading.
	Open(name string) (File, error)
	// Rename gives a file another name, in place of any of that name, in one step.
	Rename(from, to string) error
	Remove(name string) error
	// List names all files, in any order.
	List() ([]string, error)
	// SyncDir makes creations, renames and removals durable.
	SyncDir() error
	// Free is how many bytes can be written before the disk is full.
	Free() (int64, error)
	// Lock takes the exclusive lock of that name, which ends with the process; it fails with ErrLocked.
	Lock(name string) (io.Closer, error)
}

// File is an open file. ReadAt may run beside any other method.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Allocate reserves disk space for the first size bytes, where the file system can; the file need not grow.
	Allocate(size int64) error
	// WriteSync is WriteAt, and makes what it wrote durable, but nothing that was written before need be. After an
	// error that is not to be had any more. A short write is an error.
	WriteSync(b []byte, at int64) error
	// Sync makes everything written before it durable. After an error that is not to be had any more.
	Sync() error
	Size() (int64, error)
}
