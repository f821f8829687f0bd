package journal

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

// heldBytes are bytes that a window gave, and what they were.
type heldBytes struct {
	at    Position // before which they begin, after which they end
	bytes []byte
	was   []byte
}

// TestWindowKeepsWhatItDidNotLet reads pieces of any sizes, some of which are larger than the window, each with a rest of
// the one before: the rest comes first, and bytes are what they were until the window has let them go.
func TestWindowKeepsWhatItDidNotLet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		blocks := func(most int, what string) int { return rapid.IntRange(1, most).Draw(t, what) * BlockSize }
		var held []heldBytes
		w := &window{buf: hugeBytes(8 * BlockSize)[:8*BlockSize], leave: func(before Position) error {
			for len(held) > 0 && held[0].at < before {
				held = held[1:]
			}
			return nil
		}}
		var newest []byte
		end, fill := newPosition(1, 0), byte(0)
		for range rapid.IntRange(1, 40).Draw(t, "pieces") {
			if rapid.IntRange(0, 5).Draw(t, "next segment") == 0 {
				end, newest = newPosition(end.Segment()+1, 0), nil
			}
			rest := newest[len(newest)-min(len(newest), blocks(4, "rest")-BlockSize):]
			n := blocks(5, "size")
			if rapid.IntRange(0, 9).Draw(t, "large") == 0 {
				n += len(w.buf)
			}
			was := bytes.Clone(rest)
			begin := end
			end += Position(n)
			b, err := w.room(rest, n, end)
			if err != nil || len(b) != len(was)+n || !bytes.Equal(b[:len(was)], was) || !isAligned(b[len(was):], 0) {
				t.Fatalf("%d bytes, %v, expected %d after the %d that were there", len(b), err, n, len(was))
			}
			newest = b
			for i := range b[len(was):] {
				if i%BlockSize == 0 {
					fill++
				}
				b[len(was)+i] = fill
			}
			held = append(held, heldBytes{begin, b[len(was):], bytes.Clone(b[len(was):])})
			for _, h := range held {
				if !bytes.Equal(h.bytes, h.was) {
					t.Fatalf("what was read at %v has changed, though it was not let go", h.at)
				}
			}
			if len(held) == 0 {
				t.Fatal("not even the newest piece is kept")
			}
		}
	})
}

// What nobody wants let go ends the reading.
func TestWindowLeaveFails(t *testing.T) {
	bad := errors.New("no memory")
	w := &window{buf: make([]byte, 2*BlockSize), leave: func(Position) error { return bad }}
	if _, err := w.room(nil, 2*BlockSize, newPosition(1, 2*BlockSize)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.room(nil, BlockSize, newPosition(1, 3*BlockSize)); !errors.Is(err, bad) {
		t.Errorf("%v", err)
	}
}
