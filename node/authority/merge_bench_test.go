package authority

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"fastpay/codec"
	"fastpay/crypto"
)

// ringAddress is the address of account n, in a shard of two that every other pair of neighbours shares.
func ringAddress(n uint64) (a codec.Address) {
	binary.LittleEndian.PutUint64(a[:], n*0x9e3779b97f4a7c15)
	binary.LittleEndian.PutUint32(a[len(a)-4:], uint32(n/2))
	return a
}

// ringRecords are what payments write to the journal of an authority of two shards: account n pays n+1 in turn, and a
// payment is settled when as many orders as are in flight have come after its own.
func ringRecords(b *testing.B, accounts, payments, inFlight int) *benchJournal {
	b.Helper()
	const numShards, batch = 2, 100
	j := &benchJournal{buf: make([]byte, 0, payments*700), records: make([]logged, 0, 5*payments/2)}
	var shards []*Shard
	for i := range numShards {
		s, err := New(Options{Committee: testCommittee(b, testMembers...), Name: testKey(0), NumShards: numShards, Shard: i,
			Log: j, ExpectedAccounts: accounts})
		if err != nil {
			b.Fatal(err)
		}
		shards = append(shards, s)
	}
	for n := range uint64(accounts) {
		a := ringAddress(n)
		if err := shards[n/2%numShards].Fund(&a, codec.NewBalance(1<<40)); err != nil {
			b.Fatal(err)
		}
	}
	cert := newBenchCertificate(3)
	raw, dst := cert.Bytes(), make([]byte, 0, 1000)
	payment := func(i int) (from int) {
		n := uint64(i % accounts)
		a, r := ringAddress(n), ringAddress((n+1)%uint64(accounts))
		copy(raw[0:], a[:])
		copy(raw[36:], r[:])
		binary.LittleEndian.PutUint64(raw[76:], uint64(i/accounts))
		return int(n / 2 % numShards)
	}
	votes := make([]crypto.Signature, batch)
	for n := 0; n < payments+inFlight; n += batch {
		for i := n; i < min(n+batch, payments); i++ {
			shards[payment(i)].Order(dst, cert.Order())
		}
		for _, s := range shards {
			s.Signed(votes[:len(s.pending.tickets)])
		}
		for i := max(n-inFlight, 0); i < max(n-inFlight+batch, 0); i++ {
			from := payment(i)
			if out := shards[from].Certificate(dst, cert); out.CreditTo >= 0 {
				if err := shards[out.CreditTo].Credit(from, out.CreditNumber, out.At, cert); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	return j
}

// A mergeBench gives a Merger records as making snapshots does: they are in memory in pieces, that of old ones is used
// again, work rests after a millisecond, and meanwhile somebody else has the caches, or nobody has.
type mergeBench struct {
	memory  []byte
	evicted []uint64 // is walked through to empty caches; nil to leave them
	group   []Logged
	ends    []Position // of groups
	at      int        // in memory
	slice   time.Duration
}

const (
	mergeWindow = 4 << 20
	mergePiece  = 256 << 10
)

// next copies a piece of the records into memory.
func (m *mergeBench) next(records []logged) (rest []logged) {
	if m.slice >= time.Millisecond {
		m.slice = 0
		for i := 0; i < len(m.evicted); i += 8 {
			m.evicted[i]++
		}
	}
	if m.at+mergePiece+1000 > mergeWindow {
		m.at = 0
	}
	m.group = m.group[:0]
	for begin := m.at; len(records) > 0 && m.at < begin+mergePiece; records = records[1:] {
		r := records[0]
		n := copy(m.memory[m.at:], r.record)
		m.group = append(m.group, Logged{r.shard, r.at, m.memory[m.at : m.at+n]})
		m.at += n + testRecordHeader
	}
	m.ends = append(m.ends, m.group[len(m.group)-1].At+1)
	return records
}

// add adds them, and returns how long it took.
func (m *mergeBench) add(b *testing.B, to *Merger) time.Duration {
	began := time.Now()
	if n := len(m.ends) - mergeWindow/mergePiece + 2; n >= 0 {
		if err := to.Leave(m.ends[n]); err != nil {
			b.Fatal(err)
		}
	}
	if err := to.AddAll(m.group); err != nil {
		b.Fatal(err)
	}
	took := time.Since(began)
	m.slice += took
	return took
}

// BenchmarkMergeRing adds the records of a ring of payments; one operation is all of them.
func BenchmarkMergeRing(b *testing.B) {
	for _, accounts := range []int{20_000, 1_000_000} {
		payments, inFlight := 200_000, 1000
		if tiny {
			accounts, payments, inFlight = 1000, 2000, 100
		}
		j := ringRecords(b, accounts, payments, inFlight)
		for caches, evicted := range map[string]int{"warm": 0, "cold": 4 << 20} {
			b.Run(fmt.Sprintf("accounts=%d/caches=%s", accounts, caches), func(b *testing.B) {
				bench := mergeBench{memory: make([]byte, mergeWindow), evicted: make([]uint64, evicted)}
				var add time.Duration
				for b.Loop() {
					m, err := NewMerger(nil, 2, []int{0, 1})
					if err != nil {
						b.Fatal(err)
					}
					bench.ends, bench.at = bench.ends[:0], 0
					for rest := j.records; len(rest) > 0; {
						rest = bench.next(rest)
						add += bench.add(b, m)
					}
				}
				b.ReportMetric(float64(add.Nanoseconds())/float64(b.N)/float64(payments), "ns/payment")
			})
		}
	}
}
