package journal

import (
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"sync"
	"syscall"
)

// MemFS is a file system in memory that knows which of its state is durable, and can crash. It is for tests and for the
// simulator. The zero value is empty and ready.
type MemFS struct {
	// Capacity is how many bytes all files may have together, allocated ones included; 0 is no limit. It is set before
	// the first use.
	Capacity int64

	mu      sync.Mutex
	names   map[string]*memNode // as programs see them
	durable map[string]*memNode // as of the last SyncDir
	pending []dirChange         // since then
	locks   map[string]bool
	open    int
}

// dirChange is one change of a directory: a name is taken away, or given to a file, or both in one step.
type dirChange struct {
	gone  string // "" if none is
	given string
	node  *memNode
}

func (c dirChange) apply(names map[string]*memNode) {
	delete(names, c.gone)
	if c.node != nil {
		names[c.given] = c.node
	}
}

// Crash returns the file system as a crash at this moment could leave it. Everything synced is there. Of the sectors
// that were not, each is kept if keep says so; of the names that were not, those up to the first for which it does not,
// since file systems log them in order. The original stays as it is. Locks and open files are not copied.
func (m *MemFS) Crash(keep func() bool) *MemFS {
	m.mu.Lock()
	defer m.mu.Unlock()
	names := make(map[string]*memNode)
	for name, node := range m.durable {
		names[name] = node
	}
	for _, c := range m.pending {
		if !keep() {
			break
		}
		c.apply(names)
	}
	left := &MemFS{Capacity: m.Capacity, names: make(map[string]*memNode), durable: make(map[string]*memNode)}
	order := make([]string, 0, len(names))
	for name := range names {
		order = append(order, name)
	}
	slices.Sort(order) // so that keep is asked in the same order whatever the order of the map
	copies := make(map[*memNode]*memNode)
	for _, name := range order {
		node := names[name]
		if copies[node] == nil {
			copies[node] = node.crash(keep)
		}
		left.names[name], left.durable[name] = copies[node], copies[node]
	}
	return left
}

// OpenFiles is the number of files and locks that are open.
func (m *MemFS) OpenFiles() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.open
}

// change changes the directory, not durably yet.
func (m *MemFS) change(c dirChange) {
	if m.names == nil {
		m.names, m.durable = make(map[string]*memNode), make(map[string]*memNode)
	}
	c.apply(m.names)
	m.pending = append(m.pending, c)
}

func (m *MemFS) lookup(op, name string) (*memNode, error) {
	node := m.names[name]
	if node == nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return node, nil
}

// Create implements FS.
func (m *MemFS) Create(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	node := new(memNode)
	m.change(dirChange{given: name, node: node})
	m.open++
	return &memFile{fs: m, node: node, name: name, writable: true}, nil
}

// Open implements FS.
func (m *MemFS) Open(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	node, err := m.lookup("open", name)
	if err != nil {
		return nil, err
	}
	m.open++
	return &memFile{fs: m, node: node, name: name}, nil
}

// Rename implements FS. It is one change: after a crash the file has one of the two names.
func (m *MemFS) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	node, err := m.lookup("rename", from)
	if err != nil {
		return err
	}
	m.change(dirChange{gone: from, given: to, node: node})
	return nil
}

// Remove implements FS.
func (m *MemFS) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.lookup("remove", name); err != nil {
		return err
	}
	m.change(dirChange{gone: name})
	return nil
}

// List implements FS.
func (m *MemFS) List() ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	names := make([]string, 0, len(m.names))
	for name := range m.names {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// SyncDir implements FS.
func (m *MemFS) SyncDir() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.pending {
		c.apply(m.durable)
	}
	m.pending = nil
	return nil
}

// Free implements FS.
func (m *MemFS) Free() (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.free(), nil
}

func (m *MemFS) free() int64 {
	if m.Capacity == 0 {
		return math.MaxInt64
	}
	free := m.Capacity
	for _, node := range m.names {
		free -= max(node.size, node.data.size)
	}
	return free
}

// grow checks that a file can have this size.
func (f *memFile) grow(op string, size int64) error {
	if more := size - max(f.node.size, f.node.data.size); more > 0 && more > f.fs.free() {
		return &fs.PathError{Op: op, Path: f.name, Err: syscall.ENOSPC}
	}
	return nil
}

// Lock implements FS.
func (m *MemFS) Lock(name string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locks[name] {
		return nil, fmt.Errorf("%w: %s is locked", ErrLocked, name)
	}
	if m.locks == nil {
		m.locks = make(map[string]bool)
	}
	m.locks[name] = true
	m.open++
	return &memLock{m, name}, nil
}

type memLock struct {
	fs   *MemFS
	name string
}

func (l *memLock) Close() error {
	l.fs.mu.Lock()
	defer l.fs.mu.Unlock()
	if !l.fs.locks[l.name] {
		return fs.ErrClosed
	}
	delete(l.fs.locks, l.name)
	l.fs.open--
	return nil
}

// memFile is an open file of a MemFS.
type memFile struct {
	fs       *MemFS
	node     *memNode
	name     string
	writable bool
	closed   bool
}

func (f *memFile) check(op string) error {
	if f.closed {
		return &fs.PathError{Op: op, Path: f.name, Err: fs.ErrClosed}
	}
	return nil
}

// ReadAt implements File.
func (f *memFile) ReadAt(b []byte, at int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.check("read"); err != nil {
		return 0, err
	}
	n := f.node.data.read(b, at)
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt implements File.
func (f *memFile) WriteAt(b []byte, at int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.check("write"); err != nil {
		return 0, err
	}
	if !f.writable {
		return 0, &fs.PathError{Op: "write", Path: f.name, Err: fs.ErrPermission}
	}
	if err := f.grow("write", at+int64(len(b))); err != nil {
		return 0, err
	}
	f.node.write(b, at)
	return len(b), nil
}

// Allocate implements File.
func (f *memFile) Allocate(size int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	err := f.check("allocate")
	if err == nil {
		err = f.grow("allocate", size)
	}
	if err == nil {
		f.node.size = max(f.node.size, size)
	}
	return err
}

// Sync implements File.
func (f *memFile) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.check("sync"); err != nil {
		return err
	}
	f.node.sync()
	return nil
}

// WriteSync implements File. Other unsynced writes stay unsynced.
func (f *memFile) WriteSync(b []byte, at int64) error {
	if _, err := f.WriteAt(b, at); err != nil {
		return err
	}
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	for page := at / BlockSize; page*BlockSize < at+int64(len(b)); page++ {
		f.node.syncPage(page, sectorMask(page, at, at+int64(len(b))))
	}
	return nil
}

// loseUnsynced is what a failed sync does on a real system: what could not be written is dropped from the list of
// things to write, while programs still read it. A later sync that succeeds does not make it durable.
func (f *memFile) loseUnsynced() {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	f.node.lose()
}

// Size implements File.
func (f *memFile) Size() (int64, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	return f.node.data.size, f.check("size")
}

// Close implements File.
func (f *memFile) Close() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.check("close"); err != nil {
		return err
	}
	f.closed = true
	f.fs.open--
	return nil
}
