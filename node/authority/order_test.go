package authority

import (
	"math"
	"strings"
	"testing"

	"fastpay/codec"
	"fastpay/crypto"
)

// orderFixture has one shard with an account of 100.
func orderFixture(t testing.TB) (d *driver, from byte) {
	t.Helper()
	d, from = newTestDriver(t, 1), 10
	d.fund(t, testKey(from), codec.NewBalance(100))
	return d, from
}

func TestOrderRefusals(t *testing.T) {
	f := func(name string, want codec.ErrorCode, message []byte) {
		t.Helper()
		d, _ := orderFixture(t)
		wantUnchanged(t, d, func() {
			t.Log(name)
			wantCode(t, d.one(0, message), want)
		})
	}
	order := func(amount, sequence uint64) []byte {
		return orderMessage(newOrder(10, toFastPay(11), amount, sequence))
	}
	bad := codec.Transfer{Sender: testKey(10), Recipient: toFastPay(11), Amount: 1}
	f("bad signature", codec.InvalidSignature, orderMessage(codec.NewOrder(&bad, &testSignature)))
	f("sequence number before amount", codec.InvalidSequenceNumber, order(0, codec.MaxSequenceNumber+1))
	f("amount before account", codec.IncorrectTransferAmount, orderMessage(newOrder(12, toFastPay(11), 0, 0)))
	f("unknown account", codec.UnknownSenderAccount, orderMessage(newOrder(12, toFastPay(11), 1, 0)))
	f("sequence number before balance", codec.UnexpectedSequenceNumber, order(1000, 1))
	f("largest sequence number", codec.UnexpectedSequenceNumber, order(1, codec.MaxSequenceNumber))
	f("balance", codec.InsufficientFunding, order(101, 0))
	f("garbage", codec.InvalidDecoding, []byte{1})
	f("nothing", codec.InvalidDecoding, nil)
}

func TestOrderInsufficientFundingTellsTheBalance(t *testing.T) {
	d := newTestDriver(t, 1)
	for i, balance := range []codec.Balance{codec.MinBalance, codec.NewBalance(0), codec.NewBalance(math.MaxUint64 - 1)} {
		seed := byte(10 + i)
		d.fund(t, testKey(seed), balance)
		a := d.one(0, orderMessage(newOrder(seed, toFastPay(9), math.MaxUint64, 0)))
		wantCode(t, a, codec.InsufficientFunding)
		if a.err.Balance != balance {
			t.Errorf("told %v, has %v", a.err.Balance, balance)
		}
	}
	d.fund(t, testKey(20), codec.NewBalance(math.MaxUint64))
	if a := d.one(0, orderMessage(newOrder(20, toFastPay(9), math.MaxUint64, 0))); a.err != nil {
		t.Errorf("the whole balance: %v", a.err)
	}
}

func TestOrderIsVotedForOnce(t *testing.T) {
	d, from := orderFixture(t)
	o := newOrder(from, toFastPay(11), 100, 0)
	a := d.one(0, orderMessage(o))
	if !a.out.Accepted || !a.out.Changed || !a.out.NewVote || a.out.Ticket != 0 {
		t.Errorf("outcome %+v", a.out)
	}
	wantVote(t, a.reply, o)
	wantUnchanged(t, d, func() {
		checks := d.checks
		again := d.one(0, orderMessage(o))
		if !again.out.Accepted || again.out.Changed || again.out.NewVote || again.out.VoteAt >= 0 {
			t.Errorf("outcome of the repeat %+v", again.out)
		}
		wantVote(t, again.reply, o)
		if d.checks != checks {
			t.Error("the signature of a repeat is checked again")
		}
		wantVote(t, d.one(0, infoMessage(from, nil)).reply, o)
	})
}

func TestOrderConflictShowsThePendingOne(t *testing.T) {
	d, from := orderFixture(t)
	o := newOrder(from, toFastPay(11), 1, 0)
	d.one(0, orderMessage(o))
	for _, other := range []codec.Order{
		newOrder(from, toFastPay(11), 2, 0),
		newOrder(from, toPrimary(11), 1, 0),
		newOrder(from, toFastPay(12), 1, 0),
		newOrder(from, toFastPay(11), 1, 1),
		signOrder(from, codec.Transfer{Recipient: toFastPay(11), Amount: 1, UserData: codec.UserData{Present: true}}),
	} {
		wantUnchanged(t, d, func() {
			a := d.one(0, orderMessage(other))
			wantCode(t, a, codec.PreviousTransferMustBeConfirmedFirst)
			if string(a.err.Pending.Bytes()) != string(o.Bytes()) {
				t.Errorf("shown %x, pending is %x", a.err.Pending.Bytes(), o.Bytes())
			}
		})
	}
}

// The same transfer with other signature bytes is the same order, if these verify; the stored ones stay.
func TestOrderEqualityIgnoresSignatures(t *testing.T) {
	d, from := orderFixture(t)
	o := newOrder(from, toFastPay(11), 1, 0)
	d.one(0, orderMessage(o))
	transfer := o.Transfer()
	other := codec.NewOrder(&transfer, &testSignature)
	s := d.shards[0]
	if s.KnownOrder(other) || !s.KnownOrder(o) {
		t.Error("KnownOrder does not compare the signature")
	}
	wantCode(t, d.one(0, orderMessage(other)), codec.InvalidSignature)
	wantUnchanged(t, d, func() {
		out := s.Order(nil, other) // as if it had verified
		s.Signed(nil)
		wantVote(t, out.Reply, o)
	})
}

func TestKnownVoteComparesEverything(t *testing.T) {
	d, from := orderFixture(t)
	s := d.shards[0]
	o := newOrder(from, toFastPay(11), 1, 0)
	vote := cheap{}.sign(0, o.AppendSignedBytes(nil))
	f := func(name string, want bool, o codec.Order, sig crypto.Signature) {
		t.Helper()
		if got := s.KnownVote(o, &sig); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	f("nothing pending", false, o, vote)
	out := s.Order(nil, o)
	f("not signed yet", false, o, crypto.Signature{})
	f("not signed yet", false, o, vote)
	if !s.KnownOrder(o) {
		t.Error("the order has verified, and is not known")
	}
	if !out.NewVote {
		t.Fatal("no vote")
	}
	s.Signed([]crypto.Signature{vote})
	f("our vote", true, o, vote)
	f("other signature", false, o, testSignature)
	f("the vote in a certificate for another transfer", false, newOrder(from, toFastPay(11), 2, 0), vote)
	f("unknown sender", false, newOrder(99, toFastPay(11), 1, 0), vote)
	transfer := o.Transfer()
	f("same transfer, other sender's signature", true, codec.NewOrder(&transfer, &testSignature), vote)
	d.one(0, certMessage(certify(o)))
	f("settled", false, o, vote)
	if s.KnownOrder(o) {
		t.Error("a settled order is known")
	}
}

// Votes are signed after the batch, so all that is shown of them meanwhile is a ticket.
func TestTicketsWithinABatch(t *testing.T) {
	d, from := orderFixture(t)
	d.fund(t, testKey(20), codec.NewBalance(5))
	first, second := newOrder(from, toFastPay(11), 1, 0), newOrder(from, toFastPay(11), 1, 1)
	other := newOrder(20, toFastPay(11), 5, 0)
	answers := d.batch(0,
		orderMessage(first),                             // 0: ticket 0
		infoMessage(from, nil),                          // 1: shows it
		orderMessage(first),                             // 2: so does a repeat
		certMessage(certify(first)),                     // 3: settles it, before it was signed
		orderMessage(second),                            // 4: same account, same slot: ticket 1
		orderMessage(other),                             // 5: ticket 2
		infoMessage(from, nil),                          // 6: shows ticket 1
		infoMessage(20, nil),                            // 7: shows ticket 2
		certMessage(certify(other)),                     // 8: settles it
		orderMessage(first),                             // 9: too late; an order is pending
		certMessage(certify(first)),                     // 10: a repeat shows the second order's vote
		infoMessage(20, nil),                            // 11: nothing is pending
		certMessage(certify(other)),                     // 12: nor in a repeat
		orderMessage(second),                            // 13: ticket 1
		orderMessage(newOrder(20, toFastPay(11), 1, 1)), // 14: no money left
	)
	tickets := map[int]int{0: 0, 1: 0, 2: 0, 4: 1, 5: 2, 6: 1, 7: 2, 10: 1, 13: 1}
	shown := map[int]codec.Order{0: first, 1: first, 2: first, 4: second, 5: other, 6: second, 7: other, 10: second, 13: second}
	for i, a := range answers {
		ticket, ok := tickets[i]
		if !ok {
			if a.out.VoteAt >= 0 {
				t.Errorf("request %d shows ticket %d", i, a.out.Ticket)
			}
			continue
		}
		if a.out.VoteAt < 0 || a.out.Ticket != ticket || a.out.NewVote != (i == 0 || i == 4 || i == 5) {
			t.Errorf("request %d: %+v, expected ticket %d", i, a.out, ticket)
		}
		wantVote(t, a.reply, shown[i])
	}
	wantCode(t, answers[9], codec.PreviousTransferMustBeConfirmedFirst)
	wantCode(t, answers[14], codec.InsufficientFunding)
	wantVote(t, d.one(0, infoMessage(from, nil)).reply, second)
	if s := d.shards[0]; len(s.pending.tickets) != 0 || s.Stats().Pending != 1 || s.pending.slots.n != 2 {
		t.Errorf("left %d tickets, %+v, %d slots", len(s.pending.tickets), s.Stats(), s.pending.slots.n)
	}
}

// The bytes of a signature to come are zero, whatever the slot held before.
func TestUnsignedVotesAreZero(t *testing.T) {
	d, from := orderFixture(t)
	s := d.shards[0]
	for i := range uint64(3) {
		out := s.Order(nil, newOrder(from, toFastPay(11), 1, i))
		if [64]byte(out.Reply[out.VoteAt:]) != [64]byte{} {
			t.Errorf("order %d shows %x", i, out.Reply[out.VoteAt:][:64])
		}
		s.Signed([]crypto.Signature{testSignature})
		s.Certificate(nil, certify(newOrder(from, toFastPay(11), 1, i)))
	}
	if s.pending.slots.n != 1 {
		t.Errorf("%d slots, expected one that is used again", s.pending.slots.n)
	}
}

func TestSignedPanicsOnAWrongNumber(t *testing.T) {
	for _, signatures := range [][]crypto.Signature{nil, make([]crypto.Signature, 2)} {
		func() {
			d, from := orderFixture(t)
			d.shards[0].Order(nil, newOrder(from, toFastPay(11), 1, 0))
			defer func() {
				if said, ok := recover().(string); !ok || !strings.Contains(said, "one signature for each ticket") {
					t.Errorf("%d signatures of one vote: %q", len(signatures), said)
				}
			}()
			d.shards[0].Signed(signatures)
		}()
	}
}

// Slots are used again, the last one that was freed first: there are never more than orders were pending at a time.
func TestSlotsAreUsedAgain(t *testing.T) {
	d := newTestDriver(t, 1)
	const accounts = 5
	for i := range byte(accounts) {
		d.fund(t, testKey(10+i), codec.NewBalance(100))
	}
	s := d.shards[0]
	for round := range uint64(4) {
		for i := range byte(accounts) {
			o := newOrder(10+i, toPrimary(3), 1, round)
			wantVote(t, d.one(0, orderMessage(o)).reply, o)
		}
		if s.pending.slots.n != accounts || s.Stats().Pending != accounts {
			t.Fatalf("round %d: %d slots, %d pending", round, s.pending.slots.n, s.Stats().Pending)
		}
		for i := range byte(accounts) {
			d.one(0, certMessage(certify(newOrder(10+(i+byte(round))%accounts, toPrimary(3), 1, round))))
		}
		if s.Stats().Pending != 0 {
			t.Fatalf("round %d: %d pending", round, s.Stats().Pending)
		}
	}
}

// A reply is appended, and offsets count from the beginning of what it is appended to.
func TestRepliesAreAppended(t *testing.T) {
	d, from := orderFixture(t)
	s := d.shards[0]
	o := newOrder(from, toFastPay(11), 1, 0)
	out := s.Order([]byte("before"), o)
	if string(out.Reply[:6]) != "before" {
		t.Errorf("reply %q", out.Reply[:6])
	}
	vote := cheap{}.sign(0, o.AppendSignedBytes(nil))
	copy(out.Reply[out.VoteAt:], vote[:])
	s.Signed([]crypto.Signature{vote})
	wantVote(t, out.Reply[6:], o)
	out = s.Order(out.Reply, newOrder(99, toFastPay(11), 1, 0))
	if err := errorOf(out.Reply[len(out.Reply)-8:]); err == nil || err.Code != codec.UnknownSenderAccount {
		t.Errorf("appended %v", err)
	}
}

// maxOrderSize is derived from the signed bytes; the codec knows the size itself.
func TestMaxOrderSize(t *testing.T) {
	o := signOrder(10, codec.Transfer{UserData: codec.UserData{Present: true}})
	if len(o.Bytes()) != maxOrderSize {
		t.Errorf("%d bytes, expected %d", len(o.Bytes()), maxOrderSize)
	}
	d, from := orderFixture(t)
	o = signOrder(from, codec.Transfer{Recipient: toFastPay(1), Amount: 1, UserData: codec.UserData{Present: true}})
	wantVote(t, d.one(0, orderMessage(o)).reply, o)
}

// TestPayerBeforeItsAccount asks with a Payer that was looked up before another request made the accounts of payer and
// recipient.
func TestPayerBeforeItsAccount(t *testing.T) {
	d := newTestDriver(t, 1)
	payer, recipient := byte(60), byte(61)
	o := newOrder(payer, toFastPay(recipient), 5, 0)
	early := d.shards[0].Payer(o)
	early.LookUp(o)
	if early.account != nil || early.recipient != nil {
		t.Fatal("there are accounts already")
	}
	d.fund(t, testKey(payer), codec.NewBalance(9))
	d.fund(t, testKey(recipient), codec.NewBalance(1))
	if out := early.Order(nil, o); !out.NewVote {
		t.Errorf("the order was refused: %x", out.Reply)
	}
	d.shards[0].Signed(make([]crypto.Signature, 1))
	if !early.KnownOrder(o) {
		t.Error("the order is not known")
	}
	if out := early.Certificate(nil, certify(o)); !out.Changed {
		t.Errorf("the certificate was refused: %x", out.Reply)
	}
	for account, want := range map[byte]uint64{payer: 4, recipient: 6} {
		address := testKey(account)
		if b, _ := d.shards[0].Balance(&address); b != codec.NewBalance(want) {
			t.Errorf("account %d has %v, expected %d", account, b, want)
		}
	}
}
