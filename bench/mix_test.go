package bench

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"fastpay/codec"
	"fastpay/node/committee"
)

func TestParsePattern(t *testing.T) {
	for text, want := range map[string]Mix{
		"ring": {}, "uniform": {Pattern: Uniform}, "zipf:0.99": {Pattern: Zipf, Skew: 0.99}, "hot:10,90": {Pattern: Hot, Accounts: 10, Percent: 90},
	} {
		var m Mix
		if err := m.ParsePattern(text); err != nil || m != want || m.String() != text {
			t.Errorf("%q is %+v, %q, %v", text, m, m.String(), err)
		}
	}
	for _, text := range []string{"", "star", "ring:1", "uniform:", "zipf", "zipf:0", "zipf:-1", "zipf:NaN", "zipf:99", "hot", "hot:1", "hot:0,5",
		"hot:1,101", "hot:x,1", "hot:1,2,3"} {
		if err := new(Mix).ParsePattern(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// shares counts how often each account is paid in some rounds, across shards, to the Primary, by itself.
func shares(m Mix, accounts, shards, rounds int) (paid []float64, across, primary, self float64) {
	w := newWorkload(5, 4)
	w.expand(accounts, 0)
	w.mixed(m, shards)
	index := make(map[codec.Address]int)
	for i, a := range w.accounts {
		index[a] = i
	}
	paid = make([]float64, accounts)
	each := 1 / float64(accounts*rounds)
	for round := range rounds {
		for i := range accounts {
			x := w.transfer(i, round)
			if x.Recipient.Kind == codec.Primary {
				primary += each
				continue
			}
			to := index[x.Recipient.Address]
			paid[to] += each
			if committee.ShardOf(&w.accounts[i], shards) != committee.ShardOf(&w.accounts[to], shards) {
				across += each
			}
			if to == i {
				self += each
			}
		}
	}
	return paid, across, primary, self
}

func TestMixesHaveTheirShares(t *testing.T) {
	near := func(what string, got, want, within float64) {
		t.Helper()
		if math.Abs(got-want) > within {
			t.Errorf("%s: %.4f, want %.4f", what, got, want)
		}
	}
	const accounts, shards, rounds = 200, 4, 100
	paid, across, primary, self := shares(Mix{Pattern: Uniform}, accounts, shards, rounds)
	near("uniform, first", paid[0], 1.0/accounts, 0.002)
	near("uniform, across", across, 0.75, 0.03)
	near("uniform, primary and self", primary+self, 0, 0)

	paid, _, _, _ = shares(Mix{Pattern: Zipf, Skew: 1}, accounts, shards, rounds)
	harmonic := 0.0
	for i := range accounts {
		harmonic += 1 / float64(i+1)
	}
	near("zipf, first", paid[0], 1/harmonic, 0.01)
	near("zipf, tenth", paid[9], 1/harmonic/10, 0.005)

	paid, _, _, _ = shares(Mix{Pattern: Hot, Accounts: 4, Percent: 80}, accounts, shards, rounds)
	near("hot", paid[0]+paid[1]+paid[2]+paid[3], 0.8+0.2*4/accounts, 0.02)

	for _, p := range []Pattern{Ring, Uniform, Hot} {
		for _, percent := range []float64{0, 25, 100} {
			_, across, primary, self = shares(Mix{Pattern: p, Accounts: 10, Percent: 50, HasCrossShard: true, CrossShard: percent, ToPrimary: 10},
				accounts, shards, rounds)
			near("across, asked for", across/(1-primary), percent/100, 0.02)
			near("primary", primary, 0.10, 0.02)
			near("self", self, 0, 0)
		}
	}
}

// TestMixedPaymentsAreConserved runs every kind of mix against the real authority: what left is told exactly.
func TestMixedPaymentsAreConserved(t *testing.T) {
	for i, m := range []Mix{
		{Pattern: Uniform, ToPrimary: 30, UserData: true},
		{Pattern: Zipf, Skew: 1.2, HasCrossShard: true, CrossShard: 100},
		{Pattern: Hot, Accounts: 2, Percent: 90, HasCrossShard: true, ToPrimary: 100, UserData: true},
	} {
		forProtocols(t, func(t *testing.T, protocol committee.Protocol) {
			o := endToEnd(uint64(200 + 2*i + int(protocol)))
			o.Protocol, o.Mix, o.InProcess = protocol, m, true
			if protocol == committee.TCP {
				o.Info = 40
			}
			r, err := Run(context.Background(), o, new(strings.Builder))
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Err(false); err != nil || r.PaymentsOK != 500 || !r.Conserved {
				t.Fatalf("%v: %d payments, conserved %v, %v", m, r.PaymentsOK, r.Conserved, err)
			}
			if got, want := float64(r.Load.LeftFastPay), m.ToPrimary/100*float64(r.ConfirmedAll); math.Abs(got-want) > 0.1*float64(r.ConfirmedAll) ||
				m.ToPrimary == 100 && got != want {
				t.Errorf("%v: %v of %d left FastPay, want %v", m, got, r.ConfirmedAll, want)
			}
			if protocol == committee.TCP && (r.Load.Infos < 190 || r.Load.InfoUs.P50 == nil) {
				t.Errorf("%d info requests for 500 payments", r.Load.Infos)
			}
			if m.UserData != strings.Contains(r.Load.Workload, "user data") {
				t.Errorf("workload %q", r.Load.Workload)
			}
		})
	}
}

func TestMixedPaymentsOfACommittee(t *testing.T) {
	r := wholeRun(t, 210, "", func(o *Options) { o.Mix = Mix{Pattern: Uniform, ToPrimary: 20, UserData: true} })
	if err := r.Err(false); err != nil || r.PaymentsOK != 500 || !r.Conserved || r.Load.LeftFastPay == 0 {
		t.Errorf("%d payments, conserved %v, %d left, %v", r.PaymentsOK, r.Conserved, r.Load.LeftFastPay, err)
	}
}

// TestAuditSeesPaymentsToThePrimary has one payment to the Primary too few leave the balances.
func TestAuditSeesPaymentsToThePrimary(t *testing.T) {
	b := books{balance: mintedBy(10, 100), redeemed: 7}
	read := func() (books, error) { return b, nil }
	late := time.Now().Add(-time.Hour)
	if ok, _, _ := audit(read, mintedBy(10, 100), late); ok {
		t.Error("7 have left, and are still there")
	}
	b.balance, _ = b.balance.Sub(codec.NewBalance(7))
	if ok, _, _ := audit(read, mintedBy(10, 100), late); !ok {
		t.Error("what left is missed")
	}
}

// TestCacheOfMixes holds that payments of one mix are never taken for those of another.
func TestCacheOfMixes(t *testing.T) {
	root := t.TempDir()
	mixes := []Mix{{}, {Pattern: Uniform}, {ToPrimary: 1}, {ToPrimary: 2}, {UserData: true}, {HasCrossShard: true}, {HasCrossShard: true, CrossShard: 5},
		{Pattern: Zipf, Skew: 1}, {Pattern: Zipf, Skew: 1.5}, {Pattern: Hot, Accounts: 1, Percent: 5}, {Pattern: Hot, Accounts: 15, Percent: 5}}
	seen := make(map[string]bool)
	for _, m := range mixes {
		for _, shards := range []int{2, 3} {
			o := Options{Mix: m, NumShards: shards, Seed: 1, CommitteeSize: 4, NumAccounts: testAccounts}
			c := newCache(root, 1, 4, testAccounts, o.mixKey())
			s := shape{testAccounts, shards, 1, Payments, m}
			made, err := prepare(context.Background(), newWorkload(1, 4), c, s, 2*testAccounts, nil)
			if err != nil {
				t.Fatal(err)
			}
			fresh, err := prepare(context.Background(), newWorkload(1, 4), new(cache), s, 2*testAccounts, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !sameLanes(made, fresh) {
				t.Errorf("%v with %d shards: the cache gave other payments", m, shards)
			}
			seen[c.dir] = true
		}
	}
	if len(seen) != len(mixes)+2 { // the two with a share across shards depend on their number
		t.Errorf("%d folders for %d mixes", len(seen), len(mixes))
	}
}
