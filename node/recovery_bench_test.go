package node

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/authority"
	"fastpay/node/journal"
)

// recoveryBench is a shard and the journal that it wrote.
type recoveryBench struct {
	w        *world
	accounts int
	dir      journal.FS
	records  int
	bytes    int64
}

// benchLog is a batch as the core's log.
type benchLog struct{ journal.Batch }

func (l *benchLog) Next() authority.Position { return authority.Provisional(uint64(l.Size())) }

func (l *benchLog) Append(shard int, record []byte) authority.Position {
	return authority.Provisional(uint64(l.Add(uint32(shard), record)))
}

// benchPayer is the address of account i: no key, since nobody checks signatures here.
func benchPayer(i int) (a codec.Address) {
	binary.LittleEndian.PutUint64(a[:], uint64(i)*0x9e3779b97f4a7c15+1)
	binary.LittleEndian.PutUint64(a[8:], uint64(i))
	return a
}

func (r *recoveryBench) shard(b *testing.B, log authority.Log) *authority.Shard {
	b.Helper()
	s, err := authority.New(authority.Options{Committee: r.w.committee, Name: r.w.committee.Member(0).Name, NumShards: 1, Log: log,
		ExpectedAccounts: r.accounts})
	if err != nil {
		b.Fatal(err)
	}
	for i := range r.accounts {
		a := benchPayer(i)
		if err := s.Fund(&a, codec.NewBalance(1<<40)); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

// write has each account sign an order, and settles it if settle is set.
func (r *recoveryBench) write(b *testing.B, settle bool) {
	b.Helper()
	j, err := journal.Open(r.dir, journal.Options{}, nil)
	if err != nil {
		b.Fatal(err)
	}
	log := new(benchLog)
	s := r.shard(b, log)
	votes := make([]codec.VoteEntry, 3)
	for i := range votes {
		votes[i].Authority = r.w.committee.Member(i).Name
	}
	const batch = 256
	for n := 0; n < r.accounts; n += batch {
		for i := n; i < min(n+batch, r.accounts); i++ {
			payer := i * 0x9e3779b1 % r.accounts // no two alike, and none near the one before
			t := codec.Transfer{Sender: benchPayer(payer), Amount: 1,
				Recipient: codec.Recipient{Kind: codec.FastPay, Address: benchPayer((payer + 12345) % r.accounts)}}
			o := codec.NewOrder(&t, &crypto.Signature{})
			if !s.Order(nil, o).NewVote || settle && !s.Certificate(nil, codec.NewCertificate(o, votes)).Changed {
				b.Fatal("refused")
			}
		}
		base, _, err := j.Append(&log.Batch)
		if errors.Is(err, journal.ErrFull) {
			if err = j.Commit(); err == nil {
				base, _, err = j.Append(&log.Batch)
			}
		}
		if err != nil {
			b.Fatal(err)
		}
		r.records, r.bytes = r.records+log.Len(), r.bytes+int64(log.Size())
		s.Rebase(authority.Position(base))
		log.Reset()
	}
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkRecovery is a start from the records of a million accounts, in the page cache: reading, checking and applying
// them. One operation is all of them.
func BenchmarkRecovery(b *testing.B) {
	accounts := 1_000_000
	if testing.Short() {
		accounts = 1000
	}
	for name, settle := range map[string]bool{"orders": false, "payments": true} {
		b.Run(fmt.Sprintf("%s/accounts=%d", name, accounts), func(b *testing.B) {
			dir, err := journal.OpenDir(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			r := &recoveryBench{w: newWorld(b, 4, 1, 4), accounts: accounts, dir: dir}
			r.write(b, settle)
			for b.Loop() {
				b.StopTimer()
				s := r.shard(b, new(benchLog))
				b.StartTimer()
				j, err := journal.Open(dir, journal.Options{}, func(rec journal.Record) error {
					return s.Replay(authority.Position(rec.Position), rec.Data)
				})
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := j.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			b.SetBytes(r.bytes)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(r.records), "ns/record")
		})
	}
}
