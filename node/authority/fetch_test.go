package authority

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"

	"fastpay/codec"
)

// A certificate can be asked for in the batch that settles it, whose place in the log nobody knows yet.
func TestInfoInTheBatchOfItsCertificate(t *testing.T) {
	d, from := orderFixture(t)
	c := certify(newOrder(from, toFastPay(11), 1, 0))
	answers := d.batch(0, certMessage(c),
		infoMessage(from, func(q *codec.InfoRequest) { q.HasSequence = true }),
		infoMessage(11, func(q *codec.InfoRequest) { q.HasReceived = true }))
	if got := infoOf(t, answers[1].reply).Certificate; string(got.Bytes()) != string(c.Bytes()) {
		t.Errorf("confirmed %x", got.Bytes())
	}
	if got, _ := infoOf(t, answers[2].reply).Received.Next(); string(got.Bytes()) != string(c.Bytes()) {
		t.Errorf("received %x", got.Bytes())
	}
}

// A batch notes each account whose log it makes longer once, however often that happens, since a peer can pay one account
// in every request. Where positions are known at once, nothing is noted.
func TestAccountsOfABatchAreNotedOnce(t *testing.T) {
	d, from := orderFixture(t)
	s := d.shards[0]
	for i := range uint64(20) {
		s.Certificate(nil, certify(newOrder(from, toFastPay(11), 1, i)))
		if len(s.touched) != 2 {
			t.Fatalf("after %d payments %d accounts are noted", i+1, len(s.touched))
		}
	}
	d.commit()
	if len(s.touched) != 0 {
		t.Errorf("after the batch %d accounts are noted", len(s.touched))
	}
	twin := d.recovered(t, firstSnapshot(t, 1, map[codec.Address]codec.Balance{testKey(from): codec.NewBalance(100)}), d.log.all)
	if n := len(twin.shards[0].touched); n != 0 {
		t.Errorf("recovery notes %d accounts", n)
	}
	ring := newTestRing(t, 64<<10)
	r := newDriver(t, cheap{}, 0, 1, testMembers, func(o *Options) { o.Log = ring })
	r.one(0, certMessage(certify(newOrder(from, toFastPay(11), 1, 0))))
	if n := len(r.shards[0].touched); n != 0 {
		t.Errorf("with a ring %d accounts are noted", n)
	}
}

// readBack is what a list of received certificates needs to read: the way to the last one that may fit, by the links, back
// from there to the first one, and each again to copy it.
func readBack(n, first, most uint64) (reads uint64) {
	last := min(first+most-1, n)
	for {
		number := n
		if far := n &^ (farStep - 1); far >= last {
			number = far
		} else if near := n &^ (nearStep - 1); near >= last {
			number = near
		}
		if number == last {
			return reads + last - first + last - first + 1
		}
		reads, n = reads+1, number-1
	}
}

// Lists are as long as they may be, to the byte, and no record is read that is not needed.
func TestListsAreFullAndReadNoMore(t *testing.T) {
	const header, k = 4 + 32 + 16 + 8 + 1 + 1 + 8, 5
	one := len(certify(newOrder(10, toFastPay(11), 1, 0)).Bytes())
	for _, spare := range []int{0, 1} {
		d := newDriver(t, cheap{}, 0, 1, testMembers, func(o *Options) { o.MaxMessage = header + k*one + spare })
		d.fund(t, testKey(10), codec.NewBalance(100))
		for i := range uint64(40) {
			d.one(0, certMessage(certify(newOrder(10, toFastPay(11), 1, i))))
		}
		read, reads := d.reader.read, uint64(0)
		d.reader.read = func(at Position) ([]byte, error) { reads++; return read(at) }
		limits := []int{math.MaxInt, header + k*one, header + k*one - 1, header + 3*one, header + 3*one - 1, header + one, 0}
		for i, want := range []uint64{k, k, k - 1, 3, 2, 1, 1} {
			for _, after := range []uint64{0, 7, 30} {
				reads = 0
				a := d.info(0, &codec.InfoRequest{Account: testKey(11), HasReceived: true, ReceivedAfter: after}, limits[i])
				if n := infoOf(t, a.reply).Received.Len(); uint64(n) != want {
					t.Errorf("at most %d bytes: %d certificates, expected %d", limits[i], n, want)
				}
				if most := readBack(40, after+1, want); reads != most {
					t.Errorf("at most %d bytes after %d: %d records are read, expected %d", limits[i], after, reads, most)
				}
			}
		}
	}
	if got := []uint64{readBack(40, 40, 1), readBack(40, 39, 2), readBack(40, 1, 1), readBack(40, 32, 1)}; !slices.Equal(got,
		[]uint64{1, 3, 32, 1}) {
		t.Errorf("the model reads %v", got)
	}
}

// A list ends before the reply is longer than it may be, also when its certificates are larger than the smallest.
func TestListsOfLargeCertificates(t *testing.T) {
	d, from := orderFixture(t)
	const header = 4 + 32 + 16 + 8 + 1 + 1 + 8
	small := len(certify(newOrder(from, toFastPay(11), 1, 0)).Bytes())
	large := certify(newOrder(from, toFastPay(11), 1, 0), 0, 1, 2, 3)
	for i := range uint64(5) {
		d.one(0, certMessage(certify(newOrder(from, toFastPay(11), 1, i), 0, 1, 2, 3)))
	}
	for limit, want := range map[int]int{0: 1, header + 2*small: 1, header + 2*len(large.Bytes()) - 1: 1, header + 2*len(large.Bytes()): 2,
		header + 4*small: 3} {
		a := d.info(0, &codec.InfoRequest{Account: testKey(11), HasReceived: true}, limit)
		if n := infoOf(t, a.reply).Received.Len(); n != want || want > 1 && len(a.reply) > limit {
			t.Errorf("at most %d bytes: %d certificates in %d bytes, expected %d", limit, n, len(a.reply), want)
		}
	}
}

// A committee of one makes certificates with one vote.
func TestCertificatesOfOneVote(t *testing.T) {
	d := newDriver(t, cheap{}, 0, 2, testMembers[:1], nil)
	from, to := owner(0, 2, 0), owner(1, 2, 0)
	d.fund(t, testKey(from), codec.NewBalance(100))
	c := certify(newOrder(from, toFastPay(to), 1, 0), 0)
	a := d.one(0, certMessage(c))
	for number, at := range []Position{0, a.out.At} { // with the certificate, and by its position
		if err := d.credit(1, 0, uint64(number+1), at, c); err != nil {
			t.Fatal(err)
		}
		got := d.one(1, infoMessage(to, func(q *codec.InfoRequest) { q.HasReceived, q.ReceivedAfter = true, uint64(number) }))
		if first, _ := infoOf(t, got.reply).Received.Next(); string(first.Bytes()) != string(c.Bytes()) {
			t.Errorf("received %x, expected %x", first.Bytes(), c.Bytes())
		}
	}
	got := d.one(0, infoMessage(from, func(q *codec.InfoRequest) { q.HasSequence = true }))
	if string(infoOf(t, got.reply).Certificate.Bytes()) != string(c.Bytes()) {
		t.Error("confirmed another certificate")
	}
}

// A record that can't be read ends a list, whichever it is: none is taken for another.
func TestListsEndWithAnError(t *testing.T) {
	d := newTestDriver(t, 2)
	from, to := owner(0, 2, 0), owner(1, 2, 0)
	d.fund(t, testKey(from), codec.NewBalance(100))
	for i := range uint64(3) {
		c := certify(newOrder(from, toFastPay(to), 1, i))
		a := d.one(0, certMessage(c))
		if err := d.credit(1, 0, i+1, a.out.At, c); err != nil {
			t.Fatal(err)
		}
	}
	read := d.reader.read
	for _, l := range d.log.all { // three settlements and three credits
		d.reader.read = func(at Position) ([]byte, error) {
			if at == l.at {
				return nil, errFault
			}
			return read(at)
		}
		out, fetch := d.shards[1].Info([]byte("x"), &codec.InfoRequest{Account: testKey(to), HasReceived: true}, 8192)
		before := string(out.Reply)
		if reply, found, err := d.reader.Finish(out.Reply, &fetch); !errors.Is(err, errFault) || found || string(reply) != before {
			t.Errorf("without the record at %v: %v, %v, %x", l.at, err, found, reply)
		}
	}
}

// An answer that shows no certificate is whole, and nobody has to read for it.
func TestInfoWithoutCertificatesIsWhole(t *testing.T) {
	d, _ := infoFixture(t, 3)
	for name, c := range map[string]struct {
		q    codec.InfoRequest
		want bool
	}{
		"state":             {codec.InfoRequest{Account: testKey(11)}, false},
		"beyond the end":    {codec.InfoRequest{Account: testKey(11), HasReceived: true, ReceivedAfter: 4}, false},
		"from the end on":   {codec.InfoRequest{Account: testKey(11), HasReceived: true, ReceivedAfter: 3}, false},
		"the last one":      {codec.InfoRequest{Account: testKey(11), HasReceived: true, ReceivedAfter: 2}, true},
		"nothing received":  {codec.InfoRequest{Account: testKey(10), HasReceived: true}, false},
		"the first payment": {codec.InfoRequest{Account: testKey(10), HasSequence: true}, true},
	} {
		if out, fetch := d.shards[0].Info(nil, &c.q, 8192); fetch.Wanted() != c.want || !c.want && infoOf(t, out.Reply).Received.Len() != 0 {
			t.Errorf("%s: to be read: %v", name, fetch.Wanted())
		}
	}
}

// A shard with a single account is not empty.
func TestLoadIntoOneAccount(t *testing.T) {
	d, _ := orderFixture(t)
	if err := Load(bytes.NewReader(firstSnapshot(t, 1, nil)), d.shards); err == nil {
		t.Error("loaded into a shard with an account")
	}
}
