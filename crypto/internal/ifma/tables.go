package ifma

import (
	"errors"
	"fmt"
	"unsafe"
)

// entryBytes is the size of a table entry: y+x, y-x and 2dxy, 32 bytes each, canonical. It lies on 32 bytes, so it
// always takes two cache lines.
const entryBytes = 96

// Widths of windows in bits. Every bit more doubles a table and saves one addition in twenty.
const (
	// DefaultBaseWindow is 18 windows for the base point: 14 MB.
	DefaultBaseWindow = 14
	// DefaultKeyWindow is 21 windows for a key: 4.1 MB.
	DefaultKeyWindow = 12
	// MinWindow keeps a plan below maxSteps; MaxWindow keeps a table below 54 MB.
	MinWindow, MaxWindow = 6, 16
)

// MaxKeys is the most keys that Tables hold: 16 GB with the default windows.
const MaxKeys = 4096

// scalarBits is the size of a scalar after folding; see foldScalar. Its top digit never carries out.
const scalarBits = 252

// TableOptions are the sizes of tables. Zero means the default.
type TableOptions struct {
	BaseWindow, KeyWindow int
}

// window describes the digits of a table, in the layout that planDigitsIFMA reads.
type window struct {
	bits    uint64 // of a digit
	count   uint64 // windows of a scalar
	advance uint64 // bytes of a window's part of a table
	base    uint64 // 2^bits
	mask    uint64 // base-1
	half    uint64 // base/2: the largest absolute value
}

func newWindow(bits int) window {
	base := uint64(1) << bits
	return window{
		bits: uint64(bits), count: uint64((scalarBits + bits - 1) / bits), advance: (base/2 + 1) * entryBytes,
		base: base, mask: base - 1, half: base / 2,
	}
}

// tableBytes is the size of one table.
func (w *window) tableBytes() int { return int(w.count * w.advance) }

// Tables are multiples of the base point and of a fixed set of keys: for window j of a point P the entries 0, 1 ...
// 2^(w-1) times 2^(jw)*P. With them [S]B - [k]A is a sum of entries, without a doubling. Read-only once built; any
// number of goroutines may use them, each with its own Scratch.
type Tables struct {
	baseWindow, keyWindow window
	memory                []byte // the base point's table, then one for each key
	mapping               []byte
	keys                  int
}

// ErrKey is wrapped by NewTables for a key that is not a point.
var ErrKey = errors.New("ifma: key does not decode to a point")

// NewTables builds the tables of the base point and of keys, outside the garbage-collected heap. It takes milliseconds
// a key. Close frees them.
func NewTables(keys [][32]byte, options TableOptions) (*Tables, error) {
	if options.BaseWindow == 0 {
		options.BaseWindow = DefaultBaseWindow
	}
	if options.KeyWindow == 0 {
		options.KeyWindow = DefaultKeyWindow
	}
	for _, w := range []int{options.BaseWindow, options.KeyWindow} {
		if w < MinWindow || w > MaxWindow {
			return nil, fmt.Errorf("ifma: window of %d bits, want %d to %d", w, MinWindow, MaxWindow)
		}
	}
	if len(keys) > MaxKeys {
		return nil, fmt.Errorf("ifma: %d keys, want at most %d", len(keys), MaxKeys)
	}
	t := &Tables{
		baseWindow: newWindow(options.BaseWindow), keyWindow: newWindow(options.KeyWindow), keys: len(keys),
	}
	var err error
	t.memory, t.mapping, err = mapMemory(t.baseWindow.tableBytes() + len(keys)*t.keyWindow.tableBytes())
	if err != nil {
		return nil, err
	}
	if err := t.build(keys); err != nil {
		t.Close()
		return nil, err
	}
	if err := protectMemory(t.memory); err != nil {
		t.Close()
		return nil, fmt.Errorf("ifma: protecting tables: %w", err)
	}
	return t, nil
}

// Len is the number of keys.
func (t *Tables) Len() int { return t.keys }

// Close frees the tables. Nothing may use them during or after the call.
func (t *Tables) Close() error {
	mapping := t.mapping
	t.memory, t.mapping, t.keys = nil, nil, 0
	if mapping == nil {
		return nil
	}
	return unmapMemory(mapping)
}

// offset is where the table of a key begins in memory.
func (t *Tables) offset(key int) int { return t.baseWindow.tableBytes() + key*t.keyWindow.tableBytes() }

// basePoint is the encoding of the base point.
var basePoint = [32]byte{0: 0x58, 1: 0x66, 2: 0x66, 3: 0x66, 4: 0x66, 5: 0x66, 6: 0x66, 7: 0x66, 8: 0x66, 9: 0x66,
	10: 0x66, 11: 0x66, 12: 0x66, 13: 0x66, 14: 0x66, 15: 0x66, 16: 0x66, 17: 0x66, 18: 0x66, 19: 0x66, 20: 0x66,
	21: 0x66, 22: 0x66, 23: 0x66, 24: 0x66, 25: 0x66, 26: 0x66, 27: 0x66, 28: 0x66, 29: 0x66, 30: 0x66, 31: 0x66}

// build fills the tables: points are decoded sixteen at a time, the base point first.
func (t *Tables) build(keys [][32]byte) error {
	b := newBuilder(max(t.baseWindow.half, t.keyWindow.half))
	encodings := append([][32]byte{basePoint}, keys...)
	for first := 0; first < len(encodings); first += decodePoints {
		var chunk [decodePoints][32]byte
		n := copy(chunk[:], encodings[first:])
		points := b.scratch.decodePair(&chunk[0][0], 32)
		for i := range n {
			if points>>i&1 == 0 {
				return fmt.Errorf("%w: key %d, %x", ErrKey, first+i-1, chunk[i])
			}
			b.scratch.setAffine(&b.lanes, &b.scratch.decode.x[i/Lanes], &b.scratch.decode.y[i/Lanes])
			b.power.broadcast(&b.lanes, i%Lanes)
			if first+i == 0 {
				b.table(t.memory[:t.offset(0)], &t.baseWindow)
			} else {
				b.table(t.memory[t.offset(first+i-1):], &t.keyWindow)
			}
		}
	}
	return nil
}

// entryAddress is the address of an offset in the tables.
func (t *Tables) entryAddress(offset int) uint64 {
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(t.memory)))) + uint64(offset)
}
