package bench

import (
	"context"
	"testing"
	"time"
)

// FuzzTCPReplies feeds what an authority might send, in two pieces, to the check of replies: nothing but the right bytes
// is counted, and nothing makes it panic.
func FuzzTCPReplies(f *testing.F) {
	made, err := prepare(context.Background(), newWorkload(1, 4), new(cache), shape{4, 1, 1, Payments, Mix{}}, 8, nil)
	if err != nil {
		f.Fatal(err)
	}
	l := made.lanes[0]
	var right []byte
	for k := range l.size {
		right = l.appendReplies(right, k)
	}
	f.Add(right, 0)
	f.Add(right[:len(right)/2], 7)
	f.Add(append([]byte{8, 0, 0, 0, 4, 0, 0, 0, 22, 0, 0, 0}, right...), 3)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff}, 1)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		d := &tcpDriver{meter: newMeter(Payments)}
		c := &tcpConn{cursor: cursor{lane: l, begun: l.size}, in: make([]byte, minReadBuffer)}
		c.marks.add(mark{3, 0, 0})
		c.marks.add(mark{l.size, time.Millisecond, time.Millisecond})
		cut = min(max(cut, 0), len(b))
		used, ok := d.replies(c, b[:cut], time.Second)
		if ok {
			more, _ := d.replies(c, b[used:], time.Second)
			used += more
		}
		if used > len(b) {
			t.Errorf("%d of %d bytes were used", used, len(b))
		}
		m := d.meter
		if m.confirmed > c.done || c.done > l.size || m.confirmed+m.rejected > 2*l.size {
			t.Errorf("%d confirmed, %d rejected, %d done of %d", m.confirmed, m.rejected, c.done, l.size)
		}
		if good := m.confirmed * replyStride; m.rejected == 0 && good > used {
			t.Errorf("%d payments are confirmed by %d bytes", m.confirmed, used)
		}
	})
}
