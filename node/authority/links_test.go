package authority

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// TestLinksThatLeadNowhere: a chain of a record at position own is refused when it is cut, has a shape that there is none
// of, or leads to itself, forward, to nothing, or to where a batch is that is not in the log. Each link is tried.
func TestLinksThatLeadNowhere(t *testing.T) {
	const own = Position(1<<20 | 4096)
	back := func(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }
	absolute := func(p Position) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(p)) }
	for i := range 3 {
		shift := i * linkBits
		f := func(name string, shape byte, b []byte, ok bool) {
			t.Helper()
			for _, more := range []string{"", "x", "more than a link"} {
				c, rest, got := takeChain(append(bytes.Clone(b), more...), shape, own)
				if got != ok || ok && string(rest) != more {
					t.Errorf("link %d, %s: taken %v as %v, %q left of %q", i, name, got, c, rest, more)
				}
			}
		}
		f("back", linkBack<<shift, back(1), true)
		f("back to the first byte", linkBack<<shift, back(uint32(own)-1), true)
		f("back to nothing", linkBack<<shift, back(uint32(own)), false)
		f("back beyond the beginning", linkBack<<shift, back(uint32(own)+1), false)
		f("back to itself", linkBack<<shift, back(0), false)
		f("absolute", linkAbsolute<<shift, absolute(own-1), true)
		f("to nothing", linkAbsolute<<shift, absolute(0), false)
		f("to itself", linkAbsolute<<shift, absolute(own), false)
		f("forward", linkAbsolute<<shift, absolute(own+1), false)
		f("to a batch that is not in the log", linkAbsolute<<shift, absolute(provisional|1), false)
		f("a kind that there is none of", 3<<shift, make([]byte, 16), false)
		for n := range 4 {
			if _, _, ok := takeChain(make([]byte, n), linkBack<<shift, own); ok {
				t.Errorf("link %d: %d bytes of 4 are taken", i, n)
			}
		}
		for n := range 8 {
			if _, _, ok := takeChain(absolute(own - 1)[:n], linkAbsolute<<shift, own); ok {
				t.Errorf("link %d: %d bytes of 8 are taken", i, n)
			}
		}
	}
	for bit := 3 * linkBits; bit < 8; bit++ {
		if _, _, ok := takeChain(nil, 1<<bit, own); ok {
			t.Errorf("bit %d of a shape means nothing, and is taken", bit)
		}
	}
}
