package audit

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fastpay/codec"
	"fastpay/node/authority"
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

// TestProblems appends records that an honest authority does not write, one sort at a time.
func TestProblems(t *testing.T) {
	c := testCommittee(t)
	for _, x := range []struct {
		what string
		do   func(p *process)
		want string
	}{
		{"nothing", func(p *process) {}, ""},
		{"an honest payment", func(p *process) { p.settle(certify(newOrder(payerIn(0, 0), toPayer(payerIn(1, 0)), 5, 0), 4)) }, ""},
		{"two orders", func(p *process) {
			for amount := range uint64(2) { // a twin that has forgotten the first
				rogue := p.rogue(0, 100)
				rogue.Order(nil, newOrder(payerIn(0, 0), toPayer(0), 1+amount, 0))
				p.commit()
			}
		}, "two orders 0 of"},
		{"an order that can't be paid", func(p *process) {
			p.rogue(0, 5000).Order(nil, newOrder(payerIn(0, 0), toPayer(0), 4000, 0))
			p.commit()
		}, "of 4000 was signed with a balance of 1000"},
		{"an order without an account", func(p *process) {
			stranger := keyOf('s', 0)
			a := addressOf(stranger)
			for i := byte(1); committee.ShardOf(&a, numShards) != 0; i++ {
				stranger = keyOf('s', i)
				a = addressOf(stranger)
			}
			core := p.core(0)
			if err := core.Fund(&a, codec.NewBalance(5)); err != nil {
				p.t.Fatal(err)
			}
			tr := codec.Transfer{Sender: a, Recipient: toPayer(0), Amount: 1}
			signature := sign(stranger, tr.AppendSignedBytes(nil))
			core.Order(nil, codec.NewOrder(&tr, &signature))
			p.commit()
		}, "which has no account"},
		{"a bad order signature", func(p *process) {
			tr := newOrder(payerIn(0, 0), toPayer(0), 1, 0).Transfer()
			signature := sign(payer(payerIn(0, 1)), tr.AppendSignedBytes(nil))
			p.cores[0].Order(nil, codec.NewOrder(&tr, &signature))
			p.commit()
		}, "the payer's signature of payment 0"},
		{"a bad vote", func(p *process) {
			o := newOrder(payerIn(0, 0), toPayer(payerIn(0, 1)), 1, 0)
			good := certify(o, 3)
			var votes []codec.VoteEntry
			for i := range good.NumVotes() {
				name, signature := good.Vote(i)
				votes = append(votes, codec.VoteEntry{Authority: *name, Signature: *signature})
			}
			votes[1].Signature[5] ^= 1
			p.settle(codec.NewCertificate(o, votes))
		}, "for payment 0 of"},
		{"no quorum", func(p *process) {
			p.settle(certify(newOrder(payerIn(0, 0), toPayer(payerIn(0, 1)), 1, 0), 2))
		}, "without a quorum"},
		{"a payment twice", func(p *process) {
			for range 2 {
				p.rogue(0, 100).Certificate(nil, certify(newOrder(payerIn(0, 0), toPayer(payerIn(0, 1)), 1, 0), 3))
				p.commit()
			}
		}, "payment 0 of"},
		{"a credit twice", func(p *process) {
			cert := certify(newOrder(payerIn(0, 0), toPayer(payerIn(1, 0)), 1, 0), 3)
			p.settle(cert)
			if err := p.core(1).Credit(0, 1, 0, cert); err != nil {
				p.t.Fatal(err)
			}
			p.commit()
		}, "credit 1 of shard 0 arrived, expected 2: it was applied before"},
		{"a credit that was not sent", func(p *process) {
			cert := certify(newOrder(payerIn(0, 0), toPayer(payerIn(1, 0)), 1, 0), 3)
			if err := p.cores[1].Credit(0, 1, 0, cert); err != nil {
				p.t.Fatal(err)
			}
			p.commit()
		}, "arrived, but was not sent"},
		{"another credit than was sent", func(p *process) {
			p.settle(certify(newOrder(payerIn(0, 0), toPayer(payerIn(0, 1)), 1, 0), 3))
			p.cores[0].Certificate(nil, certify(newOrder(payerIn(0, 0), toPayer(payerIn(1, 0)), 1, 1), 3))
			p.commit()
			cert := certify(newOrder(payerIn(0, 1), toPayer(payerIn(1, 0)), 9, 0), 3)
			if err := p.cores[1].Credit(0, 1, 0, cert); err != nil {
				p.t.Fatal(err)
			}
			p.commit()
		}, "but 1 for"},
		{"acknowledged what was not sent", func(p *process) { p.acknowledge(0, 2, 1) }, "acknowledged up to 1, expected 0 to 0"},
		{"acknowledged what has not arrived", func(p *process) {
			p.cores[0].Certificate(nil, certify(newOrder(payerIn(0, 0), toPayer(payerIn(1, 0)), 1, 0), 3))
			p.commit()
			p.acknowledge(0, 1, 1)
		}, "but arrived up to 0"},
		{"the Primary's transactions with a gap", func(p *process) {
			a := addressOf(payer(payerIn(0, 0)))
			rogue := p.core(0)
			for i := range uint64(2) {
				rogue.SyncPrimary(nil, &a, 5, i+1)
				if i == 0 {
					p.batch.Reset()
					rogue.Rebase(1)
				}
			}
			p.commit()
		}, "transaction 2 of the Primary, expected 1"},
		{"another shard's record", func(p *process) {
			p.batch.Add(2, authority.AppendStarted(nil, 's'))
			p.commit()
		}, "a shard that is not of this journal"},
		{"no record", func(p *process) { p.batch.Add(0, []byte{77, 1}); p.commit() }, "bad record"},
		{"an account of another shard", func(p *process) {
			a := addressOf(payer(payerIn(1, 0)))
			p.batch.Add(0, codec.NewBalance(5).AppendBytes([]byte{byte(authority.RecordFunded)}), a[:])
			p.commit()
		}, "is of shard 1, but in a record of shard 0"},
		{"a snapshot with other money", func(p *process) {
			p.fill()
			a := addressOf(payer(payerIn(0, 0)))
			p.snapshot(func(m *authority.Merger) {
				if err := m.Add(0, 1, primaryRecord(&a)); err != nil {
					p.t.Fatal(err)
				}
			})
		}, "in it, and"},
		{"a snapshot with an account more", func(p *process) {
			p.fill()
			a := addressOf(keyOf('x', 0))
			p.snapshot(func(m *authority.Merger) {
				if err := m.Fund(&a, codec.Balance{}); err != nil {
					p.t.Fatal(err)
				}
				a = addressOf(keyOf('x', 1)) // one of them is of a shard of this process
				if err := m.Fund(&a, codec.Balance{}); err != nil {
					p.t.Fatal(err)
				}
			})
		}, "the records have not"},
	} {
		t.Run(x.what, func(t *testing.T) {
			p := newProcess(t, t.TempDir(), 0, 1)
			x.do(p)
			p.close()
			r := audited(t, p.path, Options{Verify: true, Committee: c})
			j := r.Journals[0]
			if x.want == "" {
				if !r.OK() {
					t.Fatalf("%+v, %+v", j.Books.Problems, j.Damage)
				}
				return
			}
			if r.OK() || len(j.Damage) > 0 || len(j.Books.Problems) == 0 {
				t.Fatalf("nothing is wrong: %+v", j)
			}
			for _, problem := range j.Books.Problems {
				if strings.Contains(problem.Text, x.want) {
					return
				}
			}
			t.Errorf("%+v, want %q", j.Books.Problems, x.want)
		})
	}
}

// rogue is a shard that believes its first payer to have that money, and nothing else.
func (p *process) rogue(shard int, balance uint64) *authority.Shard {
	core, a := p.core(shard), addressOf(payer(payerIn(shard, 0)))
	if err := core.Fund(&a, codec.NewBalance(balance)); err != nil {
		p.t.Fatal(err)
	}
	return core
}

// fill pays until a segment is sealed.
func (p *process) fill() {
	for i := uint64(0); p.j.Sealed() < 1; i++ {
		p.settle(certify(newOrder(payerIn(0, 0), toPayer(payerIn(1, 0)), 1, i), 3))
	}
}

// primaryRecord is transaction 1 of the Primary, of 5.
func primaryRecord(a *codec.Address) []byte {
	b := make([]byte, 17, 49)
	b[0], b[1], b[9] = byte(authority.RecordPrimary), 1, 5
	return append(b, a[:]...)
}

// TestPairs: one process's folder is put back to an older state.
func TestPairs(t *testing.T) {
	folder := t.TempDir()
	a, b := newProcess(t, folder, 0, 1), newProcess(t, folder, 2)
	pay := func(from, to *process, sender, recipient int, sequence uint64) {
		from.settle(certify(newOrder(sender, toPayer(recipient), 1, sequence), 3), to)
	}
	pay(a, b, payerIn(0, 0), payerIn(2, 0), 0)
	old := filepath.Join(t.TempDir(), "old")
	if err := os.CopyFS(old, os.DirFS(a.path)); err != nil {
		t.Fatal(err)
	}
	pay(a, b, payerIn(0, 0), payerIn(2, 0), 1)
	pay(b, a, payerIn(2, 0), payerIn(0, 0), 0)
	b.acknowledge(2, 0, 1)
	a.close()
	b.close()
	o := Options{Verify: true, Committee: testCommittee(t)}
	if r := audited(t, folder, o); !r.OK() || len(r.Pairs) != 2 {
		t.Fatalf("%+v", r)
	}
	if err := errors.Join(os.RemoveAll(a.path), os.CopyFS(a.path, os.DirFS(old))); err != nil {
		t.Fatal(err)
	}
	r := audited(t, folder, o)
	if r.OK() || len(r.Problems) != 2 || !strings.Contains(r.Problems[0].Text, "was the receiver put back") ||
		!strings.Contains(r.Problems[1].Text, "shard 2 has 2 credits of shard 0, which sent 1") {
		t.Errorf("%+v", r.Problems)
	}
	for _, j := range r.Journals {
		if !j.OK() {
			t.Errorf("%+v", j)
		}
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
