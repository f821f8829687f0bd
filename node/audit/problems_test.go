package audit

import (
	"strings"
	"testing"

	"fastpay/codec"
	"fastpay/node/authority"
	"fastpay/node/committee"
)

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
		{"acknowledged what was not sent", func(p *process) { p.acknowledge(0, 2, 1, 0) }, "acknowledged up to 1, expected 0 to 0"},
		{"acknowledged what has not arrived", func(p *process) {
			p.cores[0].Certificate(nil, certify(newOrder(payerIn(0, 0), toPayer(payerIn(1, 0)), 1, 0), 3))
			p.commit()
			p.acknowledge(0, 1, 1, 0)
		}, "but arrived up to 0"},
		{"acknowledged other payments", func(p *process) {
			for i := range uint64(3) {
				p.cores[0].Certificate(nil, certify(newOrder(payerIn(0, 0), toPayer(payerIn(2, 0)), 1, i), 3))
			}
			p.commit()
			p.acknowledge(0, 2, 2, 0x77)
		}, "up to 2 are acknowledged with sum 77"},
		{"a payer's link that leads elsewhere", func(p *process) {
			rogue, first := p.rogue(0, 100), certify(newOrder(payerIn(0, 0), toPayer(payerIn(0, 1)), 1, 0), 3)
			rogue.Certificate(nil, first) // which this log does not have, but
			p.batch.Reset()
			rogue.Rebase(1 << 12)
			p.settle(first)
			rogue.Certificate(nil, certify(newOrder(payerIn(0, 0), toPayer(payerIn(1, 0)), 1, 1), 3))
			p.commit()
		}, "confirmed: record 2 of it links to {0:4096 "},
		{"a payee's link that leads elsewhere", func(p *process) {
			rogue := p.core(1)
			for i := range uint64(2) {
				cert := certify(newOrder(payerIn(0, 0), toPayer(payerIn(1, 0)), 1, i), 3)
				if err := rogue.Credit(0, i+1, 0, cert); err != nil {
					p.t.Fatal(err)
				}
				if i == 0 {
					p.batch.Reset()
					rogue.Rebase(1 << 12)
					p.settle(cert)
				} else {
					credit := append([]byte(nil), p.appended...)
					p.batch.Reset()
					p.cores[0].Certificate(nil, cert)
					p.commit()
					p.batch.Add(1, credit)
				}
			}
			p.commit()
		}, "received: record 2 of it links to {0:4096 "},
		{"no link where there is a record", func(p *process) {
			p.settle(certify(newOrder(payerIn(0, 0), toPayer(payerIn(0, 1)), 1, 0), 3))
			rogue := p.rogue(0, 100)
			rogue.Certificate(nil, certify(newOrder(payerIn(0, 0), toPayer(payerIn(0, 1)), 1, 0), 3))
			p.batch.Reset()
			p.batch.Add(0, p.appended) // payment 0 again, as the first of its log
			p.commit()
		}, "payment 0 of"},
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
