package authority

import (
	"math/rand/v2"
	"testing"

	"fastpay/codec"
)

func TestCreditRefusals(t *testing.T) {
	const shards = 2
	d := newTestDriver(t, shards)
	here, there := owner(0, shards, 0), owner(1, shards, 0)
	f := func(name string, want codec.ErrorCode, c codec.Certificate) {
		t.Helper()
		wantUnchanged(t, d, func() {
			if err := d.shards[0].Credit(c); err == nil || err.Code != want {
				t.Errorf("%s: %v, expected %v", name, err, want)
			}
			wantCode(t, d.one(0, crossMessage(c)), want)
		})
	}
	f("the Primary", codec.InvalidCrossShardUpdate, certify(newOrder(there, toPrimary(here), 1, 0)))
	f("another shard", codec.WrongShard, certify(newOrder(here, toFastPay(there), 1, 0)))
}

func TestCreditIsCappedAndCounted(t *testing.T) {
	const shards = 2
	d := newTestDriver(t, shards)
	from, to := owner(1, shards, 0), owner(0, shards, 0)
	almost, _ := codec.MaxBalance.Sub(codec.NewBalance(5))
	d.fund(t, testKey(to), almost)
	for i, want := range []uint64{0, 1, 2} {
		if err := d.shards[0].Credit(certify(newOrder(from, toFastPay(to), uint64(5-i%2), uint64(i)))); err != nil {
			t.Fatal(err)
		}
		payee := testKey(to)
		if b, _ := d.shards[0].Balance(&payee); b != codec.MaxBalance || d.shards[0].Stats().CappedCredits != want {
			t.Errorf("credit %d: %v, %+v", i, b, d.shards[0].Stats())
		}
	}
}

// A payment inside a shard whose certificate also comes as a credit is credited once, whichever is first.
func TestCreditMemoryHoldsForEveryPath(t *testing.T) {
	for _, creditFirst := range []bool{false, true} {
		d, from := orderFixture(t)
		c := certify(newOrder(from, toFastPay(11), 30, 0))
		messages := [][]byte{certMessage(c), crossMessage(c)}
		if creditFirst {
			messages[0], messages[1] = messages[1], messages[0]
		}
		d.batch(0, messages...)
		payee, payer := testKey(11), testKey(from)
		s := d.shards[0]
		got, _ := s.Balance(&payee)
		left, _ := s.Balance(&payer)
		if got != codec.NewBalance(30) || left != codec.NewBalance(70) || s.Stats().RepeatedCredits != 1 {
			t.Errorf("credit first %v: %v, %v left, %+v", creditFirst, got, left, s.Stats())
		}
		r := infoOf(t, d.one(0, infoMessage(from, func(q *codec.InfoRequest) { q.HasSequence = true })).reply)
		if r.Certificate.IsZero() {
			t.Error("not in the confirmed log")
		}
		r = infoOf(t, d.one(0, infoMessage(11, func(q *codec.InfoRequest) { q.HasReceived = true })).reply)
		if r.Received.Len() != 1 {
			t.Errorf("%d in the received log", r.Received.Len())
		}
	}
}

func TestCreditWithoutMemoryTrustsTheCaller(t *testing.T) {
	d := newDriver(t, cheap{}, 0, 2, testMembers, func(o *Options) { o.RememberCredits = false })
	to := owner(0, 2, 0)
	c := certify(newOrder(owner(1, 2, 0), toFastPay(to), 30, 0))
	for range 2 {
		if err := d.shards[0].Credit(c); err != nil {
			t.Fatal(err)
		}
	}
	payee := testKey(to)
	if b, _ := d.shards[0].Balance(&payee); b != codec.NewBalance(60) || d.shards[0].Stats().CreditBlocks != 0 {
		t.Errorf("balance %v, %+v", b, d.shards[0].Stats())
	}
}

func TestCreditMemoryMatchesMap(t *testing.T) {
	type pair struct {
		sender   byte
		sequence uint64
	}
	r := rand.New(rand.NewPCG(5, 6))
	m := creditMemory{key: hashKey{1, 2}}
	m.index.reserve(0)
	seen := make(map[pair]bool)
	for range 50_000 {
		p := pair{byte(r.IntN(20)), r.Uint64N(5000)}
		if r.IntN(2) == 0 {
			p.sequence = ^p.sequence
		}
		a := testKey(p.sender)
		if got := m.add(&a, p.sequence); got == seen[p] {
			t.Fatalf("%+v: new %v, seen %v", p, got, seen[p])
		}
		seen[p] = true
	}
	blocks := make(map[pair]bool)
	for p := range seen {
		blocks[pair{p.sender, p.sequence / 64}] = true
	}
	if int(m.blocks.n) != len(blocks) {
		t.Errorf("%d blocks, expected %d", m.blocks.n, len(blocks))
	}
}
