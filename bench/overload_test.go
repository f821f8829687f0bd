package bench

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fastpay/codec"
)

// TestForgottenPaymentsAreDueAgain: what is taken back are the last arrivals, of which no byte was written, and all of them
// up to the first that was; they come again in the same order.
func TestForgottenPaymentsAreDueAgain(t *testing.T) {
	const stride, accounts, total = 10, 7, 700
	rapid.Check(t, func(t *rapid.T) {
		lanes := rapid.IntRange(1, 3).Draw(t, "lanes")
		made := &prepared{workload: newWorkload(1, 4), total: total}
		made.accounts = make([]codec.Address, accounts)
		d := &tcpDriver{meter: newMeter(Payments)}
		for i := range lanes {
			l := &lane{stride: stride, size: total}
			for a := i; a < accounts; a += lanes {
				l.accounts = append(l.accounts, int32(a))
			}
			made.lanes = append(made.lanes, l)
			d.conns = append(d.conns, &tcpConn{cursor: cursor{lane: l, limit: total}, fd: -1})
		}
		d.open = newArrivals(&Options{Rate: 1e9, MaxInFlight: total}, made)
		begin := func(n int) (order []int) {
			d.open.restart(0)
			err := d.open.begin(time.Hour, 0, &n, func(lane int, due time.Duration) {
				c := d.conns[lane]
				c.begun++
				c.marks.add(mark{c.begun, 0, due})
				order = append(order, lane)
			})
			if err != nil {
				t.Fatal(err)
			}
			return order
		}
		order := begin(rapid.IntRange(0, 100).Draw(t, "begun"))
		for _, c := range d.conns {
			c.sent = rapid.IntRange(0, c.begun*stride).Draw(t, "sent")
			for range rapid.IntRange(0, c.sent/stride).Draw(t, "done") {
				c.done++
				c.marks.remove()
			}
		}
		last := 0 // the last arrival of which something was written
		counts := make([]int, lanes)
		for i, lane := range order {
			if counts[lane]*stride < d.conns[lane].sent {
				last = i + 1
			}
			counts[lane]++
		}
		if got := d.forget(); got != len(order)-last || d.open.taken != last {
			t.Fatalf("%d are forgotten and %d left, expected %d left of %d", got, d.open.taken, last, len(order))
		}
		left := d.backlog()
		inFlight, unsent := 0, 0
		for _, c := range d.conns {
			if c.marks.len() != c.begun-c.done || c.begun*stride < c.sent {
				t.Fatalf("%d marks, %d begun, %d done, %d bytes written", c.marks.len(), c.begun, c.done, c.sent)
			}
			inFlight, unsent = inFlight+c.begun-c.done, unsent+(c.begun*stride-c.sent)/stride
		}
		if left != (Backlog{InFlight: inFlight, Unsent: unsent}) {
			t.Fatalf("%+v, expected %d in flight and %d unsent", left, inFlight, unsent)
		}
		if again := begin(len(order) - last); !slices.Equal(again, order[last:]) {
			t.Fatalf("then come %v, expected %v", again, order[last:])
		}
	})
}
