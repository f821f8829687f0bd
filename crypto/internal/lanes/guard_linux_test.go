package lanes

import (
	"syscall"
	"testing"
)

// TestHashReadsOnlyTheMessage puts messages of every length at the end of a page in front of one that may not be read.
func TestHashReadsOnlyTheMessage(t *testing.T) {
	page := syscall.Getpagesize()
	m, err := syscall.Mmap(-1, 0, 2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(m)
	if err := syscall.Mprotect(m[page:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	r := newRand(t)
	copy(m[:page], randomBytes(r, page))
	var s Scratch
	for n := range 301 {
		b := newBatch(r, 92, 92, 92)
		for range 9 {
			b.r = append(b.r, (*[32]byte)(m[page-32:]))
			b.a = append(b.a, (*[32]byte)(m[page-32:]))
			b.messages = append(b.messages, m[page-n:page])
		}
		b.check(t, &s)
	}
}
