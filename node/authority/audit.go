package authority

import (
	"fmt"
	"io"
	"math/big"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
)

// An Audit goes through the records of a journal after a snapshot and finds what an honest authority does not write: it
// checks all signatures again, whether every order was covered when it was accepted and every certificate has a quorum,
// that no vote contradicts another, that all records follow from those before them and lead to them, that credits inside
// of the journal are those that were issued, and that no money came or went unseen. It belongs to one goroutine.
type Audit struct {
	committee *committee.Committee
	self      int // this authority in the committee
	numShards int
	shards    []*Shard // by number, nil for those of other processes
	underway  map[pair][]debit
	verifier  *crypto.Verifier
	checks    []auditCheck
	arena     []byte // what the verifier refers to
	flow      big.Int
	report    AuditReport
}

// A pair is the shards of a credit.
type pair struct{ from, to int }

// A debit is a credit that was issued and did not arrive yet.
type debit struct {
	number, amount uint64
	at             Position
	account        codec.Address
}

// An auditCheck is a signature of the batch, by its number in the verifier.
type auditCheck struct {
	index int
	at    Position
	shard int
	voter int // member of the committee, -1 for the sender
}

// An AuditReport is what was looked at and found.
type AuditReport struct {
	Records    map[RecordKind]uint64
	Signatures uint64 // that were checked
	Accounts   int
	Balances   *big.Int // sum over all accounts
	Underway   uint64   // credits between shards of this journal that were issued and did not arrive yet
	Findings   []Finding
	Omitted    uint64 // further findings, beyond maxFindings
}

// maxFindings bounds the list; where one record is missing, all later ones of an account are findings.
const maxFindings = 1000

// A Finding is something that is not as it should be.
type Finding struct {
	At    Position // 0 when it is about the state, not a record
	Shard int
	Text  string
}

// auditArena is when a batch of signatures is checked, besides their number: bytes that they refer to.
const auditArena = 4 << 20

// noLog takes nothing: shards of an audit only replay.
type noLog struct{}

func (noLog) Next() Position              { return 0 }
func (noLog) Append(int, []byte) Position { return 0 }

// NewAudit begins with a snapshot of the given shards, ascending, of authority name.
func NewAudit(c *committee.Committee, name codec.Address, numShards int, shards []int, snapshot io.Reader) (*Audit, error) {
	keys, err := c.Keys()
	if err != nil {
		return nil, err
	}
	a := &Audit{
		committee: c, numShards: numShards, shards: make([]*Shard, numShards), underway: make(map[pair][]debit),
		verifier: crypto.NewVerifier(keys), report: AuditReport{Records: make(map[RecordKind]uint64)},
	}
	a.self, _ = c.Index(&name)
	var list []*Shard
	for _, number := range shards {
		s, err := New(Options{Committee: c, Name: name, Shard: number, NumShards: numShards, Log: noLog{},
			MaxMessage: infoSize + codec.MaxCertificateSize(c.Len())})
		if err != nil {
			return nil, err
		}
		a.shards[number] = s
		list = append(list, s)
	}
	if err := Load(snapshot, list); err != nil {
		return nil, err
	}
	for _, s := range list {
		a.flow.Add(&a.flow, s.TotalBalance())
	}
	return a, nil
}

// Add looks at the next record of the journal. What is wrong with it becomes a finding.
func (a *Audit) Add(shard int, at Position, record []byte) {
	if shard < 0 || shard >= a.numShards || a.shards[shard] == nil {
		a.find(at, shard, "a record of a shard that is not in the snapshot")
		return
	}
	var r Record
	if err := r.Parse(at, record); err != nil {
		a.find(at, shard, "%v", err)
		return
	}
	a.report.Records[r.Kind]++
	if !r.belongs(shard, a.numShards) {
		a.find(at, shard, "a record of kind %d of another shard", r.Kind)
		return
	}
	s := a.shards[shard]
	if isRepeat(s, &r) {
		a.find(at, shard, "a record of kind %d that was applied before", r.Kind)
		return
	}
	switch r.Kind {
	case RecordOrder:
		a.order(s, at, r.Order)
	case RecordSettlement:
		a.settlement(s, at, &r)
	case RecordCredit:
		a.credit(s, at, &r)
	case RecordPrimary:
		if committee.ShardOf(r.Account, a.numShards) == shard {
			a.move(r.Amount, 1)
		}
	case RecordFunded:
		a.flow.Add(&a.flow, r.Balance.Big())
	}
	capped := s.stats.CappedCredits
	if err := s.Replay(at, record); err != nil {
		a.find(at, shard, "%v", err)
	}
	if s.stats.CappedCredits != capped {
		a.find(at, shard, "a credit was cut at the largest balance")
	}
	if a.verifier.Len() >= crypto.BatchSize() || len(a.arena) >= auditArena {
		a.verify()
	}
}

// find notes a finding.
func (a *Audit) find(at Position, shard int, format string, args ...any) {
	if len(a.report.Findings) == maxFindings {
		a.report.Omitted++
		return
	}
	a.report.Findings = append(a.report.Findings, Finding{at, shard, fmt.Sprintf(format, args...)})
}

// move notes money that came, or went if sign is -1.
func (a *Audit) move(amount uint64, sign int64) {
	var m big.Int
	m.Mul(m.SetUint64(amount), big.NewInt(sign))
	a.flow.Add(&a.flow, &m)
}

// Finish checks what is left and returns the report. The Audit is used up.
func (a *Audit) Finish() *AuditReport {
	a.verify()
	r := &a.report
	r.Balances = new(big.Int)
	for _, s := range a.shards {
		if s != nil {
			r.Accounts += s.NumAccounts()
			r.Balances.Add(r.Balances, s.TotalBalance())
		}
	}
	for _, list := range a.underway {
		r.Underway += uint64(len(list))
	}
	if r.Balances.Cmp(&a.flow) != 0 {
		a.find(0, -1, "all accounts have %v, but the records say %v", r.Balances, &a.flow)
	}
	return r
}

// Compare compares the state after the records so far with a snapshot that says to be of this moment. Its error is that
// of reading, or ErrSnapshot; differences are findings.
func (a *Audit) Compare(snapshot io.Reader) error {
	var numbers []int
	for n, s := range a.shards {
		if s != nil {
			numbers = append(numbers, n)
		}
	}
	in, err := newSnapshotReader(snapshot, a.numShards, numbers)
	if err != nil {
		return err
	}
	for i, n := range numbers {
		if err := a.compareShard(a.shards[n], in, in.heads[i]); err != nil {
			return err
		}
	}
	return in.end()
}

func (a *Audit) compareShard(s *Shard, in *snapshotReader, h *head) error {
	for i := range s.lanes {
		have, want := s.lanes[i], h.lanes[i]
		if have.cursor != want.cursor || have.out.issued != want.out.issued || have.out.acknowledged != want.out.acknowledged {
			a.find(0, s.shard, "credits of and to shard %d: received up to %d, issued %d, acknowledged %d in the snapshot, "+
				"by the records %d, %d, %d", i, want.cursor, want.out.issued, want.out.acknowledged,
				have.cursor, have.out.issued, have.out.acknowledged)
		}
	}
	if h.lastTransaction != s.lastTransaction {
		a.find(0, s.shard, "transaction %d of the Primary in the snapshot, by the records %d", h.lastTransaction, s.lastTransaction)
	}
	in.begin(s.shard)
	for {
		var e entry
		ok, err := in.next(&e)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		a.compareAccount(s, &e)
	}
	if n := s.NumAccounts(); in.count != uint64(n) {
		a.find(0, s.shard, "%d accounts in the snapshot, by the records %d", in.count, n)
	}
	return nil
}

func (a *Audit) compareAccount(s *Shard, want *entry) {
	c := s.table.find(&want.address)
	if c == nil {
		a.find(0, s.shard, "account %s is in the snapshot alone", codec.FormatAddress(&want.address))
		return
	}
	have, order := *c, ""
	if c.pending != 0 {
		have.pending = 0
		order = string(s.pending.slots.at(c.pending - 1).orderBytes())
	}
	if have != want.account || order != string(want.order.Bytes()) {
		a.find(0, s.shard, "account %s has %v, next number %d, %d received, in the snapshot; by the records %v, %d, %d",
			codec.FormatAddress(&want.address), want.balance, want.next, want.received, have.balance, have.next, have.received)
	}
}
