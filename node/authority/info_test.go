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
			out, fetch := d.shards[0].Info([]byte("junk"), q, maxReply)
			reply, _, err := d.reader.Finish(out.Reply, &fetch)
			if err != nil || string(reply[:4]) != "junk" {
				t.Fatalf("%v: %q", err, reply[:4])
			}
			reply = reply[4:]
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
	got := d.info(0, &codec.InfoRequest{Account: testKey(10), HasSequence: true, HasReceived: true}, math.MaxInt)
	if r := infoOf(t, got.reply); len(got.reply) > most || r.Certificate.IsZero() || r.Pending.IsZero() || r.Received.Len() != 0 {
		t.Errorf("%d bytes, %d received", len(got.reply), r.Received.Len())
	}
	got = d.info(0, &codec.InfoRequest{Account: testKey(10), HasReceived: true}, 0)
	if r := infoOf(t, got.reply); len(got.reply) > most || r.Received.Len() != 1 {
		t.Errorf("%d bytes, %d received", len(got.reply), r.Received.Len())
	}
}

// What the log has forgotten is not found. A list never silently begins later than it was asked for.
func TestInfoOfForgottenCertificates(t *testing.T) {
	ring := newTestRing(t, 64<<10)
	inRing := newDriver(t, cheap{}, 0, 1, testMembers, func(o *Options) { o.Log = ring })
	inJournal := newTestDriver(t, 1)
	for name, d := range map[string]*driver{"ring": inRing, "journal": inJournal} {
		d.fund(t, testKey(10), codec.NewBalance(1000))
		var certificates []codec.Certificate
		for i := range 400 {
			certificates = append(certificates, certify(newOrder(10, toFastPay(11), 1, uint64(i))))
			d.one(0, certMessage(certificates[i]))
		}
		if d.log != nil {
			d.log.gone = d.log.all[300].at
		} else if _, forgotten := ring.Forgotten(); forgotten == 0 {
			t.Fatal("nothing was forgotten")
		}
		kept := 0
		for i, want := range certificates {
			confirmed := d.info(0, &codec.InfoRequest{Account: testKey(10), HasSequence: true, Sequence: uint64(i)}, 8192)
			received := d.info(0, &codec.InfoRequest{Account: testKey(11), HasReceived: true, ReceivedAfter: uint64(i)}, 8192)
			if confirmed.out.Accepted != received.out.Accepted || kept > 0 && !confirmed.out.Accepted {
				t.Fatalf("%s: number %d: confirmed %v, received %v", name, i, confirmed.err, received.err)
			}
			if confirmed.out.Accepted {
				kept++
				c, _ := infoOf(t, received.reply).Received.Next()
				if string(c.Bytes()) != string(want.Bytes()) {
					t.Fatalf("%s: the list after %d begins with another certificate", name, i)
				}
				continue
			}
			if confirmed.err.Code != codec.CertificateNotfound || received.err.Code != codec.CertificateNotfound {
				t.Fatalf("%s: number %d: %v, %v", name, i, confirmed.err, received.err)
			}
		}
		if d.log != nil && kept != 100 || d.log == nil && (kept < 64<<10/2/600 || kept == 400) {
			t.Errorf("%s: %d kept", name, kept)
		}
	}
}
