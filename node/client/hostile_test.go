package client

import (
	"slices"
	"testing"

	"fastpay/codec"

	"pgregory.net/rapid"
)

// FuzzDriver answers drivers with whatever comes: true answers, true answers with a byte changed, raw bytes, failures,
// answers to requests that were answered, in any order. Nothing panics, the work is bounded, and a certificate that comes
// out verifies.
func FuzzDriver(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{1, 0, 17, 1, 0, 1, 40, 9, 2, 0, 3, 3, 1, 0, 0, 4, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{2, 1, 2, 1, 64, 128, 1, 2, 62, 3, 4, 0, 0, 0, 0, 1, 1, 60, 1, 2, 0, 0, 0, 0})
	f.Add([]byte{3, 0, 0, 0, 0, 2, 3, 4, 0, 0, 0, 0})
	f.Add([]byte{4, 0, 0, 0, 0, 1, 0, 80, 1, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, script []byte) {
		w := newWorld(t, 4)
		payer, payee := testKey(1), testKey(2).Public()
		account := payer.Public()
		w.fund(t, account, 100)
		w.pay(t, payer, payee, 1, 0, 0, 1, 2)
		next := func() (b byte) {
			if len(script) > 0 {
				b, script = script[0], script[1:]
			}
			return b
		}
		var d *Driver
		switch next() % 5 {
		case 0:
			d = NewCertify(w.committee, testOrder(payer, payee, 5, 1), nil, nil, nil)
		case 1:
			d = NewSettle(w.committee, w.certificate(testOrder(payer, payee, 5, 1)), nil)
		case 2:
			d = NewSurvey(w.committee, &account)
		case 3:
			d = NewFetch(w.committee, &account, 0, 3)
		case 4:
			d = NewReceive(w.committee, &payee, func(codec.Certificate) bool { return false })
		}
		var waiting []Request
		for sent := 0; ; {
			requests := d.Requests()
			waiting = append(waiting, requests...)
			if sent += len(requests); sent > 1000 {
				t.Fatal("a thousand requests")
			}
			if len(waiting) == 0 {
				break
			}
			i := int(next()) % len(waiting)
			r := waiting[i]
			repeated := next()
			if repeated%8 != 7 { // else it stays, and is answered twice
				waiting = slices.Delete(waiting, i, i+1)
			}
			reply := w.authorities[r.Authority].handle(r.Message)
			switch next() % 4 {
			case 1:
				reply[(int(next())<<8|int(next()))%len(reply)] ^= 1 << (next() % 8)
			case 2:
				n := int(next())
				reply = script[:min(len(script), n)]
			case 3:
				d.Fail(r.ID, errTimeout)
				continue
			}
			d.Reply(r.ID, reply)
		}
		if !d.Done() {
			t.Fatal("nothing to send, and no verdict")
		}
		if d.Err() == nil && d.goal == goalCertify && w.committee.CheckCertificate(d.Certificate()) != nil {
			t.Fatal("a bad certificate")
		}
		for _, c := range d.Received() {
			if w.committee.CheckCertificate(c) != nil {
				t.Fatal("a bad certificate was received")
			}
		}
	})
}

// TestTwinAndTwoWallets has an owner who signs different orders from two wallets, and an authority that is two: same key,
// and neither half knows what the other does. Whatever the order of things, no two certificates share the number.
func TestTwinAndTwoWallets(t *testing.T) {
	payer := testKey(1)
	rapid.Check(t, func(rt *rapid.T) {
		w, twin := newWorld(t, 4), newWorld(t, 4).authorities[0]
		w.fund(t, payer.Public(), 100)
		twin.world.fund(t, payer.Public(), 100)
		twin.world.committee = w.committee
		var drivers []*Driver
		for k := range byte(2) {
			drivers = append(drivers, NewCertify(w.committee, testOrder(payer, testKey(10+k).Public(), 1+uint64(k), 0), nil, nil, nil))
		}
		type waiting struct {
			d *Driver
			r Request
		}
		var queue []waiting
		for {
			for _, d := range drivers {
				for _, r := range d.Requests() {
					queue = append(queue, waiting{d, r})
				}
			}
			if len(queue) == 0 {
				break
			}
			i := rapid.IntRange(0, len(queue)-1).Draw(rt, "next")
			q := queue[i]
			queue = slices.Delete(queue, i, i+1)
			a := w.authorities[q.r.Authority]
			if q.r.Authority == 0 && q.d == drivers[1] {
				a = twin
			}
			q.d.Reply(q.r.ID, a.handle(q.r.Message))
		}
		var certified []codec.Certificate
		for _, d := range drivers {
			if !d.Done() {
				rt.Fatal("no verdict")
			}
			if d.Err() == nil {
				certified = append(certified, d.Certificate())
			}
		}
		if len(certified) == 2 && !sameTransfer(certified[0].Order(), certified[1].Order()) {
			rt.Fatal("two certificates with one number")
		}
	})
}
