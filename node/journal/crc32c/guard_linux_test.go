package crc32c

import (
	"syscall"
	"testing"
)

// TestReadsOnlyItsData puts data of every length right after a page that may not be read, and right before one.
func TestReadsOnlyItsData(t *testing.T) {
	page := syscall.Getpagesize()
	m, err := syscall.Mmap(-1, 0, 3*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(m)
	middle := m[page : 2*page : 2*page]
	copy(middle, randomBytes(newRand(t), page))
	for _, forbidden := range [][]byte{m[:page], m[2*page:]} {
		if err := syscall.Mprotect(forbidden, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	for n := range page + 1 {
		match(t, 0, 0, middle[:n])
		match(t, 0, 0, middle[page-n:])
	}
}
