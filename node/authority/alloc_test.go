package authority

import (
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
func newPayments(t testing.TB, accounts, rounds int, remember bool) *payments {
	t.Helper()
	s, err := New(Options{
		Committee: testCommittee(t, testMembers...), Name: testKey(0), NumShards: 1, RememberCredits: remember,
		ArchiveBytes: 1 << 20, ExpectedAccounts: accounts,
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

// Once the archive went around and slots exist, no request allocates.
func TestRequestsAllocateNothing(t *testing.T) {
	const accounts, warm = 16, 3000
	p := newPayments(t, accounts, 500, true)
	s, dst, at := p.shard, make([]byte, 0, 1<<17), 0
	votes := make([]crypto.Signature, 1)
	message := new(codec.Message)
	cert := make([]byte, 0, 1000)
	info := &codec.InfoRequest{HasSequence: true, HasReceived: true}
	pay := func() {
		o, c := p.orders[at], p.certificates[at]
		a := address(uint64(at % accounts))
		info.Account, info.Sequence, info.ReceivedAfter = a, uint64(at/accounts), uint64(at/accounts-at/accounts%50)
		s.KnownOrder(o)
		out := s.Order(dst, o)
		ok := out.NewVote
		s.Signed(votes)
		ok = ok && s.Order(dst, o).Accepted
		cert = codec.AppendCertificate(cert[:0], c)
		ok = ok && message.Decode(cert) && s.Precheck(message) == nil
		s.KnownVote(o, &votes[0])
		ok = ok && s.Certificate(dst, c).Changed && s.Certificate(dst, c).Accepted
		ok = ok && s.Info(dst, info, codec.DefaultMaxMessage).Accepted
		ok = ok && s.Credit(c) == nil                                       // a repeat
		ok = ok && !s.Order(dst, o).Accepted                                // UnexpectedSequenceNumber
		ok = ok && s.SyncPrimary(dst, &a, 1, s.LastTransaction()+1).Changed // credited
		if !ok {
			t.Fatal("refused")
		}
		at++
	}
	for range warm {
		pay()
	}
	if n := testing.AllocsPerRun(1000, pay); n != 0 {
		t.Errorf("%v allocations a payment", n)
	}
}

func TestRefusalsAllocateNothing(t *testing.T) {
	p := newPayments(t, 2, 2, false)
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
