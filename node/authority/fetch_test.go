package authority

import (
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
