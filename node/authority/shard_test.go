package authority

import (
	"errors"
	"strings"
	"testing"

	"fastpay/codec"
	"fastpay/node/committee"
)

func TestNewRefusals(t *testing.T) {
	f := func(hint string, change func(o *Options)) {
		t.Helper()
		opts := Options{Committee: testCommittee(t, testMembers...), Name: testKey(0), NumShards: 2, Log: newTestLog()}
		if _, err := New(opts); err != nil {
			t.Fatal(err)
		}
		change(&opts)
		if _, err := New(opts); !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), hint) {
			t.Errorf("error %v, expected %q", err, hint)
		}
	}
	f("no committee", func(o *Options) { o.Committee = nil })
	f("not in the committee", func(o *Options) { o.Name = testKey(9) })
	f("shard 2 of 2", func(o *Options) { o.Shard = 2 })
	f("shard -1 of 2", func(o *Options) { o.Shard = -1 })
	f("shard 0 of 0", func(o *Options) { o.NumShards = 0 })
	f("shard 0 of 65536", func(o *Options) { o.NumShards = 1 << 16 })
	f("a certificate of all 4 members needs", func(o *Options) { o.MaxMessage = 900 })
	f("no log", func(o *Options) { o.Log = nil })
	f("messages of -1 bytes", func(o *Options) { o.MaxMessage = -1 })
	f("-1 expected accounts", func(o *Options) { o.ExpectedAccounts = -1 })
}

// With weights, fewer votes can make a quorum; the smallest certificate decides how many can be in a reply.
func TestMinCertificate(t *testing.T) {
	f := func(want int, weights ...uint64) {
		t.Helper()
		var members []committee.Member
		for i, w := range weights {
			members = append(members, committee.Member{
				Name: testKey(byte(i)), Weight: w, Host: "h", BasePort: 1000 + i, NumShards: 1})
		}
		c, err := committee.New(members)
		if err != nil {
			t.Fatal(err)
		}
		if got := minCertificate(c); got != len(certify(newOrder(9, toFastPay(9), 1, 1), make([]byte, want)...).Bytes()) {
			t.Errorf("weights %v: %d bytes, expected %d votes", weights, got, want)
		}
	}
	f(1, 1)
	f(3, 1, 1, 1, 1)
	f(1, 1, 9, 1)
	f(2, 1, 5, 2, 4, 1)
}

func TestFund(t *testing.T) {
	const shards = 2
	d := newTestDriver(t, shards)
	here, there := testKey(owner(0, shards, 0)), testKey(owner(1, shards, 0))
	s := d.shards[0]
	if err := s.Fund(&here, codec.MinBalance); err != nil {
		t.Error(err)
	}
	if err := s.Fund(&here, codec.MaxBalance); !errors.Is(err, ErrFunded) {
		t.Errorf("twice: %v", err)
	}
	if err := s.Fund(&there, codec.MaxBalance); !errors.Is(err, ErrWrongShard) {
		t.Errorf("wrong shard: %v", err)
	}
	if b, ok := s.Balance(&here); !ok || b != codec.MinBalance || s.NumAccounts() != 1 {
		t.Errorf("%v, %v, %d accounts", b, ok, s.NumAccounts())
	}
	if _, ok := s.Balance(&there); ok {
		t.Error("the refused account is there")
	}
}

// An account that an operator adds must be of the shard; one that is there gets what is added, up to the largest balance.
func TestAddAccount(t *testing.T) {
	d := newTestDriver(t, 2)
	here, there := testKey(owner(0, 2, 0)), testKey(owner(1, 2, 0))
	s := d.shards[0]
	wantUnchanged(t, d, func() {
		if err := s.AddAccount(&there, codec.NewBalance(1)); !errors.Is(err, ErrWrongShard) {
			t.Errorf("wrong shard: %v", err)
		}
	})
	for i, want := range []codec.Balance{codec.NewBalance(7), codec.NewBalance(14), codec.MaxBalance} {
		add := codec.NewBalance(7)
		if i == 2 {
			add = codec.MaxBalance
		}
		if err := s.AddAccount(&here, add); err != nil {
			t.Fatal(err)
		}
		if got, _ := s.Balance(&here); got != want || s.Stats().CappedCredits != uint64(i/2) {
			t.Errorf("after %d: %v, expected %v; %d capped", i+1, got, want, s.Stats().CappedCredits)
		}
	}
	if d.commit(); len(d.log.all) != 3 {
		t.Errorf("%d records of 3 accounts added", len(d.log.all))
	}
}

// The sum of balances may need more than 128 bits.
func TestTotalBalance(t *testing.T) {
	d := newTestDriver(t, 1)
	for i := range byte(4) {
		d.fund(t, testKey(20+i), codec.MinBalance)
	}
	want := codec.MinBalance.Big()
	if got := d.shards[0].TotalBalance(); got.Cmp(want.Lsh(want, 2)) != 0 {
		t.Errorf("%v, expected %v", got, want)
	}
	n := 0
	for range d.shards[0].Accounts() {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d accounts before the break", n)
	}
}

// The same requests give the same replies whatever the seed of the hash, and the same shard twice is the same.
func TestSameRequestsSameState(t *testing.T) {
	var dumps [3]string
	for i, seed := range [][2]uint64{{1, 2}, {1, 2}, {3, 4}} {
		d := newDriver(t, cheap{}, 0, 2, testMembers, func(o *Options) { o.HashSeed = seed })
		for n := range byte(100) {
			d.fund(t, testKey(100+n), codec.NewBalance(uint64(n)))
		}
		for n := range byte(100) {
			o := newOrder(100+n, toFastPay(150-n/2), 1, 0)
			from := testKey(100 + n)
			shard := committee.ShardOf(&from, 2)
			for _, a := range d.batch(shard, orderMessage(o), certMessage(certify(o))) {
				dumps[i] += string(a.reply)
			}
		}
		dumps[i] += d.dump()
	}
	if dumps[0] != dumps[1] || dumps[0] != dumps[2] {
		t.Error("the runs differ")
	}
}

// Options may be as large, and messages as small, as they may be, and no more.
func TestNewLimits(t *testing.T) {
	c := testCommittee(t, testMembers...)
	f := func(name string, good bool, change func(o *Options)) {
		t.Helper()
		opts := Options{Committee: c, Name: testKey(0), NumShards: 2, Log: newTestLog()}
		change(&opts)
		if _, err := New(opts); (err == nil) != good {
			t.Errorf("%s: %v", name, err)
		}
	}
	f("all shards that there are ports for", true, func(o *Options) { o.NumShards = committee.MaxPort })
	f("one shard more", false, func(o *Options) { o.NumShards = committee.MaxPort + 1 })
	// The largest answer with one certificate: state, pending order with our vote, certificate with user data, and no list.
	o := signOrder(10, codec.Transfer{Recipient: toFastPay(11), Amount: 1, UserData: codec.UserData{Present: true}})
	vote := codec.NewVote(o, &testMembers[0], &testSignature)
	largest := codec.AppendInfoResponse(nil, &codec.InfoResponse{Pending: vote, Certificate: certify(o, 0, 1, 2, 3)})
	f("the largest answer", true, func(o *Options) { o.MaxMessage = len(largest) })
	f("one byte less", false, func(o *Options) { o.MaxMessage = len(largest) - 1 })
}

// Places in tables depend on both words of the seed.
func TestHashSeedIsUsed(t *testing.T) {
	seen := make(map[uint64][2]uint64)
	for _, seed := range [][2]uint64{{0, 0}, {1, 2}, {1, 3}, {2, 2}, {2, 1}} {
		d := newDriver(t, cheap{}, 0, 1, testMembers, func(o *Options) { o.HashSeed = seed })
		a := testKey(10)
		hash := d.shards[0].table.key.of(&a)
		if other, ok := seen[hash]; ok {
			t.Errorf("seeds %v and %v give one hash", other, seed)
		}
		seen[hash] = seed
	}
}
