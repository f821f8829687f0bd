package audit

import (
	"strings"
	"testing"

	"fastpay/codec"
	"fastpay/node/authority"
)

// TestLongLogs: links to records whose numbers are multiples of 32 and 1,024 are known, to the books and in snapshots.
func TestLongLogs(t *testing.T) {
	p := newProcess(t, t.TempDir(), 0, 1)
	const payments = 1100
	for i := range uint64(payments) {
		if i%5 == 0 {
			p.commit()
		}
		p.cores[0].Certificate(nil, certify(newOrder(payerIn(0, 0), toPayer(payerIn(0, 1)), 1, i), 3))
	}
	p.commit()
	for p.j.Sealed() >= p.j.Snapshots()[0].Segment {
		p.snapshot(nil)
	}
	p.close()
	r := audited(t, p.path, Options{Verify: true, Committee: testCommittee(t), Accounts: initialAccounts})
	if j := r.Journals[0]; !r.OK() || len(j.Books.Compared) != 2 || j.ByShard[0].Settlements != payments {
		t.Errorf("%+v, %+v", j, j.Books)
	}
}

// TestComparedLogs: what a snapshot says of an account's logs is compared with where the records are.
func TestComparedLogs(t *testing.T) {
	b := newBook(numShards, []int{0})
	have := authority.SnapshotAccount{Address: addressOf(payer(payerIn(0, 0))), Balance: codec.NewBalance(5), Next: 40, Received: 33,
		ConfirmedLinks: authority.Links{Tail: 9000, Near: 8000}, ReceivedLinks: authority.Links{Tail: 7000, Near: 6000}}
	b.load(0, &have)
	f := func(change func(a *authority.SnapshotAccount), want string) {
		t.Helper()
		a, told := have, ""
		change(&a)
		c := comparison{b: b, tell: func(_ int, problem string) { told += problem }}
		if err := c.account(0, &a); err != nil || want == "" && told != "" || !strings.Contains(told, want) {
			t.Errorf("told %q, %v; want %q", told, err, want)
		}
	}
	f(func(*authority.SnapshotAccount) {}, "")
	f(func(a *authority.SnapshotAccount) { a.ConfirmedLinks.Tail++ }, "the logs of")
	f(func(a *authority.SnapshotAccount) { a.ConfirmedLinks.Near++ }, "the logs of")
	f(func(a *authority.SnapshotAccount) { a.ReceivedLinks.Near = 0 }, "the logs of")
	f(func(a *authority.SnapshotAccount) { a.ReceivedLinks.Far = 1 }, "the logs of")
	f(func(a *authority.SnapshotAccount) { a.Received++ }, "certificates received")
}
