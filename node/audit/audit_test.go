package audit

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fastpay/codec"
	"fastpay/node/committee"
	"fastpay/node/journal"
)

// life is an authority of two processes that settled random payments, with snapshots and removed segments on the way.
type life struct {
	folder    string
	processes [2]*process
	next      [numPayers]uint64
	payments  int
}

func live(t testing.TB, payments int) *life {
	t.Helper()
	l := &life{folder: filepath.Join(t.TempDir(), "data", "0011223344556677")}
	l.processes = [2]*process{newProcess(t, l.folder, 0, 1), newProcess(t, l.folder, 2)}
	rng := rand.New(rand.NewPCG(1, 1))
	for range payments {
		l.pay(t, rng.IntN(numPayers), rng.IntN(numPayers), 1+rng.Uint64N(20))
	}
	return l
}

func (l *life) of(shard int) *process { return l.processes[shard/2] }

func (l *life) pay(t testing.TB, from, to int, amount uint64) {
	t.Helper()
	p := l.of(shardOf(from))
	o := newOrder(from, toPayer(to), amount, l.next[from])
	if out := p.cores[shardOf(from)].Order(nil, o); !out.Accepted {
		return // out of money
	}
	p.commit()
	l.next[from]++
	l.payments++
	p.settle(certify(o, 3), l.processes[0], l.processes[1])
	if l.payments%10 == 0 {
		for _, p := range l.processes {
			if p.j.Sealed() >= p.j.Snapshots()[0].Segment {
				p.snapshot(nil)
			}
		}
	}
}

// TestVerifyMatchesLife: nothing is wrong with what an authority did, and the books say what its shards say.
func TestVerifyMatchesLife(t *testing.T) {
	l := live(t, 120)
	last := newOrder(0, toPayer(1), 1, l.next[0]) // stays pending
	if out := l.of(shardOf(0)).cores[shardOf(0)].Order(nil, last); !out.Accepted {
		t.Fatalf("%x", out.Reply)
	}
	l.of(shardOf(0)).commit()
	o := Options{Verify: true, Committee: testCommittee(t)}
	r := audited(t, l.folder, o)
	if !r.OK() || len(r.Journals) != 2 {
		t.Fatalf("%d journals, %+v, %+v", len(r.Journals), r.Journals[0], r.Journals[0].Books)
	}
	var settled, credits, votes, accounts, orders uint64
	for i, j := range r.Journals {
		if j.Process != os.Getpid() || j.End != EndOpen || len(j.Snapshots) != 2 || len(j.Books.Compared) != 1 ||
			j.Books.Unchecked != 0 || j.ID != fmt.Sprintf("%x", l.processes[i].j.Recovery().ID) {
			t.Errorf("%+v, %+v", j, j.Books)
		}
		for _, c := range j.ByShard {
			settled, credits, orders = settled+c.Settlements, credits+c.Credits, orders+c.Orders
		}
		votes += j.Books.Votes
		accounts += uint64(j.Books.Accounts)
	}
	if settled != uint64(l.payments) || orders != settled+1 || accounts != numPayers || votes < 3*settled {
		t.Errorf("%d settled, %d orders, %d accounts, %d votes, want %d payments", settled, orders, accounts, votes, l.payments)
	}
	issued := uint64(0)
	for _, p := range r.Pairs {
		if want := l.of(p.From).cores[p.From].Issued(p.To); p.Issued != want || p.Arrived != want {
			t.Errorf("pair %+v, want %d", p, want)
		}
		issued += p.Issued
	}
	if issued != credits || len(r.Pairs) != numShards*(numShards-1) {
		t.Errorf("%d credits of %d pairs, %d arrived", issued, len(r.Pairs), credits)
	}
	for _, p := range l.processes {
		p.close()
	}

	// From the beginning, closed, above the authority's folder, without committee.
	r = audited(t, filepath.Dir(l.folder), Options{Verify: true, Accounts: initialAccounts})
	if !r.OK() || len(r.Journals) != 2 {
		t.Fatalf("from the beginning: %+v", r)
	}
	sum := codec.Balance{}
	for _, j := range r.Journals {
		if j.Process != 0 || j.End != EndClean || len(j.Books.Compared) != 2 || j.Books.From != "initial accounts" ||
			j.Books.Votes != 0 || j.Books.Unchecked == 0 {
			t.Errorf("from the beginning: %+v, %+v", j, j.Books)
		}
		balance, err := codec.ParseBalance(j.Books.Balance)
		if err != nil {
			t.Fatal(err)
		}
		sum, _ = sum.Add(balance)
	}
	if len(r.Totals) != 1 || r.Totals[0].Accounts != fmt.Sprint(numPayers*funding) || r.Totals[0].InFlight != "0" {
		t.Errorf("totals %+v", r.Totals)
	}
	if sum != codec.NewBalance(numPayers*funding) {
		t.Errorf("all accounts have %v together", sum)
	}

	// With the first segments gone, and one journal alone.
	p := l.processes[0]
	before := r.Journals[0].Snapshots[1].Segment
	for n := uint32(1); n < before; n++ {
		if err := os.Remove(filepath.Join(p.path, fmt.Sprintf("%016x.log", n))); err != nil {
			t.Fatal(err)
		}
	}
	r = audited(t, p.path, o)
	if j := r.Journals[0]; !r.OK() || len(r.Journals) != 1 || j.Segments[0].Number != before || len(j.Books.Compared) != 1 {
		t.Errorf("without the first segments: %+v, %+v", j, j.Books)
	}
	if _, err := Audit(t.Context(), p.path, Options{Verify: true, Accounts: initialAccounts}); err == nil ||
		!strings.Contains(err.Error(), "were removed") {
		t.Errorf("initial accounts without the first segments: %v", err)
	}
	r = audited(t, p.path, Options{})
	if j := r.Journals[0]; !r.OK() || j.Books != nil || j.Snapshots[0].Accounts == 0 || !j.Snapshots[0].Whole || j.Records == 0 {
		t.Errorf("inspected: %+v", j)
	}
}

// TestDamage: files that are not what was written.
func TestDamage(t *testing.T) {
	l := live(t, 100)
	for _, p := range l.processes {
		p.close()
	}
	p := l.processes[0]
	clean := audited(t, p.path, Options{}).Journals[0]
	change := func(name string, f func(b []byte) []byte) (undo func()) {
		t.Helper()
		file := filepath.Join(p.path, name)
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, f(append([]byte(nil), b...)), 0o600); err != nil {
			t.Fatal(err)
		}
		return func() {
			if err := os.WriteFile(file, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	flip := func(at int) func([]byte) []byte { return func(b []byte) []byte { b[at] ^= 16; return b } }
	f := func(what, name string, change2 func([]byte) []byte, file string, offset int64, end End) {
		t.Helper()
		defer change(name, change2)()
		for _, o := range []Options{{}, {Verify: true, Committee: testCommittee(t)}} {
			r := audited(t, p.path, o)
			j := r.Journals[0]
			if r.OK() || len(j.Damage) != 1 || j.Damage[0].File != file || j.Damage[0].Offset != offset ||
				!strings.Contains(j.Damage[0].Advice, "copy") || j.End != end {
				t.Errorf("%s: end %s, %+v", what, j.End, j.Damage)
			}
		}
	}
	segment := func(n uint32) string { return fmt.Sprintf("%016x.log", n) }
	newest, older := fmt.Sprintf("%016x.snapshot", clean.Snapshots[0].Segment), fmt.Sprintf("%016x.snapshot", clean.Snapshots[1].Segment)
	f("first segment's group", segment(1), flip(journal.BlockSize+35), segment(1), journal.BlockSize, EndDamage)
	f("first segment's header", segment(1), flip(100), segment(1), 0, EndDamage)
	f("a middle segment cut", segment(2), func(b []byte) []byte { return b[:5000] }, segment(2), 5000, EndDamage)
	f("newest snapshot", newest, flip(journal.BlockSize+50), newest, journal.BlockSize, EndClean)
	f("older snapshot", older, flip(journal.BlockSize+50), older, journal.BlockSize, EndClean)
	f("older snapshot's header", older, flip(50), older, 0, EndClean)
	// A record that is whole, in a snapshot that is whole, of which the content is not.
	undo := change(segment(clean.Snapshots[0].Segment), func([]byte) []byte { return nil })
	if r := audited(t, p.path, Options{Verify: true}); r.OK() || len(r.Journals[0].Damage) != 1 {
		t.Errorf("an empty file: %+v", r.Journals[0].Damage)
	}
	undo()
	if r := audited(t, p.path, Options{Verify: true}); !r.OK() {
		t.Errorf("repaired: %+v", r.Journals[0])
	}
	// The mark of the end cut off: a crash could have left that.
	defer change(segment(clean.Segments[len(clean.Segments)-1].Number), func(b []byte) []byte {
		at := len(b) / journal.BlockSize * journal.BlockSize
		for at > journal.BlockSize && string(b[at-journal.BlockSize:][:4]) != "GRP1" {
			at -= journal.BlockSize
		}
		b[at-journal.BlockSize+20] ^= 1
		return b
	})()
	r := audited(t, p.path, Options{Verify: true, Committee: testCommittee(t)})
	if j := r.Journals[0]; !r.OK() || j.End != EndTorn {
		t.Errorf("torn: %s at %s, %+v", j.End, j.EndAt, j.Damage)
	}
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	f := func(path string, o Options, want string) {
		t.Helper()
		if _, err := Audit(t.Context(), path, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	f(dir, Options{}, "no journal in "+dir)
	f(filepath.Join(dir, "x"), Options{}, "no such file")
	p := newProcess(t, dir, 0, 1)
	p.close()
	other, err := committee.New([]committee.Member{*testCommittee(t).Member(0)})
	if err != nil {
		t.Fatal(err)
	}
	f(dir, Options{Verify: true, Committee: other}, "another committee")
	f(dir, Options{Verify: true, Accounts: func(func(codec.Address, codec.Balance) bool) {}}, "9 of them were not given")
	plain := filepath.Join(dir, "plain")
	fs, err := journal.OpenDir(plain)
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(fs, journal.Options{SegmentSize: 10 * journal.BlockSize, GroupSize: journal.BlockSize}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	f(plain, Options{}, "not the journal of an authority")
	for _, name := range []string{asyncMark, "../" + noneMark} {
		if err := os.WriteFile(filepath.Join(p.path, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if j := audited(t, p.path, Options{}).Journals[0]; fmt.Sprint(j.Marks) != "[async none]" || !j.OK() {
		t.Errorf("marks %v", j.Marks)
	}
}
