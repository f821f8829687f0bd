package authority

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fastpay/codec"
	"fastpay/crypto"
)

// owners signs with the real keys of testKey.
type owners struct{}

func (owners) sign(seed byte, message []byte) (sig crypto.Signature) {
	crypto.NewPrivateKey(&[32]byte{seed, 1}).Sign(&sig, message)
	return sig
}

func (owners) verify(key *crypto.PublicKey, message []byte, sig *crypto.Signature) bool {
	return crypto.Verify(key, message, sig)
}

func newTestAudit(t testing.TB, d *driver, snapshot []byte) *Audit {
	t.Helper()
	var shards []int
	for i := range d.shards {
		shards = append(shards, i)
	}
	a, err := NewAudit(d.committee, d.name, len(d.shards), shards, bytes.NewReader(snapshot))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// What an honest authority writes has no findings, from any snapshot on, and later snapshots are what it comes to.
func TestAuditOfHonestLife(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l := newLivingLog(rt, t, owners{})
		for range 25 {
			l.step()
		}
		records, n := l.log.all, len(l.shards)
		from := rapid.IntRange(0, len(records)).Draw(rt, "from")
		to := rapid.IntRange(from, len(records)).Draw(rt, "to")
		begin := merge(t, firstSnapshot(t, n, l.funds), n, records[:from])
		a := newTestAudit(t, l.driver, begin)
		for _, r := range records[from:to] {
			a.Add(r.shard, r.at, r.record)
		}
		if err := a.Compare(bytes.NewReader(merge(t, begin, n, records[from:to]))); err != nil {
			rt.Fatal(err)
		}
		for _, r := range records[to:] {
			a.Add(r.shard, r.at, r.record)
		}
		report := a.Finish()
		if len(report.Findings) > 0 {
			rt.Fatalf("findings %v", report.Findings)
		}
		sum, accounts := codec.Balance{}.Big(), 0
		for _, s := range l.shards {
			sum.Add(sum, s.TotalBalance())
			accounts += s.NumAccounts()
		}
		if report.Balances.Cmp(sum) != 0 || report.Accounts != accounts {
			rt.Fatalf("%d accounts with %v, expected %d with %v", report.Accounts, report.Balances, accounts, sum)
		}
	})
}

// auditFixture is the log of a life with all kinds of records between two shards, and its first snapshot.
func auditFixture(t testing.TB) (d *driver, snapshot []byte) {
	t.Helper()
	const shards = 2
	d = newTestDriver(t, shards)
	d.scheme = owners{}
	from, here, there := owner(0, shards, 0), owner(0, shards, 1), owner(1, shards, 0)
	d.fund(t, testKey(from), codec.NewBalance(100))
	for i, to := range []byte{here, there, here, there, there, here} {
		o := signOrderBy(d.scheme, from, codec.Transfer{Recipient: toFastPay(to), Amount: 3, SequenceNumber: uint64(i)})
		c := certifyBy(d.scheme, o, 2, 0, 1)
		a := d.batch(0, orderMessage(o), certMessage(c))[1]
		if a.creditTo < 0 || i == 4 {
			continue
		}
		at := a.out.At
		if i == 3 {
			at = 0
		}
		if err := d.credit(1, 0, a.out.CreditNumber, at, c); err != nil {
			t.Fatal(err)
		}
	}
	last := signOrderBy(d.scheme, from, codec.Transfer{Recipient: toPrimary(1), Amount: 3, SequenceNumber: 6})
	d.one(0, orderMessage(last))
	return d, firstSnapshot(t, shards, map[codec.Address]codec.Balance{testKey(from): codec.NewBalance(100)})
}

// Every lie is found, by its name.
func TestAuditFindsLies(t *testing.T) {
	d, snapshot := auditFixture(t)
	good := d.log.all
	kind := func(records []logged, kind RecordKind, n int) int {
		for i, r := range records {
			if RecordKind(r.record[0]) == kind {
				if n--; n < 0 {
					return i
				}
			}
		}
		t.Fatalf("no record %d of kind %d", n, kind)
		return 0
	}
	f := func(name, want string, change func(records []logged) []logged) {
		t.Helper()
		records := slices.Clone(good)
		for i := range records {
			records[i].record = bytes.Clone(records[i].record)
		}
		a := newTestAudit(t, d, snapshot)
		for _, r := range change(records) {
			a.Add(r.shard, r.at, r.record)
		}
		report := a.Finish()
		if want == "" {
			if len(report.Findings) > 0 || report.Underway != 1 || report.Records[RecordSettlement] != 6 || report.Signatures != 7+6*3 {
				t.Errorf("%s: %+v", name, report)
			}
			return
		}
		if !strings.Contains(fmt.Sprint(report.Findings), want) {
			t.Errorf("%s: %v, expected %q", name, report.Findings, want)
		}
	}
	flip := func(kindOf RecordKind, n, fromEnd int) func([]logged) []logged {
		return func(r []logged) []logged {
			b := r[kind(r, kindOf, n)].record
			b[len(b)-fromEnd] ^= 1
			return r
		}
	}
	without := func(kindOf RecordKind, n int) func([]logged) []logged {
		return func(r []logged) []logged { i := kind(r, kindOf, n); return slices.Delete(r, i, i+1) }
	}
	twice := func(kindOf RecordKind, n int) func([]logged) []logged {
		return func(r []logged) []logged { i := kind(r, kindOf, n); return slices.Insert(r, i+1, r[i]) }
	}
	f("the truth", "", func(r []logged) []logged { return r })
	f("a vote that does not verify", "the vote of", flip(RecordSettlement, 1, 40))
	f("a payer's signature", "the payer's signature does not verify", flip(RecordOrder, 6, 40))
	f("a vote in a credit", "the vote of", flip(RecordCredit, 1, 40))
	f("a payment that is missing", "expected 1", without(RecordSettlement, 1))
	f("a payment twice", "applied before", twice(RecordSettlement, 2))
	f("an order twice", "applied before", twice(RecordOrder, 2))
	f("a credit twice", "applied before", twice(RecordCredit, 0))
	f("a credit that is missing", "expected 1", without(RecordCredit, 0))
	f("a credit of another amount", "pays 2", func(r []logged) []logged {
		b := r[kind(r, RecordCredit, 0)].record
		b[len(b)-40] = 2
		return r
	})
	f("a credit of another number", "was issued", func(r []logged) []logged {
		r[kind(r, RecordCredit, 0)].record[6] = 4
		return r
	})
	f("a credit of nothing", "was never issued", func(r []logged) []logged {
		log := newTestLog()
		w := &writer{log: log, members: d.committee, shard: 0}
		o := signOrderBy(owners{}, owner(1, 2, 0), codec.Transfer{Recipient: toFastPay(owner(0, 2, 0)), Amount: 1})
		w.credit(1, 1, 0, certifyBy(owners{}, o), &chain{})
		return append(r, logged{r[len(r)-1].at + 5000, 0, log.batch[0].record})
	})
	f("bytes", "no record that this version writes", flip(RecordSettlement, 0, len(good[1].record)))
	f("another shard's record", "not in the snapshot", func(r []logged) []logged { r[0].shard = 2; return r })
	f("a second order", "a second order", func(r []logged) []logged {
		o := signOrderBy(owners{}, owner(0, 2, 0), codec.Transfer{Recipient: toPrimary(2), Amount: 1, SequenceNumber: 6})
		return append(r, logged{r[len(r)-1].at + 5000, 0, append([]byte{byte(RecordOrder)}, o.Bytes()...)})
	})
	f("an order that was not covered", "was accepted from", func(r []logged) []logged {
		o := signOrderBy(owners{}, owner(0, 2, 0), codec.Transfer{Recipient: toPrimary(2), Amount: 1000, SequenceNumber: 6})
		r[len(r)-1].record = append([]byte{byte(RecordOrder)}, o.Bytes()...)
		return r
	})
	settle := func(r []logged, change func(w *writer, links *chain)) []logged {
		log := newTestLog()
		links := d.shards[0].table.find(new(testKey(owner(0, 2, 0)))).confirmedChain
		change(&writer{log: log, members: d.committee}, &links)
		return append(r, logged{r[len(r)-1].at + 5000, 0, log.batch[0].record})
	}
	pay := func(amount uint64, voters ...byte) codec.Certificate {
		return certifyBy(owners{}, signOrderBy(owners{}, owner(0, 2, 0),
			codec.Transfer{Recipient: toPrimary(1), Amount: amount, SequenceNumber: 6}), voters...)
	}
	f("a certificate of too few", "quorum", func(r []logged) []logged {
		return settle(r, func(w *writer, links *chain) { w.settlement(pay(3, 1, 2), links, nil, -1, 0) })
	})
	f("one voter twice", "different authorities", func(r []logged) []logged {
		return settle(r, func(w *writer, links *chain) { w.settlement(pay(3, 1, 2, 1), links, nil, -1, 0) })
	})
	f("our vote for another order", "two votes of this authority", func(r []logged) []logged {
		return settle(r, func(w *writer, links *chain) { w.settlement(pay(4, 0, 1, 2), links, nil, -1, 0) })
	})
	f("links to nothing", "does not lead to the payments before", func(r []logged) []logged {
		return settle(r, func(w *writer, links *chain) { w.settlement(pay(3), &chain{}, nil, -1, 0) })
	})
}

// A snapshot of another moment, or with another balance, differs.
func TestAuditComparesSnapshots(t *testing.T) {
	d, snapshot := auditFixture(t)
	right := merge(t, snapshot, 2, d.log.all)
	f := func(name, want string, snapshot []byte) {
		t.Helper()
		a := newTestAudit(t, d, firstSnapshot(t, 2, map[codec.Address]codec.Balance{testKey(owner(0, 2, 0)): codec.NewBalance(100)}))
		for _, r := range d.log.all {
			a.Add(r.shard, r.at, r.record)
		}
		if err := a.Compare(bytes.NewReader(snapshot)); err != nil {
			t.Fatal(err)
		}
		report := a.Finish()
		if text := fmt.Sprint(report.Findings); want == "" && len(report.Findings) > 0 || !strings.Contains(text, want) {
			t.Errorf("%s: %s, expected %q", name, text, want)
		}
	}
	f("right", "", right)
	f("of before", "issued 0", snapshot)
	f("without the last order", "has ", merge(t, snapshot, 2, d.log.all[:len(d.log.all)-1]))
	f("without accounts", "0 accounts in the snapshot", firstSnapshot(t, 2, nil))
	stranger := testKey(owner(1, 2, 9))
	f("with a stranger", "is in the snapshot alone", firstSnapshot(t, 2, map[codec.Address]codec.Balance{stranger: {}}))
}

func BenchmarkAudit(b *testing.B) {
	d, snapshot := auditFixture(b)
	for b.Loop() {
		a := newTestAudit(b, d, snapshot)
		for _, r := range d.log.all {
			a.Add(r.shard, r.at, r.record)
		}
		a.Finish()
	}
}
