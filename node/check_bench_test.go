package node

import (
	"bufio"
	"fmt"
	"net"
	"testing"
	"time"

	"fastpay/codec"
)

// BenchmarkBadSource is what an honest source pays for another one that sends as many orders, a share of which has a bad
// signature: the time until both have all answers, by order of the honest one. Divided by the time for bad=0 it is the
// work for the others. The orders have a later number than the account, so that each is checked every time it comes.
func BenchmarkBadSource(b *testing.B) {
	const orders = 128
	for _, protocol := range []string{"tcp", "udp"} {
		for _, percent := range []int{0, 1, 3, 30, 100} {
			b.Run(fmt.Sprintf("protocol=%s/bad=%d", protocol, percent), func(b *testing.B) {
				w := newWorld(b, 4, 1, 2*orders)
				w.start(w.options())
				var sources [2]net.Conn
				var messages [2][][]byte
				for side := range sources {
					c, err := net.Dial(protocol, w.address(0))
					if err != nil {
						b.Fatal(err)
					}
					defer c.Close()
					sources[side] = c
					for i := range orders {
						o := w.order(2*i+side, 0, 1, 7)
						m := codec.AppendOrder(nil, o)
						if side == 1 && i < (orders*percent+99)/100 {
							m[len(m)-20] ^= 1 // S
						}
						if protocol == "tcp" {
							m = frame(m)
						}
						messages[side] = append(messages[side], m)
					}
				}
				if protocol == "tcp" { // all frames in one write
					for side := range messages {
						var all []byte
						for _, m := range messages[side] {
							all = append(all, m...)
						}
						messages[side] = [][]byte{all}
					}
				}
				for b.Loop() {
					for side, c := range sources {
						for _, m := range messages[side] {
							if _, err := c.Write(m); err != nil {
								b.Fatal(err)
							}
						}
					}
					for _, c := range sources {
						awaitAnswers(b, c, protocol, orders)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/1e3/float64(b.N*orders), "µs/honest-order")
			})
		}
	}
}

// awaitAnswers reads n answers: frames, or datagrams.
func awaitAnswers(b *testing.B, c net.Conn, protocol string, n int) {
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		b.Fatal(err)
	}
	if protocol == "tcp" {
		in := &client{t: b, Conn: c, in: bufio.NewReader(c)}
		for range n {
			if _, err := in.tryReceive(patience); err != nil {
				b.Fatal(err)
			}
		}
		return
	}
	buffer := make([]byte, 1<<16)
	for range n {
		if _, err := c.Read(buffer); err != nil {
			b.Fatal(err)
		}
	}
}
