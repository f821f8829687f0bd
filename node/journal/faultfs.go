package journal

import "io"

// Op is an operation of a file system that FaultFS is about to do.
type Op struct {
	Kind OpKind
	Name string // the file's, as it was opened; empty for SyncDir, List and Free
}

// OpKind is the kind of an operation.
type OpKind string

// The operations that can fail. Closing can't: the journal closes only what is synced or given up.
const (
	OpCreate   OpKind = "create"
	OpOpen     OpKind = "open"
	OpRename   OpKind = "rename"
	OpRemove   OpKind = "remove"
	OpList     OpKind = "list"
	OpSyncDir  OpKind = "syncdir"
	OpLock     OpKind = "lock"
	OpFree     OpKind = "free"
	OpRead     OpKind = "read"
	OpWrite    OpKind = "write"
	OpAllocate OpKind = "allocate"
	OpSync     OpKind = "sync"
	OpSize     OpKind = "size"
)

// Changes reports whether the operation changes anything, or makes it durable.
func (k OpKind) Changes() bool {
	switch k {
	case OpOpen, OpList, OpLock, OpFree, OpRead, OpSize:
		return false
	}
	return true
}

// FaultFS passes everything on to FS, but asks Inject first, which sees every operation in order and may make it fail
// by an error, or hold it back by not returning. A write that fails has written half of its bytes. A sync that fails
// has synced nothing, and what was to be synced is lost to later syncs, if FS can do that as MemFS does.
type FaultFS struct {
	FS     FS
	Inject func(Op) error
}

// Create implements FS.
func (f *FaultFS) Create(name string) (File, error) {
	if err := f.Inject(Op{OpCreate, name}); err != nil {
		return nil, err
	}
	return f.wrap(name)(f.FS.Create(name))
}

// Open implements FS.
func (f *FaultFS) Open(name string) (File, error) {
	if err := f.Inject(Op{OpOpen, name}); err != nil {
		return nil, err
	}
	return f.wrap(name)(f.FS.Open(name))
}

func (f *FaultFS) wrap(name string) func(File, error) (File, error) {
	return func(file File, err error) (File, error) {
		if err != nil {
			return nil, err
		}
		return &faultFile{file, f, name}, nil
	}
}

// Rename implements FS.
func (f *FaultFS) Rename(from, to string) error {
	if err := f.Inject(Op{OpRename, from}); err != nil {
		return err
	}
	return f.FS.Rename(from, to)
}

// Remove implements FS.
func (f *FaultFS) Remove(name string) error {
	if err := f.Inject(Op{OpRemove, name}); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

// List implements FS.
func (f *FaultFS) List() ([]string, error) {
	if err := f.Inject(Op{Kind: OpList}); err != nil {
		return nil, err
	}
	return f.FS.List()
}

// SyncDir implements FS.
func (f *FaultFS) SyncDir() error {
	if err := f.Inject(Op{Kind: OpSyncDir}); err != nil {
		return err
	}
	return f.FS.SyncDir()
}

// Free implements FS.
func (f *FaultFS) Free() (int64, error) {
	if err := f.Inject(Op{Kind: OpFree}); err != nil {
		return 0, err
	}
	return f.FS.Free()
}

// Lock implements FS.
func (f *FaultFS) Lock(name string) (io.Closer, error) {
	if err := f.Inject(Op{OpLock, name}); err != nil {
		return nil, err
	}
	return f.FS.Lock(name)
}

type faultFile struct {
	File
	fs   *FaultFS
	name string
}

// ReadAt implements File.
func (f *faultFile) ReadAt(b []byte, at int64) (int, error) {
	if err := f.fs.Inject(Op{OpRead, f.name}); err != nil {
		return 0, err
	}
	return f.File.ReadAt(b, at)
}

// WriteAt implements File.
func (f *faultFile) WriteAt(b []byte, at int64) (int, error) {
	if err := f.fs.Inject(Op{OpWrite, f.name}); err != nil {
		n, _ := f.File.WriteAt(b[:len(b)/2], at) // the injected error is the one to report
		return n, err
	}
	return f.File.WriteAt(b, at)
}

// WriteSync implements File, as a write and a sync, of which either may fail.
func (f *faultFile) WriteSync(b []byte, at int64) error { return writeThenSync(f, b, at) }

// Allocate implements File.
func (f *faultFile) Allocate(size int64) error {
	if err := f.fs.Inject(Op{OpAllocate, f.name}); err != nil {
		return err
	}
	return f.File.Allocate(size)
}

// Sync implements File.
func (f *faultFile) Sync() error {
	if err := f.fs.Inject(Op{OpSync, f.name}); err != nil {
		if l, ok := f.File.(interface{ loseUnsynced() }); ok {
			l.loseUnsynced()
		}
		return err
	}
	return f.File.Sync()
}

// Size implements File.
func (f *faultFile) Size() (int64, error) {
	if err := f.fs.Inject(Op{OpSize, f.name}); err != nil {
		return 0, err
	}
	return f.File.Size()
}
