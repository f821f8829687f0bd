package mangle

import (
	"bytes"
	"testing"
)

// TestNext: some encodings come out as they went in, most do not; all lengths are within bounds; what went in is kept; and a
// seed always gives the same.
func TestNext(t *testing.T) {
	corpus := [][]byte{bytes.Repeat([]byte{1, 0, 0, 0}, 50), bytes.Repeat([]byte{7}, 70), {}}
	kept := [][]byte{bytes.Clone(corpus[0]), bytes.Clone(corpus[1]), {}}
	m, again := New(1, corpus), New(1, corpus)
	same, shorter, longer, distinct := 0, 0, 0, map[string]bool{}
	const total = 100_000
	for range total {
		b := m.Next()
		if !bytes.Equal(b, again.Next()) {
			t.Fatal("one seed gives two different bytes")
		}
		if len(b) > len(corpus[0])+maxEdits*maxGrowth {
			t.Fatalf("%d bytes", len(b))
		}
		switch {
		case bytes.Equal(b, corpus[0]):
			same++
		case len(b) < len(corpus[0]):
			shorter++
		case len(b) > len(corpus[0]):
			longer++
		}
		distinct[string(b)] = true
	}
	for i := range corpus {
		if !bytes.Equal(corpus[i], kept[i]) {
			t.Errorf("encoding %d was changed", i)
		}
	}
	if same < total/20 || same > total/4 || shorter < total/20 || longer < total/40 || len(distinct) < total/2 {
		t.Errorf("of %d: %d unchanged, %d shorter, %d longer, %d distinct", total, same, shorter, longer, len(distinct))
	}
}

func TestNextAllocatesNothing(t *testing.T) {
	m := New(1, [][]byte{make([]byte, 1000)})
	if n := testing.AllocsPerRun(1000, func() { m.Next() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkNext(b *testing.B) {
	m := New(1, [][]byte{make([]byte, 150), make([]byte, 600)})
	b.ReportAllocs()
	for b.Loop() {
		m.Next()
	}
}
