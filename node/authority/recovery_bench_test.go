package authority

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"testing"

	"fastpay/codec"
	"fastpay/crypto"
)

// benchAccounts is for what is measured once: BENCH_ACCOUNTS, or a million.
func benchAccounts() int {
	if tiny {
		return 1000
	}
	if n, err := strconv.Atoi(os.Getenv("BENCH_ACCOUNTS")); err == nil {
		return n
	}
	return 1_000_000
}

// benchSnapshot is one of accounts that have paid and received now and then: a third of them never did.
func benchSnapshot(b *testing.B, accounts int) []byte {
	b.Helper()
	m, err := NewMerger(nil, 1, []int{0})
	if err != nil {
		b.Fatal(err)
	}
	for n := range uint64(accounts) {
		a := address(n)
		if err := m.Fund(&a, codec.NewBalance(1<<40)); err != nil {
			b.Fatal(err)
		}
		if n%3 == 0 {
			continue
		}
		c := m.parts[0].open(&a)
		c.next, c.confirmed, c.confirmedChain = n%100+1, n%100+1, chain{tail: 1<<32 + Position(n), near: 1 << 32}
		c.received, c.receivedChain = n%200+1, chain{tail: 1<<32 + Position(n), near: 1 << 32}
	}
	var out bytes.Buffer
	if err := m.Write(&out); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

// BenchmarkLoad loads a snapshot; one operation is all of it.
func BenchmarkLoad(b *testing.B) {
	accounts := benchAccounts()
	snapshot := benchSnapshot(b, accounts)
	for b.Loop() {
		runtime.GC()
		s, err := New(Options{Committee: testCommittee(b, testMembers...), Name: testKey(0), NumShards: 1, Log: newTestLog()})
		if err != nil {
			b.Fatal(err)
		}
		if err := Load(bytes.NewReader(snapshot), []*Shard{s}); err != nil || s.NumAccounts() != accounts {
			b.Fatal(err)
		}
	}
	perAccount(b, accounts, len(snapshot))
}

func perAccount(b *testing.B, accounts, size int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(accounts), "ns/account")
	b.ReportMetric(float64(size)/float64(accounts), "B/account")
}

// A benchJournal writes records as a journal has them, one behind the other, and gives them back.
type benchJournal struct {
	buf     []byte
	records []logged
}

func (j *benchJournal) Next() Position { return 1<<32 + 4096 + Position(len(j.buf)) }

func (j *benchJournal) Append(shard int, record []byte) Position {
	at := j.Next()
	j.buf = append(append(j.buf, make([]byte, testRecordHeader)...), record...)
	j.records = append(j.records, logged{at, shard, j.buf[len(j.buf)-len(record):]})
	return at
}

// benchRecords are what payments of all accounts in turn write: orders alone, or orders and settlements in groups.
func benchRecords(b *testing.B, accounts, payments int, settle bool) *benchJournal {
	b.Helper()
	j := &benchJournal{buf: make([]byte, 0, payments*700), records: make([]logged, 0, 2*payments)}
	p := newPayments(b, accounts, 0, j)
	cert := newBenchCertificate(3)
	raw, dst := patchable{cert.Bytes()}, make([]byte, 0, 1000)
	const batch = 100
	for n := 0; n < payments; n += batch {
		for i := n; i < n+batch; i++ {
			raw.set(spread(i, accounts), spread(i+12345, accounts), uint64(i/accounts))
			p.shard.Order(dst, cert.Order())
		}
		p.shard.Signed(make([]crypto.Signature, batch))
		for i := n; settle && i < n+batch; i++ {
			raw.set(spread(i, accounts), spread(i+12345, accounts), uint64(i/accounts))
			p.shard.Certificate(dst, cert)
		}
	}
	return j
}

// BenchmarkReplay applies records to a shard that has the accounts; one operation is one record.
func BenchmarkReplay(b *testing.B) {
	accounts := benchAccounts()
	for name, settle := range map[string]bool{"orders": false, "payments": true} {
		b.Run(fmt.Sprintf("%s/accounts=%d", name, accounts), func(b *testing.B) {
			j := benchRecords(b, accounts, accounts, settle)
			b.ReportAllocs()
			b.SetBytes(int64(len(j.buf) / len(j.records)))
			var s *Shard
			at := len(j.records)
			b.ResetTimer()
			for range b.N {
				if at == len(j.records) {
					b.StopTimer()
					s, at = newPayments(b, accounts, 0, j).shard, 0
					runtime.GC()
					b.StartTimer()
				}
				if err := s.Replay(j.records[at].at, j.records[at].record); err != nil {
					b.Fatal(err)
				}
				at++
			}
		})
	}
}

// BenchmarkMerge makes a snapshot from an old one and the records of as many payments as there are accounts, which touch
// them all, or of a tenth of them; one operation is the whole.
func BenchmarkMerge(b *testing.B) {
	accounts := benchAccounts()
	m, err := NewMerger(nil, 1, []int{0})
	if err != nil {
		b.Fatal(err)
	}
	for n := range uint64(accounts) {
		a := address(n)
		if err := m.Fund(&a, codec.NewBalance(1<<40)); err != nil {
			b.Fatal(err)
		}
	}
	var old bytes.Buffer
	if err := m.Write(&old); err != nil {
		b.Fatal(err)
	}
	for _, active := range []int{accounts / 10, accounts} {
		b.Run(fmt.Sprintf("accounts=%d/active=%d", accounts, active), func(b *testing.B) {
			j := benchRecords(b, active, accounts, true)
			var add, write int64
			for b.Loop() {
				m, err := NewMerger(bytes.NewReader(old.Bytes()), 1, []int{0})
				if err != nil {
					b.Fatal(err)
				}
				before := b.Elapsed()
				for _, r := range j.records {
					if err := m.Add(0, r.at, r.record); err != nil {
						b.Fatal(err)
					}
				}
				added := b.Elapsed()
				if err := m.Write(io.Discard); err != nil {
					b.Fatal(err)
				}
				add, write = add+int64(added-before), write+int64(b.Elapsed()-added)
			}
			b.ReportMetric(float64(add)/float64(b.N)/float64(len(j.records)), "ns/record")
			b.ReportMetric(float64(write)/float64(b.N)/float64(accounts), "ns/account")
		})
	}
}
