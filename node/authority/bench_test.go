package authority

import (
	"flag"
	"fmt"
	"runtime"
	"testing"

	"fastpay/codec"
	"fastpay/crypto"
)

// tiny makes benchmarks run on the smallest input alone.
var tiny bool

// Every benchmark runs once in every test run, so that none rots.
func TestBenchmarksRun(t *testing.T) {
	benchtime := flag.Lookup("test.benchtime").Value.String()
	if err := flag.Set("test.benchtime", "1x"); err != nil {
		t.Fatal(err)
	}
	tiny = true
	defer func() {
		tiny = false
		if err := flag.Set("test.benchtime", benchtime); err != nil {
			t.Error(err)
		}
	}()
	for i, f := range []func(*testing.B){
		BenchmarkPayment, BenchmarkOrder, BenchmarkCertificate, BenchmarkInfo, BenchmarkInfoReceived, BenchmarkLookup,
		BenchmarkFund, BenchmarkLoad, BenchmarkReplay, BenchmarkMerge, BenchmarkMergeRing,
	} {
		if r := testing.Benchmark(f); r.N == 0 {
			t.Errorf("benchmark %d failed", i)
		}
	}
}

// benchmarkAccounts runs f with different numbers of accounts; the largest exceeds all caches.
func benchmarkAccounts(b *testing.B, f func(b *testing.B, accounts int)) {
	for _, accounts := range []int{1000, 20_000, 1_000_000} {
		if tiny && accounts > 1000 {
			continue
		}
		b.Run(fmt.Sprintf("accounts=%d", accounts), func(b *testing.B) {
			b.ReportAllocs()
			f(b, accounts)
		})
	}
}

// patchable is an order or certificate whose sender, recipient and sequence number are overwritten for each request, so
// that the benchmark reads no memory but the shard's.
type patchable struct{ raw []byte }

func (p patchable) set(sender, recipient, sequence uint64) {
	a, r := address(sender), address(recipient)
	copy(p.raw[0:], a[:])
	copy(p.raw[36:], r[:])
	for i := range 8 {
		p.raw[76+i] = byte(sequence >> (8 * i))
	}
}

// spread visits the accounts in an order without locality: 0x9e3779b1 is odd and prime, hence no two alike in a round.
func spread(i, accounts int) uint64 { return uint64(i) * 0x9e3779b1 % uint64(accounts) }

// BenchmarkPayment is an order, its vote stored, and its certificate, with a batch of 256 orders between them.
func BenchmarkPayment(b *testing.B) {
	benchmarkAccounts(b, func(b *testing.B, accounts int) {
		const batch = 256
		p := newPayments(b, accounts, 0, newTestRing(b, 1<<20))
		cert := newBenchCertificate(3)
		raw := patchable{cert.Bytes()}
		dst, votes := make([]byte, 0, 1000), make([]crypto.Signature, batch)
		s := p.shard
		b.ResetTimer()
		for n := 0; n < b.N; n += batch {
			for i := n; i < n+batch; i++ {
				raw.set(spread(i, accounts), spread(i+12345, accounts), uint64(i/accounts))
				if !s.Order(dst, cert.Order()).NewVote {
					b.Fatal("refused")
				}
			}
			s.Signed(votes)
			for i := n; i < n+batch; i++ {
				raw.set(spread(i, accounts), spread(i+12345, accounts), uint64(i/accounts))
				if !s.Certificate(dst, cert).Changed {
					b.Fatal("refused")
				}
			}
		}
	})
}

func newBenchCertificate(votes int) codec.Certificate {
	entries := make([]codec.VoteEntry, votes)
	for i := range entries {
		entries[i].Authority = testKey(byte(i))
	}
	o := codec.NewOrder(&codec.Transfer{Recipient: codec.Recipient{Kind: codec.FastPay}, Amount: 1}, &crypto.Signature{})
	return codec.NewCertificate(o, entries)
}

// BenchmarkOrder is a new order with its share of Signed. What it leaves pending is settled outside of the time.
func BenchmarkOrder(b *testing.B) {
	benchmarkAccounts(b, func(b *testing.B, accounts int) {
		const batch = 512
		p := newPayments(b, accounts, 0, newTestRing(b, 1<<20))
		cert := newBenchCertificate(3)
		raw := patchable{cert.Bytes()}
		dst, votes := make([]byte, 0, 1000), make([]crypto.Signature, batch)
		b.ResetTimer()
		for n := 0; n < b.N; n += batch {
			for i := n; i < n+batch; i++ {
				raw.set(spread(i, accounts), 0, uint64(i/accounts))
				if !p.shard.Order(dst, cert.Order()).NewVote {
					b.Fatal("refused")
				}
			}
			p.shard.Signed(votes)
			b.StopTimer()
			for i := n; i < n+batch; i++ {
				raw.set(spread(i, accounts), spread(i+1, accounts), uint64(i/accounts))
				p.shard.Certificate(dst, cert)
			}
			b.StartTimer()
		}
	})
}

// BenchmarkCertificate is a certificate without an order before it, which an authority left behind gets.
func BenchmarkCertificate(b *testing.B) {
	for _, votes := range []int{3, 14} {
		b.Run(fmt.Sprintf("votes=%d", votes), func(b *testing.B) {
			benchmarkAccounts(b, func(b *testing.B, accounts int) {
				p := newPayments(b, accounts, 0, newTestRing(b, 1<<20))
				cert := newBenchCertificate(votes)
				raw := patchable{cert.Bytes()}
				dst := make([]byte, 0, 1000)
				b.ResetTimer()
				for i := range b.N {
					raw.set(spread(i, accounts), spread(i+12345, accounts), uint64(i/accounts))
					if !p.shard.Certificate(dst, cert).Changed {
						b.Fatal("refused")
					}
				}
			})
		})
	}
}

// BenchmarkInfo asks for an account alone.
func BenchmarkInfo(b *testing.B) {
	benchmarkAccounts(b, func(b *testing.B, accounts int) {
		p := newPayments(b, accounts, 0, newTestRing(b, 1<<20))
		dst, q := make([]byte, 0, 1000), &codec.InfoRequest{}
		b.ResetTimer()
		for i := range b.N {
			q.Account = address(spread(i, accounts))
			if out, fetch := p.shard.Info(dst, q, codec.DefaultMaxMessage); !out.Accepted || fetch.Wanted() {
				b.Fatal("refused")
			}
		}
	})
}

// BenchmarkInfoReceived asks for as many received certificates as fit in a message.
func BenchmarkInfoReceived(b *testing.B) {
	ring := newTestRing(b, 1<<20)
	p := newPayments(b, 1, 2000, ring)
	reader := NewReader(testCommittee(b, testMembers...), codec.DefaultMaxMessage, ring.Read)
	for _, c := range p.certificates {
		p.shard.Certificate(nil, c)
	}
	dst, q := make([]byte, 0, 1<<17), &codec.InfoRequest{HasReceived: true, ReceivedAfter: 1000}
	b.ReportAllocs()
	for b.Loop() {
		out, fetch := p.shard.Info(dst, q, codec.DefaultMaxMessage)
		if _, found, err := reader.Finish(out.Reply, &fetch); !found || err != nil {
			b.Fatal("refused")
		}
	}
}

// BenchmarkLookup finds accounts, and strangers, in tables of different sizes.
func BenchmarkLookup(b *testing.B) {
	benchmarkAccounts(b, func(b *testing.B, accounts int) {
		p := newPayments(b, accounts, 0, newTestRing(b, 1<<20))
		for name, offset := range map[string]uint64{"known": 0, "unknown": 1 << 40} {
			b.Run(name, func(b *testing.B) {
				for i := range b.N {
					a := address(spread(i, accounts) + offset)
					if (p.shard.table.find(&a) != nil) != (offset == 0) {
						b.Fatal("wrong")
					}
				}
			})
		}
	})
}

// BenchmarkFund makes a shard with many accounts, with room made ahead and without; one operation is all of them.
func BenchmarkFund(b *testing.B) {
	accounts := 1_000_000
	if tiny {
		accounts = 1000
	}
	for _, expected := range []int{0, accounts} {
		b.Run(fmt.Sprintf("accounts=%d/expected=%d", accounts, expected), func(b *testing.B) {
			var before, after runtime.MemStats
			for range b.N {
				b.StopTimer()
				runtime.GC()
				runtime.ReadMemStats(&before)
				b.StartTimer()
				s, err := New(Options{
					Committee: testCommittee(b, testMembers...), Name: testKey(0), NumShards: 1, ExpectedAccounts: expected,
					Log: newTestLog(),
				})
				if err != nil {
					b.Fatal(err)
				}
				for n := range uint64(accounts) {
					a := address(n)
					if err := s.Fund(&a, codec.NewBalance(n)); err != nil {
						b.Fatal(err)
					}
				}
				b.StopTimer()
				runtime.GC()
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(accounts), "B/account")
				runtime.KeepAlive(s)
				b.StartTimer()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(accounts), "ns/account")
		})
	}
}
