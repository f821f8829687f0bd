package journal

import (
	"bytes"
	"slices"
)

// A file of a MemFS is kept in pages, so that a crash, a sync and a file of zeros cost little: states of a file have
// their pages in common until one of them writes.

// memPage is a page's bytes. Once shared it is never written again: whoever writes makes a page of its own.
type memPage struct {
	bytes  [BlockSize]byte
	shared bool
}

// pages is one state of a file's content. A page that is nil has zeros only, and so has what lies beyond size.
type pages struct {
	table []*memPage
	size  int64
}

// clone is a state of its own, which has all pages in common with this one.
func (p *pages) clone() pages {
	for _, page := range p.table {
		if page != nil {
			page.shared = true
		}
	}
	return pages{slices.Clone(p.table), p.size}
}

// grow makes the content at least so long, with zeros.
func (p *pages) grow(size int64) {
	if size <= p.size {
		return
	}
	p.size = size
	if n := int((size + BlockSize - 1) / BlockSize); n > len(p.table) {
		p.table = append(p.table, make([]*memPage, n-len(p.table))...)
	}
}

// own is page i, to be written.
func (p *pages) own(i int64) *memPage {
	page := p.table[i]
	switch {
	case page == nil:
		page = new(memPage)
	case page.shared:
		page = &memPage{bytes: page.bytes}
	}
	p.table[i] = page
	return page
}

// write writes b, and grows the content as far as needed.
func (p *pages) write(b []byte, at int64) {
	p.grow(at + int64(len(b)))
	for len(b) > 0 {
		i, from := at/BlockSize, int(at%BlockSize)
		n := min(len(b), BlockSize-from)
		switch {
		case n == BlockSize && bytes.Equal(b[:n], zeros[:n]):
			p.table[i] = nil
		default:
			copy(p.own(i).bytes[from:], b[:n])
		}
		b, at = b[n:], at+int64(n)
	}
}

// read reads into b what there is from at on, and returns how much.
func (p *pages) read(b []byte, at int64) int {
	if at >= p.size {
		return 0
	}
	b = b[:min(int64(len(b)), p.size-at)]
	total := len(b)
	for len(b) > 0 {
		i, from := at/BlockSize, int(at%BlockSize)
		n := min(len(b), BlockSize-from)
		if page := p.table[i]; page != nil {
			copy(b[:n], page.bytes[from:])
		} else {
			clear(b[:n])
		}
		b, at = b[n:], at+int64(n)
	}
	return total
}

// takeSector makes a sector of other's the own one.
func (p *pages) takeSector(other *pages, sector int64) {
	at := sector * sectorSize
	end := min(other.size, at+sectorSize)
	p.grow(end)
	i, from := at/BlockSize, at%BlockSize
	if page := other.table[i]; page != nil {
		copy(p.own(i).bytes[from:], page.bytes[from:from+end-at])
	} else if p.table[i] != nil {
		clear(p.own(i).bytes[from : from+end-at])
	}
}

// takePage makes a page of other's the own one, in common with it. The content grows to end, if it was shorter.
func (p *pages) takePage(other *pages, i, end int64) {
	p.grow(end)
	if page := other.table[i]; page != nil {
		page.shared = true
	}
	p.table[i] = other.table[i]
}
