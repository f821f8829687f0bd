package authority

import (
	"bytes"
	"encoding/binary"
	"testing"

	"fastpay/codec"
	"fastpay/crypto"
)

// payments are orders and certificates of several accounts, round after round, as the load generator makes them.
type payments struct {
	shard        *Shard
	orders       []codec.Order
	certificates []codec.Certificate
}

// newPayments makes a shard with accounts numbered accounts, and per account the given number of payments to the next
// one, in rounds. Recipients and senders exist; signatures are empty, since nobody checks them here.
func newPayments(t testing.TB, accounts, rounds int, log Log) *payments {
	t.Helper()
	s, err := New(Options{
		Committee: testCommittee(t, testMembers...), Name: testKey(0), NumShards: 1, Log: log, ExpectedAccounts: accounts,
	})
	if err != nil {
		t.Fatal(err)
	}
	p := &payments{shard: s}
	votes := make([]codec.VoteEntry, 3)
	for i := range votes {
		votes[i].Authority = testKey(byte(i))
	}
	for n := range uint64(accounts) {
		a := address(n)
		if err := s.Fund(&a, codec.NewBalance(1<<40)); err != nil {
			t.Fatal(err)
		}
	}
	for round := range uint64(rounds) {
		for n := range uint64(accounts) {
			o := codec.NewOrder(&codec.Transfer{
				Sender: address(n), Recipient: codec.Recipient{Kind: codec.FastPay, Address: address((n*7 + 1) % uint64(accounts))},
				Amount: 1, SequenceNumber: round,
			}, &crypto.Signature{})
			p.orders = append(p.orders, o)
			p.certificates = append(p.certificates, codec.NewCertificate(o, votes))
		}
	}
	return p
}

// A batchLog is a journal's batch that nobody keeps: records are copied, and forgotten when the batch ends.
type batchLog struct {
	buf []byte
	end Position
}

func (l *batchLog) Next() Position { return Provisional(uint64(len(l.buf))) }

func (l *batchLog) Append(_ int, record []byte) Position {
	at := l.Next()
	l.buf = append(append(l.buf, make([]byte, testRecordHeader)...), record...)
	return at
}

func (l *batchLog) commit() (base Position) {
	base = l.end + 4096
	l.end = base + Position(len(l.buf))
	l.buf = l.buf[:0]
	return base
}

// Once the ring went around and slots exist, no request allocates.
func TestRequestsAllocateNothing(t *testing.T) {
	ring, journal := newTestRing(t, 1<<20), &batchLog{}
	f := func(name string, log Log, commit func(*Shard), read func(Position) ([]byte, error)) {
		const accounts, warm = 16, 3000
		p := newPayments(t, accounts, 500, log)
		s, dst, at := p.shard, make([]byte, 0, 1<<17), 0
		votes := make([]crypto.Signature, 1)
		message := new(codec.Message)
		cert := make([]byte, 0, 1000)
		info := &codec.InfoRequest{HasSequence: true, HasReceived: true}
		reader := NewReader(testCommittee(t, testMembers...), codec.DefaultMaxMessage, read)
		pay := func() {
			o, c := p.orders[at], p.certificates[at]
			a := address(uint64(at % accounts))
			info.Account, info.Sequence, info.ReceivedAfter = a, uint64(at/accounts), uint64(at/accounts-at/accounts%50)
			s.KnownOrder(o)
			out := s.Order(dst, o)
			ok := out.NewVote
			s.AppendSignedBytes(cert[:0], out.Ticket)
			s.Signed(votes)
			ok = ok && s.Order(dst, o).Accepted
			cert = codec.AppendCertificate(cert[:0], c)
			ok = ok && message.Decode(cert) && s.Precheck(message) == nil
			s.KnownVote(o, &votes[0])
			ok = ok && s.Certificate(dst, c).Changed && s.Certificate(dst, c).Accepted
			ok = ok && !s.Order(dst, o).Accepted                                // UnexpectedSequenceNumber
			ok = ok && s.SyncPrimary(dst, &a, 1, s.LastTransaction()+1).Changed // credited
			out, fetch := s.Info(dst, info, codec.DefaultMaxMessage)
			ok = ok && out.Accepted && fetch.Wanted()
			commit(s)
			if read != nil {
				_, found, err := reader.Finish(out.Reply, &fetch)
				ok = ok && found && err == nil
			}
			if !ok {
				t.Fatal("refused")
			}
			at++
		}
		for range warm {
			pay()
		}
		if n := testing.AllocsPerRun(1000, pay); n != 0 {
			t.Errorf("%s: %v allocations a payment", name, n)
		}
	}
	f("ring", ring, func(*Shard) {}, ring.Read)
	f("journal", journal, func(s *Shard) { s.Rebase(journal.commit()) }, nil)
}

// Neither does a credit to another shard, its arrival, with its certificate or without, or its acknowledgement.
func TestCreditsAllocateNothing(t *testing.T) {
	const shards = 2
	log := &batchLog{}
	d := newDriver(t, cheap{}, 0, shards, testMembers, func(o *Options) { o.Log = log })
	from, to := owner(0, shards, 0), owner(1, shards, 0)
	d.fund(t, testKey(from), codec.NewBalance(1<<40))
	d.fund(t, testKey(to), codec.NewBalance(0))
	cert, dst := certify(newOrder(from, toFastPay(to), 1, 0)), make([]byte, 0, 1000)
	raw := bytes.Clone(cert.Bytes())
	n := uint64(0)
	pay := func() {
		binary.LittleEndian.PutUint64(raw[offSequence:], n)
		c, _ := codec.ParseCertificate(raw)
		out := d.shards[0].Certificate(dst, c)
		base := log.commit()
		d.shards[0].Rebase(base)
		n++
		at := out.At.Rebase(base)
		if n%2 == 0 {
			at = 0
		}
		err := d.shards[1].Credit(0, out.CreditNumber, at, c)
		d.shards[1].Rebase(log.commit())
		if err != nil || out.CreditTo != 1 || d.shards[1].Credit(0, n, 0, c) != nil || d.shards[0].Acknowledge(1, n, 7) != nil {
			t.Fatal("refused")
		}
		if _, count, err := d.shards[0].Undelivered(1, n); count != 0 || err != nil {
			t.Fatal("not delivered")
		}
	}
	for range 100 {
		pay()
	}
	if n := testing.AllocsPerRun(5000, pay); n != 0 {
		t.Errorf("%v allocations a credit", n)
	}
}

// offSequence is where an order has its sequence number.
const offSequence = 76

func TestRefusalsAllocateNothing(t *testing.T) {
	p := newPayments(t, 2, 2, newTestRing(t, 1<<20))
	s, dst := p.shard, make([]byte, 0, 1000)
	transfer := p.orders[0].Transfer()
	transfer.Amount = 1 << 50
	rich := codec.NewOrder(&transfer, &crypto.Signature{})
	transfer.Amount, transfer.Sender = 2, address(1)
	conflict := codec.NewOrder(&transfer, &crypto.Signature{})
	transfer.Sender, transfer.SequenceNumber = address(99), 5
	early := codec.NewCertificate(codec.NewOrder(&transfer, &crypto.Signature{}), nil)
	s.Order(dst, p.orders[1])
	s.Signed(make([]crypto.Signature, 1))
	if n := testing.AllocsPerRun(100, func() {
		accepted := s.Order(dst, rich).Accepted || s.Order(dst, conflict).Accepted ||
			s.Certificate(dst, p.certificates[2]).Accepted || s.Certificate(dst, early).Accepted
		if accepted {
			t.Fatal("accepted")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
