package authority

import (
	"testing"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
)

// members of all tests with cheap signatures have the seeds 0 to 3; owners of accounts have others.
var testMembers = []codec.Address{testKey(0), testKey(1), testKey(2), testKey(3)}

// owner is the n-th seed, from 10, whose account lives in a shard.
func owner(shard, numShards, n int) byte {
	for seed := 10; seed < 256; seed++ {
		a := testKey(byte(seed))
		if committee.ShardOf(&a, numShards) == shard {
			if n == 0 {
				return byte(seed)
			}
			n--
		}
	}
	panic("no such owner")
}

func toFastPay(seed byte) codec.Recipient {
	return codec.Recipient{Kind: codec.FastPay, Address: testKey(seed)}
}

func toPrimary(seed byte) codec.Recipient {
	return codec.Recipient{Kind: codec.Primary, Address: testKey(seed)}
}

// newOrder is signed cheaply by its sender.
func newOrder(sender byte, to codec.Recipient, amount, sequence uint64) codec.Order {
	return signOrder(sender, codec.Transfer{Recipient: to, Amount: amount, SequenceNumber: sequence})
}

func signOrder(sender byte, transfer codec.Transfer) codec.Order {
	return signOrderBy(cheap{}, sender, transfer)
}

func signOrderBy(sch scheme, sender byte, transfer codec.Transfer) codec.Order {
	transfer.Sender = testKey(sender)
	sig := sch.sign(sender, transfer.AppendSignedBytes(nil))
	return codec.NewOrder(&transfer, &sig)
}

// certify gives an order the votes of members, by default of the first three.
func certify(o codec.Order, voters ...byte) codec.Certificate {
	return certifyBy(cheap{}, o, voters...)
}

func certifyBy(sch scheme, o codec.Order, voters ...byte) codec.Certificate {
	if voters == nil {
		voters = []byte{0, 1, 2}
	}
	message := o.AppendSignedBytes(nil)
	var votes []codec.VoteEntry
	for _, seed := range voters {
		votes = append(votes, codec.VoteEntry{Authority: testKey(seed), Signature: sch.sign(seed, message)})
	}
	return codec.NewCertificate(o, votes)
}

func orderMessage(o codec.Order) []byte      { return codec.AppendOrder(nil, o) }
func certMessage(c codec.Certificate) []byte { return codec.AppendCertificate(nil, c) }

func infoMessage(seed byte, change func(q *codec.InfoRequest)) []byte {
	q := codec.InfoRequest{Account: testKey(seed)}
	if change != nil {
		change(&q)
	}
	return codec.AppendInfoRequest(nil, &q)
}

// newTestDriver is authority 0 of four, with cheap signatures.
func newTestDriver(t testing.TB, numShards int) *driver {
	t.Helper()
	return newDriver(t, cheap{}, 0, numShards, testMembers, nil)
}

// infoOf is a reply that must be an InfoResponse.
func infoOf(t testing.TB, reply []byte) *codec.InfoResponse {
	t.Helper()
	m := new(codec.Message)
	if !m.Decode(reply) || m.Kind != codec.KindInfoResponse {
		t.Fatalf("not an info response: %x", reply)
	}
	return m.InfoResponse()
}

// wantCode fails unless an answer has a rejection with this code and shows nothing else.
func wantCode(t testing.TB, a answer, want codec.ErrorCode) {
	t.Helper()
	if a.err == nil || a.err.Code != want || a.out.Accepted || a.out.Changed || a.creditTo >= 0 || a.out.VoteAt >= 0 {
		t.Errorf("answer %v %+v, expected %v", a.err, a.out, want)
	}
}

// wantVote fails unless a reply shows the vote of authority 0 for o.
func wantVote(t testing.TB, reply []byte, o codec.Order) {
	t.Helper()
	r := infoOf(t, reply)
	if r.Pending.IsZero() {
		t.Errorf("no vote in the reply")
		return
	}
	sig := cheap{}.sign(0, o.AppendSignedBytes(nil))
	if *r.Pending.Signature() != sig || *r.Pending.Authority() != testKey(0) ||
		string(r.Pending.Order().Bytes()) != string(o.Bytes()) {
		t.Errorf("the vote is %x, expected one for %x", r.Pending.Bytes(), o.Bytes())
	}
}

// wantUnchanged fails unless f leaves the state as it is.
func wantUnchanged(t testing.TB, d *driver, f func()) {
	t.Helper()
	before := d.dump()
	f()
	if after := d.dump(); after != before {
		t.Errorf("the state changed from\n%s\nto\n%s", before, after)
	}
}

// testSignature is some signature that is no good.
var testSignature = crypto.Signature{1, 2, 3}
