package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"fastpay/codec"
	"fastpay/node/committee"
)

const testAccounts = 60

func prepareTest(t *testing.T, seed uint64, c *cache, shards, total int) *prepared {
	t.Helper()
	made, err := prepare(context.Background(), newWorkload(seed, 4), c, shape{testAccounts, shards, 1, Payments, Mix{}}, total, nil)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func sameLanes(a, b *prepared) bool {
	for i := range a.lanes {
		if !bytes.Equal(a.lanes[i].frames, b.lanes[i].frames) || !bytes.Equal(a.lanes[i].votes, b.lanes[i].votes) {
			return false
		}
	}
	return len(a.lanes) == len(b.lanes)
}

func TestSameSeedSameBytes(t *testing.T) {
	a, b := prepareTest(t, 1, new(cache), 3, 200), prepareTest(t, 1, new(cache), 3, 200)
	if !sameLanes(a, b) {
		t.Error("one seed gave different payments")
	}
	if sameLanes(a, prepareTest(t, 2, new(cache), 3, 200)) {
		t.Error("two seeds gave the same payments")
	}
	more := prepareTest(t, 1, new(cache), 3, 900)
	for i, l := range a.lanes {
		if !bytes.HasPrefix(more.lanes[i].frames, l.frames) {
			t.Errorf("lane %d: more payments begin differently", i)
		}
	}
}

// TestLanesHoldGoodPayments decodes what will be sent, and checks it as an authority would.
func TestLanesHoldGoodPayments(t *testing.T) {
	const total, shards = 200, 3
	made := prepareTest(t, 1, new(cache), shards, total)
	spec := (&Options{NumShards: shards, Host: "localhost", Protocol: committee.TCP}).spec(made.workload)
	c, err := spec.committeeAt(firstPort)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, l := range made.lanes {
		b := l.frames
		for k := range l.size {
			var order, cert codec.Message
			frame, rest, ok, err := codec.TakeFrame(b, codec.DefaultMaxMessage)
			if err != nil || !ok || !order.Decode(frame) || order.Kind != codec.KindOrder || !bytes.Equal(frame, l.order(k)) {
				t.Fatalf("lane %d, payment %d: no order", l.shard, k)
			}
			frame, rest, ok, err = codec.TakeFrame(rest, codec.DefaultMaxMessage)
			if err != nil || !ok || !cert.Decode(frame) || cert.Kind != codec.KindCertificate || !bytes.Equal(frame, l.certificate(k)) {
				t.Fatalf("lane %d, payment %d: no certificate", l.shard, k)
			}
			b = rest
			if err := c.CheckOrder(order.Order()); err != nil {
				t.Fatal(err)
			}
			if err := c.CheckCertificate(cert.Certificate()); err != nil {
				t.Fatal(err)
			}
			checkPayment(t, made, l, k, order.Order(), cert.Certificate())
			seen++
		}
		if len(b) != 0 {
			t.Errorf("lane %d: %d bytes too many", l.shard, len(b))
		}
	}
	if seen != total {
		t.Errorf("%d payments, want %d", seen, total)
	}
}

func checkPayment(t *testing.T, made *prepared, l *lane, k int, o codec.Order, c codec.Certificate) {
	t.Helper()
	account := int(l.accounts[k%len(l.accounts)])
	want := codec.Transfer{
		Sender:         made.accounts[account],
		Recipient:      codec.Recipient{Kind: codec.FastPay, Address: made.accounts[(account+testAccounts-1)%testAccounts]},
		Amount:         1,
		SequenceNumber: uint64(k / len(l.accounts)),
	}
	if o.Transfer() != want || c.Order().Transfer() != want {
		t.Errorf("lane %d, payment %d: got %+v, want %+v", l.shard, k, o.Transfer(), want)
	}
	if committee.ShardOf(o.Sender(), len(made.lanes)) != l.shard {
		t.Errorf("lane %d, payment %d: wrong shard", l.shard, k)
	}
	for i := range c.NumVotes() {
		if name, _ := c.Vote(i); *name == made.measured() {
			t.Errorf("lane %d, payment %d: the measured authority's vote is in the certificate", l.shard, k)
		}
	}
	if c.NumVotes() != 3 {
		t.Errorf("%d votes, want a quorum of 3", c.NumVotes())
	}
}

func TestCacheGivesTheSameBytes(t *testing.T) {
	root := t.TempDir()
	fresh := prepareTest(t, 1, new(cache), 3, 250)
	for _, want := range []struct{ total, cached int }{{250, 0}, {250, 240}, {100, 100}, {400, 240}, {400, 360}} {
		made := prepareTest(t, 1, newCache(root, 1, 4, testAccounts, ""), 3, want.total)
		if made.cached != want.cached {
			t.Errorf("%d payments: %d were cached, want %d", want.total, made.cached, want.cached)
		}
		if want.total == 250 && !sameLanes(fresh, made) {
			t.Error("the cache changes payments")
		}
	}
}

func TestCacheOfAccountsAlone(t *testing.T) {
	root := t.TempDir()
	c := newCache(root, 1, 4, testAccounts, "")
	c.accountsOnly = true
	first := prepareTest(t, 1, c, 3, 120)
	again := prepareTest(t, 1, c, 3, 120)
	if again.cached != 0 || !sameLanes(first, again) || c.loadAccounts() == nil {
		t.Errorf("%d payments from the cache, accounts cached: %v", again.cached, c.loadAccounts() != nil)
	}
	entries, err := os.ReadDir(c.dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files, %v", len(entries), err)
	}
}

func TestDamagedCacheIsMadeAgain(t *testing.T) {
	root := t.TempDir()
	fresh := prepareTest(t, 1, newCache(root, 1, 4, testAccounts, ""), 3, 120)
	dir := filepath.Join(root, "1-4-60")
	damage := map[string]func(b []byte) []byte{
		"a bit":        func(b []byte) []byte { b[len(b)/2] ^= 4; return b },
		"its header":   func(b []byte) []byte { b[9] ^= 1; return b },
		"its end":      func(b []byte) []byte { return b[:len(b)-1] },
		"all of it":    func([]byte) []byte { return nil },
		"another file": func([]byte) []byte { other, _ := os.ReadFile(filepath.Join(dir, "round-000001")); return other },
	}
	for what, f := range damage {
		for _, name := range []string{"round-000000", "accounts"} {
			file := filepath.Join(dir, name)
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, f(b), 0o644); err != nil {
				t.Fatal(err)
			}
			if made := prepareTest(t, 1, newCache(root, 1, 4, testAccounts, ""), 3, 120); !sameLanes(fresh, made) {
				t.Errorf("%s of %s is damaged: other payments", what, name)
			}
			if c := newCache(root, 1, 4, testAccounts, ""); c.loadAccounts() == nil || c.loadRound(0, testAccounts*5) == nil {
				t.Errorf("%s of %s was damaged: not mended", what, name)
			}
		}
	}
}

func TestCacheIsBounded(t *testing.T) {
	root := t.TempDir()
	fill := func(seed uint64) *cache {
		c := newCache(root, seed, 4, testAccounts, "")
		c.limit = 64 << 10
		prepareTest(t, seed, c, 1, 2*testAccounts) // 2*60*5*64 = 38,400 bytes
		return c
	}
	old := fill(1)
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(old.dir, past, past); err != nil {
		t.Fatal(err)
	}
	stale := filepath.Join(old.dir, "new-123")
	if err := os.WriteFile(stale, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	second := fill(2)
	if !second.hasRound(1) || old.hasRound(0) {
		t.Errorf("the new workload is kept: %v; the old one is: %v", second.hasRound(1), old.hasRound(0))
	}
	if err := second.store("huge", 0, make([]byte, 65<<10)); !errors.Is(err, errCacheFull) {
		t.Errorf("a file beyond the bound: %v", err)
	}
}

func TestPreparationCanBeCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := prepare(ctx, newWorkload(1, 4), new(cache), shape{testAccounts, 1, 1, Payments, Mix{}}, 1000, newProgress(io.Discard, "x", 1000))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestProgressPrintsLinesWithoutTerminal(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out, "Preparing", 10)
	p.add(3)
	if out.Len() != 0 {
		t.Errorf("printed %q at once", out.String())
	}
	p.next = time.Time{}
	p.add(4)
	p.finish()
	if out.String() != "Preparing: 7 of 10\n" {
		t.Errorf("printed %q", out.String())
	}
}

func TestSmallCommitteesNeedTheMeasuredVote(t *testing.T) {
	for n := 1; n <= 30; n++ {
		w := newWorkload(1, n)
		has := false
		for _, v := range w.voters {
			has = has || v == 0
		}
		if len(w.voters) != quorum(n) || has != (n < 4) {
			t.Errorf("committee of %d: voters %v", n, w.voters)
		}
	}
}

func TestEstimateIsPlausible(t *testing.T) {
	w := newWorkload(1, 4)
	cost := signatureCost(w, Payments)
	if cost < 100*time.Nanosecond || cost > 100*time.Millisecond {
		t.Errorf("the signatures of a payment take %v", cost)
	}
	p := plan{warmUp: time.Second, window: 10 * time.Second}
	tcp, udp := DefaultOptions(), DefaultOptions()
	tcp.Protocol = committee.TCP
	if n, m := tcp.paymentsFor(w, p), udp.paymentsFor(w, p); n < 3000 || m < 3000 || m > 10_000_000 {
		t.Errorf("%d payments over TCP, %d over UDP, for 10 s", n, m)
	}
}

// BenchmarkPrepare makes payments of 8 rounds, without the cache.
func BenchmarkPrepare(b *testing.B) {
	for _, committee := range []int{4, 20} {
		b.Run(fmt.Sprintf("votes=%d", quorum(committee)), func(b *testing.B) {
			n := max(b.N, 8)
			if _, err := prepare(context.Background(), newWorkload(1, committee), new(cache), shape{n / 8, 2, 1, Payments, Mix{}}, n, nil); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// TestKeyRingVsExpand: the oracle derives the keys of each workload anew.
func TestKeyRingVsExpand(t *testing.T) {
	ring := new(keyRing)
	for _, c := range []struct {
		seed       uint64
		n, signers int
	}{{1, 5, 5}, {1, 3, 3}, {1, 40, 20}, {1, 40, 60}, {2, 4, 4}, {1, 5, 5}} {
		want, got := newWorkload(c.seed, 4), newWorkload(c.seed, 4)
		got.ring = ring
		want.expand(c.n, c.signers)
		got.expand(c.n, c.signers)
		if !slices.Equal(want.accounts, got.accounts) || len(want.private) != len(got.private) {
			t.Fatalf("%+v: %d accounts, %d keys, expected %d, %d", c, len(got.accounts), len(got.private), len(want.accounts),
				len(want.private))
		}
		for i := range want.private {
			if want.private[i].Seed() != got.private[i].Seed() {
				t.Errorf("%+v: key %d is another", c, i)
			}
		}
	}
}
