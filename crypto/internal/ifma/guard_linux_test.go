package ifma

import (
	"math/big"
	"os"
	"syscall"
	"testing"
	"unsafe"
)

// guarded returns n values of type T in memory that nothing may be read or written next to: behind it when atEnd, else
// before it.
func guarded[T any](t *testing.T, n int, atEnd bool) []T {
	t.Helper()
	page := os.Getpagesize()
	size := n * int(unsafe.Sizeof(*new(T)))
	whole := (size + page - 1) / page * page
	memory, err := syscall.Mmap(-1, 0, whole+2*page, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Munmap(memory) })
	for _, guard := range [][]byte{memory[:page], memory[page+whole:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	at := page
	if atEnd {
		at += whole - size
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&memory[at])), n)
}

// Nothing outside of what callers pass is touched: the pages on both sides would end the test.
func TestKernelsStayInside(t *testing.T) {
	tables := newTestTables(t, testKeys(20), 6, 6)
	v, s, m := sharedVotes(), NewScratch(), NewSum()
	for _, atEnd := range []bool{false, true} {
		for _, n := range []int{1, 8, 16, 21} {
			ok, keys := guarded[bool](t, n, atEnd), guarded[int32](t, n, atEnd)
			signatures, scalars := guarded[[64]byte](t, n, atEnd), guarded[[32]byte](t, n, atEnd)
			copy(keys, v.keys)
			copy(signatures, v.signatures)
			copy(scalars, v.scalars)
			tables.VerifyVotes(ok, keys, signatures, scalars, s)
			for i := range ok {
				if !ok[i] {
					t.Fatalf("vote %d refused", i)
				}
			}
			s.MultiplyBase(scalars, scalars)

			encodings := guarded[[32]byte](t, n, atEnd)
			for i := range encodings {
				encodings[i] = testKeys(1)[0]
			}
			flat := unsafe.Slice(&encodings[0][0], 32*n)
			points, cached := guarded[CachedPoint](t, n, atEnd), guarded[Key](t, n, atEnd)
			s.DecodePoints(points, ok, flat, 32)
			s.DecodeKeys(cached, ok, flat, 32)
			short := littleEndian(big.NewInt(77))
			for i := range points {
				m.AddShort(&points[i], (*[16]byte)(short[:]))
				m.AddKey(&cached[i], &short)
			}
			if !ok[0] || m.Vanishes() {
				t.Fatal("decoded points")
			}
			pointers := make([]*Key, n)
			for i := range pointers {
				pointers[i] = &cached[i]
			}
			copy(scalars, v.scalars)
			tables.VerifyOrders(ok, pointers, points, signatures, scalars, s)
		}
	}
}
