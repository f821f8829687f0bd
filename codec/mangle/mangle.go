// Package mangle makes wrong encodings of right ones: what a liar, a broken program or a damaged disk might send. Tests
// give them to decoders, millions a second, and 'fastpay bench attack' to an authority.
//
// It knows no format. Lengths, tags and counts are little-endian numbers somewhere in the bytes, so it sets numbers to
// limits and their neighbors, cuts, repeats, moves and splices. What comes out may be right again; some of it is
// unchanged, so that the ways behind a decoder are walked, too. Unlike a fuzzer it doesn't learn from coverage.
package mangle

import (
	"encoding/binary"
	"math/bits"
)

// Bounds: of edits to an encoding, and of what each adds to it.
const (
	maxEdits  = 4
	maxGrowth = 128
)

// Mangler draws wrong encodings. The same seed and encodings give the same ones. It belongs to one goroutine.
type Mangler struct {
	state  uint64
	corpus [][]byte
	buf    []byte
}

// New makes a Mangler of right encodings, of which there must be one at least. They are not changed.
func New(seed uint64, corpus [][]byte) *Mangler {
	longest := 0
	for _, b := range corpus {
		longest = max(longest, len(b))
	}
	return &Mangler{state: seed, corpus: corpus, buf: make([]byte, 0, longest+maxEdits*maxGrowth)}
}

// Next is one of the encodings with none to four edits, valid until the next call.
func (m *Mangler) Next() []byte {
	m.buf = append(m.buf[:0], m.corpus[m.below(len(m.corpus))]...)
	for range m.below(maxEdits + 1) {
		m.edit()
	}
	return m.buf
}

// edit changes one thing.
func (m *Mangler) edit() {
	switch n := len(m.buf); {
	case n == 0:
		m.insert(0)
	default:
		at := m.below(n)
		switch m.below(12) {
		case 0:
			m.buf[at] ^= 1 << m.below(8)
		case 1:
			m.buf[at] = byte(m.next())
		case 2, 3, 4:
			m.number(at)
		case 5:
			m.buf = m.buf[:at]
		case 6:
			m.remove(at)
		case 7:
			m.insert(at)
		case 8: // a piece again, elsewhere
			copy(m.buf[at:], m.piece())
		case 9: // a piece of another encoding
			other := m.corpus[m.below(len(m.corpus))]
			if len(other) > 0 {
				copy(m.buf[at:], other[m.below(len(other)):])
			}
		case 10: // the beginning of one, the end of another
			other := m.corpus[m.below(len(m.corpus))]
			m.buf = append(m.buf[:at], other[min(at, len(other)):]...)
		case 11:
			clear(m.buf[at:min(n, at+m.below(40))])
		}
	}
}

// number writes a number of 1, 4, 8 or 16 bytes, often at a multiple of four, that is a limit, near what is there, or
// near the length of the rest.
func (m *Mangler) number(at int) {
	if m.below(2) == 0 {
		at &^= 3
	}
	b := m.buf[at:]
	var v uint64
	switch m.below(6) {
	case 0:
		v = uint64(m.below(32))
	case 1:
		v = 1<<m.below(64) - uint64(m.below(2))
	case 2:
		v = -uint64(m.below(3))
	case 3:
		v = uint64(len(b)) - uint64(m.below(20))
	case 4: // what fits, in entries of a vote's size
		v = uint64(len(b))/96 + uint64(m.below(3)) - 1
	case 5:
		var there [8]byte
		copy(there[:], b)
		v = binary.LittleEndian.Uint64(there[:]) + uint64(m.below(5)) - 2
	}
	var wide [16]byte
	binary.LittleEndian.PutUint64(wide[:], v)
	if v>>63 != 0 {
		binary.LittleEndian.PutUint64(wide[8:], ^uint64(0))
	}
	copy(b, wide[:[4]int{1, 4, 8, 16}[m.below(4)]])
}

func (m *Mangler) remove(at int) {
	n := min(len(m.buf)-at, m.length())
	m.buf = append(m.buf[:at], m.buf[at+n:]...)
}

// insert makes room at a place and fills it, mostly with a piece of what is there.
func (m *Mangler) insert(at int) {
	n := m.length()
	end := len(m.buf)
	for range n {
		m.buf = append(m.buf, byte(m.next()))
	}
	copy(m.buf[at+n:], m.buf[at:end])
	if m.below(4) != 0 {
		copy(m.buf[at:at+n], m.piece())
	}
}

// piece is some bytes of what is there.
func (m *Mangler) piece() []byte {
	if len(m.buf) == 0 {
		return nil
	}
	from := m.below(len(m.buf))
	return m.buf[from:min(len(m.buf), from+m.length())]
}

// length is that of a field, or short, and at most maxGrowth.
func (m *Mangler) length() int {
	if m.below(2) == 0 {
		return [...]int{1, 4, 8, 16, 32, 64, 96, 128}[m.below(8)]
	}
	return 1 + m.below(24)
}

// below is a number from 0 up to n, which must be positive.
func (m *Mangler) below(n int) int {
	hi, _ := bits.Mul64(m.next(), uint64(n))
	return int(hi)
}

// next is splitmix64.
func (m *Mangler) next() uint64 {
	m.state += 0x9e3779b97f4a7c15
	z := m.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
