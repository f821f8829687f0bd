package authority

import (
	"math"
	"testing"

	"fastpay/codec"
)

// infoFixture has an account 10 that paid n times to account 11.
func infoFixture(t testing.TB, n int) (d *driver, certificates []codec.Certificate) {
	t.Helper()
	d, _ = orderFixture(t)
	for i := range n {
		c := certify(newOrder(10, toFastPay(11), 1, uint64(i)))
		certificates = append(certificates, c)
		if a := d.one(0, certMessage(c)); a.err != nil {
			t.Fatal(a.err)
		}
	}
	return d, certificates
}

func TestInfoRefusals(t *testing.T) {
	d, _ := infoFixture(t, 3)
	f := func(seed byte, want codec.ErrorCode, change func(q *codec.InfoRequest)) {
		t.Helper()
		wantUnchanged(t, d, func() { wantCode(t, d.one(0, infoMessage(seed, change)), want) })
	}
	f(99, codec.UnknownSenderAccount, nil)
	for _, n := range []uint64{3, 1 << 63, math.MaxUint64} {
		f(10, codec.CertificateNotfound, func(q *codec.InfoRequest) { q.HasSequence, q.Sequence = true, n })
	}
	f(11, codec.CertificateNotfound, func(q *codec.InfoRequest) { q.HasSequence, q.HasReceived = true, true })
}

// The confirmed log of an account that did not begin with number 0 begins where the account did.
func TestInfoBeforeTheFirstNumber(t *testing.T) {
	d, from := orderFixture(t)
	a := testKey(from)
	d.shards[0].table.find(&a).next = 5
	d.one(0, certMessage(certify(newOrder(from, toFastPay(11), 1, 5))))
	const missing = "CertificateNotfound"
	for n, want := range map[uint64]string{0: missing, 4: missing, 5: "ok", 6: missing} {
		a := d.one(0, infoMessage(from, func(q *codec.InfoRequest) { q.HasSequence, q.Sequence = true, n }))
		if got := codeOf(a.err); got != want {
			t.Errorf("number %d: %s, expected %s", n, got, want)
		}
	}
}

func TestInfoShowsLogs(t *testing.T) {
	d, certificates := infoFixture(t, 40)
	for i := range 45 {
		r := infoOf(t, d.one(0, infoMessage(11, func(q *codec.InfoRequest) {
			q.HasReceived, q.ReceivedAfter = true, uint64(i)
		})).reply)
		list := r.Received
		if want := max(40-i, 0); list.Len() != want {
			t.Fatalf("after %d: %d certificates, expected %d", i, list.Len(), want)
		}
		for n := i; list.Len() > 0; n++ {
			var c codec.Certificate
			if c, list = list.Next(); string(c.Bytes()) != string(certificates[n].Bytes()) {
				t.Fatalf("after %d: number %d is another certificate", i, n)
			}
		}
		if i < 40 {
			r = infoOf(t, d.one(0, infoMessage(10, func(q *codec.InfoRequest) { q.HasSequence, q.Sequence = true, uint64(i) })).reply)
			if string(r.Certificate.Bytes()) != string(certificates[i].Bytes()) {
				t.Fatalf("certificate %d is another one", i)
			}
		}
	}
	beyond := infoMessage(11, func(q *codec.InfoRequest) { q.HasReceived, q.ReceivedAfter = true, math.MaxUint64 })
	if r := infoOf(t, d.one(0, beyond).reply); r.Received.Len() != 0 {
		t.Errorf("%d certificates beyond the end", r.Received.Len())
	}
}

// The list ends where the reply would be too long, and continues from there. One certificate is always sent if it fits
// in a message at all, so that asking again gets on.
func TestInfoIsCutAtMaxReply(t *testing.T) {
	d, certificates := infoFixture(t, 40)
	d.one(0, orderMessage(newOrder(10, toFastPay(11), 1, 40)))
	one := len(certificates[0].Bytes())
	const empty = 70
	for _, maxReply := range []int{0, 1, empty + one, empty + one*3 - 1, empty + one*3, 8192, math.MaxInt} {
		for after := 0; after < 40; {
			q := &codec.InfoRequest{Account: testKey(11), HasReceived: true, ReceivedAfter: uint64(after)}
			out := d.shards[0].Info([]byte("junk"), q, maxReply)
			reply := out.Reply[4:]
			n := infoOf(t, reply).Received.Len()
			if n == 0 || n > 1 && len(reply) > maxReply || after+n < 40 && len(reply)+one <= min(maxReply, codec.DefaultMaxMessage) {
				t.Fatalf("at most %d bytes after %d: %d certificates in %d bytes", maxReply, after, n, len(reply))
			}
			after += n
		}
	}
}

// Nothing exceeds the largest message, whatever is asked for.
func TestInfoNeverExceedsMaxMessage(t *testing.T) {
	const most = 1000
	d := newDriver(t, cheap{}, 0, 1, testMembers, func(o *Options) { o.MaxMessage = most })
	d.fund(t, testKey(10), codec.NewBalance(100))
	for i := range 5 {
		d.one(0, certMessage(certify(newOrder(10, toFastPay(10), 1, uint64(i)), 0, 1, 2, 3)))
	}
	d.one(0, orderMessage(newOrder(10, toFastPay(11), 1, 5)))
	out := d.shards[0].Info(nil, &codec.InfoRequest{Account: testKey(10), HasSequence: true, HasReceived: true}, math.MaxInt)
	if r := infoOf(t, out.Reply); len(out.Reply) > most || r.Certificate.IsZero() || r.Pending.IsZero() || r.Received.Len() != 0 {
		t.Errorf("%d bytes, %d received", len(out.Reply), r.Received.Len())
	}
	out = d.shards[0].Info(nil, &codec.InfoRequest{Account: testKey(10), HasReceived: true}, 0)
	if r := infoOf(t, out.Reply); len(out.Reply) > most || r.Received.Len() != 1 {
		t.Errorf("%d bytes, %d received", len(out.Reply), r.Received.Len())
	}
}

// What has left the archive is not found. A list never silently begins later than it was asked for.
func TestInfoOfForgottenCertificates(t *testing.T) {
	d, certificates := infoFixture(t, 400)
	s := d.shards[0]
	if s.Stats().ArchiveOldest <= recordAlign {
		t.Fatal("nothing was forgotten")
	}
	kept := 0
	for i := range certificates {
		confirmed := s.Info(nil, &codec.InfoRequest{Account: testKey(10), HasSequence: true, Sequence: uint64(i)}, 8192)
		received := s.Info(nil, &codec.InfoRequest{Account: testKey(11), HasReceived: true, ReceivedAfter: uint64(i)}, 8192)
		if confirmed.Accepted != received.Accepted || kept > 0 && !confirmed.Accepted {
			t.Fatalf("number %d: confirmed %v, received %v", i, confirmed.Accepted, received.Accepted)
		}
		if confirmed.Accepted {
			kept++
			c, _ := infoOf(t, received.Reply).Received.Next()
			if string(c.Bytes()) != string(certificates[i].Bytes()) {
				t.Fatalf("the list after %d begins with another certificate", i)
			}
			continue
		}
		for _, out := range []Outcome{confirmed, received} {
			if err := errorOf(out.Reply); err.Code != codec.CertificateNotfound {
				t.Fatalf("number %d: %v", i, err)
			}
		}
	}
	if kept < 64<<10/2/600 || kept == 400 {
		t.Errorf("%d kept", kept)
	}
}
