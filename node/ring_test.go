package node

import (
	"bytes"
	"runtime"
	"testing"

	"pgregory.net/rapid"
)

// TestRingMatchesQueue drives a ring and a plain queue with the same operations.
func TestRingMatchesQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const size, largest = 512, 60
		r := newRing(size, largest)
		type record struct {
			tag   uint32
			bytes []byte
		}
		var reserved, queue []record
		var read, released uint64
		unreleased := 0
		t.Repeat(map[string]func(*rapid.T){
			"reserve": func(t *rapid.T) {
				b := rapid.SliceOfN(rapid.Byte(), 0, largest).Draw(t, "record")
				if r.reserve(len(b)) {
					reserved = append(reserved, record{uint32(len(b)), b})
				} else if len(reserved) == 0 && len(queue) == 0 && unreleased == 0 {
					t.Fatal("an empty ring has no room")
				}
			},
			"push": func(t *rapid.T) {
				if len(reserved) == 0 {
					t.Skip()
				}
				r.push(reserved[0].tag, ^uint64(reserved[0].tag), reserved[0].bytes)
				queue, reserved = append(queue, reserved[0]), reserved[1:]
			},
			"cancel": func(t *rapid.T) {
				if len(reserved) == 0 {
					t.Skip()
				}
				r.cancel(len(reserved[len(reserved)-1].bytes))
				reserved = reserved[:len(reserved)-1]
			},
			"next": func(t *rapid.T) {
				tag, number, b, after, ok := r.next(read)
				if ok != (len(queue) > 0) {
					t.Fatalf("next = %v with %d records queued", ok, len(queue))
				}
				if !ok {
					return
				}
				if tag != queue[0].tag || number != ^uint64(tag) || !bytes.Equal(b, queue[0].bytes) {
					t.Fatalf("got %d %x, want %d %x", tag, b, queue[0].tag, queue[0].bytes)
				}
				queue, read = queue[1:], after
				unreleased++
			},
			"release": func(*rapid.T) { r.release(read); released, unreleased = read, 0 },
		})
		if released > read {
			t.Fatal("released beyond what was read")
		}
	})
}

// TestRingBetweenGoroutines is for the race detector.
func TestRingBetweenGoroutines(t *testing.T) {
	const n = 20_000
	r := newRing(4096, 100)
	go func() {
		for i := range n {
			b := bytes.Repeat([]byte{byte(i)}, i%100)
			for !r.reserve(len(b)) {
				runtime.Gosched()
			}
			r.push(uint32(i), uint64(2*i), b)
		}
	}()
	pos := uint64(0)
	for i := 0; i < n; {
		tag, number, b, after, ok := r.next(pos)
		if !ok {
			runtime.Gosched()
			continue
		}
		if tag != uint32(i) || number != uint64(2*i) || len(b) != i%100 {
			t.Fatalf("record %d: tag %d, %d bytes", i, tag, len(b))
		}
		for _, x := range b {
			if x != byte(i) {
				t.Fatalf("record %d holds %d", i, x)
			}
		}
		pos = after
		r.release(pos)
		i++
	}
}
