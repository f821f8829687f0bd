package authority

import (
	"math"
	"testing"

	"fastpay/codec"
	"fastpay/crypto"
)

func TestCertificateRefusals(t *testing.T) {
	f := func(name string, want codec.ErrorCode, c codec.Certificate) {
		t.Helper()
		d, _ := orderFixture(t)
		wantUnchanged(t, d, func() {
			t.Log(name)
			wantCode(t, d.one(0, certMessage(c)), want)
		})
	}
	o := newOrder(10, toFastPay(11), 1, 0)
	transfer := o.Transfer()
	replaced := func(i int, sig crypto.Signature) codec.Certificate {
		var votes []codec.VoteEntry
		for j := range certify(o).NumVotes() {
			name, s := certify(o).Vote(j)
			votes = append(votes, codec.VoteEntry{Authority: *name, Signature: *s})
		}
		votes[i].Signature = sig
		return codec.NewCertificate(o, votes)
	}
	f("below the quorum", codec.CertificateRequiresQuorum, certify(o, 0, 1))
	f("no votes", codec.CertificateRequiresQuorum, certify(o, []byte{}...))
	f("a voter twice", codec.CertificateAuthorityReuse, certify(o, 0, 1, 2, 1))
	f("a stranger", codec.UnknownSigner, certify(o, 0, 1, 2, 9))
	f("a bad vote", codec.InvalidSignature, replaced(1, testSignature))
	f("a vote for another transfer", codec.InvalidSignature,
		replaced(2, cheap{}.sign(2, newOrder(10, toFastPay(11), 2, 0).AppendSignedBytes(nil))))
	f("another's vote", codec.InvalidSignature, replaced(2, cheap{}.sign(1, o.AppendSignedBytes(nil))))
	f("a bad sender's signature", codec.InvalidSignature, certify(codec.NewOrder(&transfer, &testSignature)))
	f("a number to come", codec.MissingEalierConfirmations, certify(newOrder(10, toFastPay(11), 1, 1)))
	f("a number to come, unknown account", codec.MissingEalierConfirmations, certify(newOrder(12, toFastPay(11), 1, 1)))
}

func TestCertificateTellsTheNumberItMisses(t *testing.T) {
	d, from := orderFixture(t)
	for i := range uint64(3) {
		if a := d.one(0, certMessage(certify(newOrder(from, toPrimary(1), 1, i)))); a.err != nil {
			t.Fatal(a.err)
		}
	}
	a := d.one(0, certMessage(certify(newOrder(from, toPrimary(1), 1, math.MaxUint64))))
	if wantCode(t, a, codec.MissingEalierConfirmations); a.err.Sequence != 3 {
		t.Errorf("missing %d, expected 3", a.err.Sequence)
	}
}

func TestCertificateUnderflow(t *testing.T) {
	d := newTestDriver(t, 1)
	d.fund(t, testKey(10), codec.MinBalance)
	wantUnchanged(t, d, func() {
		wantCode(t, d.one(0, certMessage(certify(newOrder(10, toFastPay(11), 1, 0)))), codec.BalanceUnderflow)
	})
	if a := d.one(0, certMessage(certify(newOrder(10, toFastPay(11), 0, 0)))); a.err != nil {
		t.Errorf("amount 0: %v", a.err)
	}
}

func TestCertificateSequenceOverflow(t *testing.T) {
	d, from := orderFixture(t)
	a := testKey(from)
	d.shards[0].table.find(&a).next = math.MaxUint64
	wantUnchanged(t, d, func() {
		wantCode(t, d.one(0, certMessage(certify(newOrder(from, toFastPay(11), 1, math.MaxUint64)))), codec.SequenceOverflow)
	})
}

func TestCertificateBalanceFallsBelowZero(t *testing.T) {
	d, from := orderFixture(t)
	a := d.one(0, certMessage(certify(newOrder(from, toFastPay(11), math.MaxUint64, 0))))
	want, _ := codec.NewBalance(100).Sub(codec.NewBalance(math.MaxUint64))
	if r := infoOf(t, a.reply); r.Balance != want || r.NextSequenceNumber != 1 {
		t.Errorf("%v, next %d", r.Balance, r.NextSequenceNumber)
	}
	// An account nobody has heard of owes, until what funded it arrives.
	a = d.one(0, certMessage(certify(newOrder(30, toFastPay(31), 5, 0))))
	if r := infoOf(t, a.reply); r.Balance.String() != "-5" || r.NextSequenceNumber != 1 {
		t.Errorf("%v, next %d", r.Balance, r.NextSequenceNumber)
	}
}

func TestCertificateCreditsARecipientHere(t *testing.T) {
	d, from := orderFixture(t)
	c := certify(newOrder(from, toFastPay(11), 30, 0))
	a := d.one(0, certMessage(c))
	if !a.out.Changed || a.creditTo != -1 {
		t.Errorf("outcome %+v", a.out)
	}
	payee := testKey(11)
	if b, ok := d.shards[0].Balance(&payee); !ok || b != codec.NewBalance(30) {
		t.Errorf("credited %v, %v", b, ok)
	}
	wantUnchanged(t, d, func() {
		again := d.one(0, certMessage(c))
		if !again.out.Accepted || again.out.Changed || again.creditTo != -1 {
			t.Errorf("outcome of the repeat %+v", again.out)
		}
	})
}

func TestCertificateToOneself(t *testing.T) {
	d, from := orderFixture(t)
	a := d.one(0, certMessage(certify(newOrder(from, toFastPay(from), 60, 0))))
	if r := infoOf(t, a.reply); r.Balance != codec.NewBalance(40) {
		t.Errorf("the reply shows %v, expected the state after the debit", r.Balance)
	}
	self := testKey(from)
	if b, _ := d.shards[0].Balance(&self); b != codec.NewBalance(100) {
		t.Errorf("balance %v", b)
	}
	r := infoOf(t, d.one(0, infoMessage(from, func(q *codec.InfoRequest) { q.HasSequence, q.HasReceived = true, true })).reply)
	if r.Certificate.IsZero() || r.Received.Len() != 1 {
		t.Errorf("logs: %v, %d received", r.Certificate.IsZero(), r.Received.Len())
	}
}

func TestCertificateToAnotherShard(t *testing.T) {
	const shards = 3
	d := newTestDriver(t, shards)
	from, to := owner(1, shards, 0), owner(2, shards, 0)
	d.fund(t, testKey(from), codec.NewBalance(10))
	c := certify(newOrder(from, toFastPay(to), 4, 0))
	a := d.one(1, certMessage(c))
	if a.creditTo != 2 || !a.out.Changed {
		t.Fatalf("outcome %+v", a.out)
	}
	if again := d.one(1, certMessage(c)); again.creditTo != -1 {
		t.Error("a repeat credits again")
	}
	if a.out.CreditNumber != 1 {
		t.Errorf("credit %d, expected 1", a.out.CreditNumber)
	}
	if err := d.credit(2, 1, 1, a.out.At, c); err != nil {
		t.Errorf("credit: %v", err)
	}
	payee := testKey(to)
	if b, _ := d.shards[2].Balance(&payee); b != codec.NewBalance(4) {
		t.Errorf("credited %v", b)
	}
}

func TestCertificateToThePrimary(t *testing.T) {
	d, from := orderFixture(t)
	a := d.one(0, certMessage(certify(newOrder(from, toPrimary(11), 30, 0))))
	if a.creditTo != -1 || d.shards[0].NumAccounts() != 1 || d.shards[0].TotalBalance().Int64() != 70 {
		t.Errorf("outcome %+v, %d accounts, %v in all", a.out, d.shards[0].NumAccounts(), d.shards[0].TotalBalance())
	}
}

// A certificate settles its sequence number, also when another order of that number is pending here.
func TestCertificateDropsAnotherPendingOrder(t *testing.T) {
	d, from := orderFixture(t)
	o := newOrder(from, toFastPay(11), 1, 0)
	d.one(0, orderMessage(o))
	a := d.one(0, certMessage(certify(newOrder(from, toFastPay(12), 2, 0))))
	if r := infoOf(t, a.reply); !r.Pending.IsZero() || r.NextSequenceNumber != 1 {
		t.Error("the old order is still pending")
	}
	wantCode(t, d.one(0, orderMessage(o)), codec.UnexpectedSequenceNumber)
}

// Nothing that has verified is checked twice: of a certificate for the pending order only the others' votes are left.
func TestCertificateSkipsWhatVerifiedBefore(t *testing.T) {
	d, from := orderFixture(t)
	o := newOrder(from, toFastPay(11), 1, 0)
	d.one(0, orderMessage(o))
	d.checks = 0
	if a := d.one(0, certMessage(certify(o, 0, 1, 2))); a.err != nil || d.checks != 2 {
		t.Errorf("%v, %d checks, expected 2", a.err, d.checks)
	}
}

func TestPrecheck(t *testing.T) {
	const shards = 2
	d := newTestDriver(t, shards)
	here, there := owner(0, shards, 0), owner(1, shards, 0)
	f := func(name string, want string, message []byte) {
		t.Helper()
		var m codec.Message
		if !m.Decode(message) {
			t.Fatalf("%s: does not decode", name)
		}
		if got := codeOf(d.shards[0].Precheck(&m)); got != want {
			t.Errorf("%s: %s, expected %s", name, got, want)
		}
	}
	mine, other := newOrder(here, toFastPay(there), 1, 0), newOrder(there, toFastPay(here), 1, 0)
	f("order", "ok", orderMessage(mine))
	f("order of another shard", "WrongShard", orderMessage(other))
	f("certificate", "ok", certMessage(certify(mine)))
	f("certificate of another shard, no quorum", "WrongShard", certMessage(certify(other, 0)))
	f("certificate without quorum", "CertificateRequiresQuorum", certMessage(certify(mine, 0)))
	f("info", "ok", infoMessage(here, nil))
	f("info of another shard", "WrongShard", infoMessage(there, nil))
	f("credit", "UnexpectedMessage", codec.AppendCrossShard(nil, certify(other)))
	f("vote", "UnexpectedMessage", codec.AppendVote(nil, codec.NewVote(mine, &d.name, &testSignature)))
	f("error", "UnexpectedMessage", codec.AppendError(nil, errWrongShard))
	f("info response", "UnexpectedMessage", codec.AppendInfoResponse(nil, &codec.InfoResponse{}))
}
