package audit

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/authority"
	"fastpay/node/committee"
	"fastpay/node/journal"
	"fastpay/perf/leaks"
)

func TestMain(m *testing.M) { os.Exit(leaks.Checked(m).Run()) }

const (
	numShards = 3
	numPayers = 9
	funding   = 1000
)

func keyOf(kind, i byte) *crypto.PrivateKey {
	return crypto.NewPrivateKey(&[crypto.SeedSize]byte{kind, i})
}

func payer(i int) *crypto.PrivateKey { return keyOf('p', byte(i)) }

func addressOf(k *crypto.PrivateKey) codec.Address { return codec.Address(k.Public()) }

func testCommittee(t testing.TB) *committee.Committee {
	t.Helper()
	var members []committee.Member
	for i := range byte(4) {
		members = append(members, committee.Member{Name: addressOf(keyOf('a', i)), Weight: 1, Host: "127.0.0.1",
			BasePort: 9000 + 10*int(i), NumShards: numShards})
	}
	c, err := committee.New(members)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// process is the shards of an authority that share a journal, without a node around them.
type process struct {
	t      testing.TB
	shards []int
	cores  map[int]*authority.Shard
	j      *journal.Journal
	batch  journal.Batch
	path   string

	appended []byte // the last record
}

// Next implements authority.Log.
func (p *process) Next() authority.Position { return authority.Provisional(uint64(p.batch.Size())) }

// Append implements authority.Log.
func (p *process) Append(shard int, record []byte) authority.Position {
	p.appended = append(p.appended[:0], record...)
	return authority.Provisional(uint64(p.batch.Add(uint32(shard), record)))
}

func sign(k *crypto.PrivateKey, message []byte) (signature crypto.Signature) {
	k.Sign(&signature, message)
	return signature
}

func initialAccounts(yield func(codec.Address, codec.Balance) bool) {
	for i := range numPayers {
		if !yield(addressOf(payer(i)), codec.NewBalance(funding)) {
			return
		}
	}
}

// newProcess begins a journal below an authority's folder.
func newProcess(t testing.TB, folder string, shards ...int) *process {
	t.Helper()
	p := &process{t: t, shards: shards, cores: make(map[int]*authority.Shard),
		path: filepath.Join(folder, "shards-"+listOf(shards))}
	dir, err := journal.OpenDir(p.path)
	if err != nil {
		t.Fatal(err)
	}
	name := addressOf(keyOf('a', 0))
	p.j, err = journal.Open(dir, journal.Options{SegmentSize: 10 * journal.BlockSize, GroupSize: 2 * journal.BlockSize,
		Identity: journal.Identity{
			{Name: fieldAuthority, Value: codec.FormatAddress(&name)}, {Name: fieldShards, Value: listOf(shards)},
			{Name: fieldNumShards, Value: fmt.Sprint(numShards)}, {Name: fieldCommittee, Value: committeeID(testCommittee(t))},
			{Name: fieldAccounts, Value: fmt.Sprintf("%d accounts, sha256 00", numPayers)}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := authority.NewMerger(nil, numShards, shards)
	if err != nil {
		t.Fatal(err)
	}
	for _, shard := range shards {
		p.cores[shard] = p.core(shard)
	}
	for address, balance := range initialAccounts {
		if err := m.Fund(&address, balance); err != nil {
			t.Fatal(err)
		}
		if core := p.cores[committee.ShardOf(&address, numShards)]; core != nil {
			if err := core.Fund(&address, balance); err != nil {
				t.Fatal(err)
			}
		}
	}
	p.writeSnapshot(journal.Point{Segment: 1}, m)
	p.batch.Add(uint32(shards[0]), authority.AppendStarted(nil, 's'))
	p.commit()
	return p
}

// core is a shard without accounts that writes into the journal.
func (p *process) core(shard int) *authority.Shard {
	p.t.Helper()
	core, err := authority.New(authority.Options{Committee: testCommittee(p.t), Name: addressOf(keyOf('a', 0)), Shard: shard,
		NumShards: numShards, Log: p})
	if err != nil {
		p.t.Fatal(err)
	}
	return core
}

// commit makes what was appended durable, and gives its base.
func (p *process) commit() authority.Position {
	p.t.Helper()
	base, _, err := p.j.Append(&p.batch)
	if errors.Is(err, journal.ErrFull) {
		if err = p.j.Commit(); err == nil {
			base, _, err = p.j.Append(&p.batch)
		}
	}
	if err = errors.Join(err, p.j.Commit()); err != nil {
		p.t.Fatal(err)
	}
	p.batch.Reset()
	for _, core := range p.cores {
		core.Rebase(authority.Position(base))
	}
	return authority.Position(base)
}

func (p *process) writeSnapshot(at journal.Point, m *authority.Merger) {
	p.t.Helper()
	err := p.j.WriteSnapshot(at, func(w io.Writer) error {
		if _, err := w.Write(make([]byte, accountsListSize)); err != nil {
			return err
		}
		return m.Write(w)
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// snapshot makes a snapshot of what is sealed. change may falsify it.
func (p *process) snapshot(change func(*authority.Merger)) {
	p.t.Helper()
	last := p.j.Snapshots()[0]
	err := p.j.ReadSnapshot(last, func(old io.Reader) error {
		if _, err := io.CopyN(io.Discard, old, accountsListSize); err != nil {
			return err
		}
		m, err := authority.NewMerger(old, numShards, p.shards)
		if err != nil {
			return err
		}
		at, err := p.j.ReadGroups(last, p.j.Sealed(), func(records []journal.Record) error {
			for _, r := range records {
				if err := m.Add(int(r.Shard), authority.Position(r.Position), r.Data); err != nil {
					return err
				}
			}
			return nil
		}, func(before journal.Position) error { return m.Leave(authority.Position(before)) })
		if err == nil {
			if change != nil {
				change(m)
			}
			p.writeSnapshot(at, m)
		}
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// newOrder is signed by payer from.
func newOrder(from int, to codec.Recipient, amount, sequence uint64) codec.Order {
	t := codec.Transfer{Sender: addressOf(payer(from)), Recipient: to, Amount: amount, SequenceNumber: sequence}
	signature := sign(payer(from), t.AppendSignedBytes(nil))
	return codec.NewOrder(&t, &signature)
}

func toPayer(i int) codec.Recipient {
	return codec.Recipient{Kind: codec.FastPay, Address: addressOf(payer(i))}
}

// certify has the first votes of the committee's members.
func certify(o codec.Order, votes int) codec.Certificate {
	message := o.AppendSignedBytes(nil)
	var entries []codec.VoteEntry
	for i := range byte(votes) {
		entries = append(entries, codec.VoteEntry{Authority: addressOf(keyOf('a', i)), Signature: sign(keyOf('a', i), message)})
	}
	return codec.NewCertificate(o, entries)
}

// shardOf is that of payer i.
func shardOf(i int) int {
	a := addressOf(payer(i))
	return committee.ShardOf(&a, numShards)
}

// payerIn is the number of payer n of a shard.
func payerIn(shard, n int) int {
	for i := range numPayers {
		if shardOf(i) == shard {
			if n == 0 {
				return i
			}
			n--
		}
	}
	panic("too few payers")
}

// settle applies a certificate and its credit, which goes to another process if this one has not the shard.
func (p *process) settle(cert codec.Certificate, others ...*process) {
	p.t.Helper()
	from := committee.ShardOf(cert.Order().Sender(), numShards)
	out := p.cores[from].Certificate(nil, cert)
	if !out.Accepted {
		p.t.Fatalf("certificate refused: %x", out.Reply)
	}
	at := out.At.Rebase(p.commit())
	if out.CreditTo < 0 {
		return
	}
	for _, q := range append(others, p) {
		core := q.cores[out.CreditTo]
		if core == nil {
			continue
		}
		if q != p {
			at = 0
		}
		if err := core.Credit(from, out.CreditNumber, at, cert); err != nil {
			p.t.Fatal(err)
		}
		q.commit()
	}
}

// acknowledge appends a record that a core would not write. The sum is 0 between shards of one journal.
func (p *process) acknowledge(shard, to int, number, sum uint64) {
	b := binary.LittleEndian.AppendUint16([]byte{byte(authority.RecordAcknowledged)}, uint16(to))
	b = binary.LittleEndian.AppendUint64(b, number)
	p.batch.Add(uint32(shard), binary.LittleEndian.AppendUint64(b, sum))
	p.commit()
}

func (p *process) close() {
	p.t.Helper()
	if err := p.j.Close(); err != nil {
		p.t.Fatal(err)
	}
}

// audited audits a folder.
func audited(t testing.TB, path string, o Options) *Report {
	t.Helper()
	r, err := Audit(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if testing.Verbose() {
		t.Log(text.String())
	}
	return r
}
