package codec

import (
	"bytes"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"fastpay/crypto"
)

// Generators. Numbers favor the limits, byte strings repeat often, and signatures are plausible.

func drawUint64(t *rapid.T, label string) uint64 {
	return rapid.OneOf(
		rapid.SampledFrom([]uint64{0, 1, 1<<63 - 1, 1 << 63, 1<<64 - 1}),
		rapid.Uint64(),
	).Draw(t, label)
}

func drawAddress(t *rapid.T) (a Address) {
	if rapid.Bool().Draw(t, "repeated byte") {
		for i, c := 0, rapid.Byte().Draw(t, "byte"); i < len(a); i++ {
			a[i] = c
		}
		return a
	}
	copy(a[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "address"))
	return a
}

func drawSignature(t *rapid.T) (s crypto.Signature) {
	copy(s[:], rapid.SliceOfN(rapid.Byte(), 64, 64).Draw(t, "signature"))
	s[63] &= 0x1f
	return s
}

func drawTransfer(t *rapid.T) Transfer {
	v := Transfer{
		Sender:         drawAddress(t),
		Recipient:      Recipient{RecipientKind(rapid.IntRange(0, 1).Draw(t, "kind")), drawAddress(t)},
		Amount:         drawUint64(t, "amount"),
		SequenceNumber: drawUint64(t, "sequence number"),
	}
	if rapid.Bool().Draw(t, "user data") {
		v.UserData = UserData{true, drawAddress(t)}
	}
	return v
}

func drawOrder(t *rapid.T) Order {
	transfer, signature := drawTransfer(t), drawSignature(t)
	return NewOrder(&transfer, &signature)
}

func drawVote(t *rapid.T) Vote {
	authority, signature := drawAddress(t), drawSignature(t)
	return NewVote(drawOrder(t), &authority, &signature)
}

func drawCertificate(t *rapid.T) Certificate {
	votes := make([]VoteEntry, rapid.IntRange(0, 4).Draw(t, "votes"))
	for i := range votes {
		votes[i] = VoteEntry{drawAddress(t), drawSignature(t)}
	}
	return NewCertificate(drawOrder(t), votes)
}

func drawBalance(t *rapid.T) Balance {
	return Balance{int64(drawUint64(t, "high")), drawUint64(t, "low")}
}

func drawError(t *rapid.T) *Error {
	e := &Error{Code: ErrorCode(rapid.IntRange(0, int(numErrorCodes)-1).Draw(t, "code"))}
	switch e.Code {
	case InvalidSignature, ClientIoError:
		e.Text = rapid.String().Draw(t, "text")
	case InsufficientFunding:
		e.Balance = drawBalance(t)
	case MissingEalierConfirmations:
		e.Sequence = drawUint64(t, "next")
	case PreviousTransferMustBeConfirmedFirst:
		e.Pending = drawOrder(t)
	}
	return e
}

func drawInfoRequest(t *rapid.T) *InfoRequest {
	q := &InfoRequest{Account: drawAddress(t)}
	if q.HasSequence = rapid.Bool().Draw(t, "has sequence"); q.HasSequence {
		q.Sequence = drawUint64(t, "sequence")
	}
	if q.HasReceived = rapid.Bool().Draw(t, "has received"); q.HasReceived {
		q.ReceivedAfter = drawUint64(t, "received after")
	}
	return q
}

func drawInfoResponse(t *rapid.T) *InfoResponse {
	r := &InfoResponse{Account: drawAddress(t), Balance: drawBalance(t), NextSequenceNumber: drawUint64(t, "next")}
	if rapid.Bool().Draw(t, "pending") {
		r.Pending = drawVote(t)
	}
	if rapid.Bool().Draw(t, "certificate") {
		r.Certificate = drawCertificate(t)
	}
	for range rapid.IntRange(0, 3).Draw(t, "received") {
		r.Received = r.Received.Append(drawCertificate(t))
	}
	return r
}

// drawMessage encodes a message of any kind.
func drawMessage(t *rapid.T) []byte {
	switch k := Kind(rapid.IntRange(0, int(numKinds)-1).Draw(t, "kind")); k {
	case KindOrder:
		return AppendOrder(nil, drawOrder(t))
	case KindVote:
		return AppendVote(nil, drawVote(t))
	case KindCertificate:
		return AppendCertificate(nil, drawCertificate(t))
	case KindCrossShard:
		return AppendCrossShard(nil, drawCertificate(t))
	case KindError:
		return AppendError(nil, drawError(t))
	case KindInfoRequest:
		return AppendInfoRequest(nil, drawInfoRequest(t))
	case KindInfoResponse:
		return AppendInfoResponse(nil, drawInfoResponse(t))
	default:
		panic(k)
	}
}

// TestDecodeOfEncode: what was encoded decodes to the same values.
func TestDecodeOfEncode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m Message // used for all kinds, as a server does
		decode := func(b []byte, kind Kind) {
			if !m.Decode(b) || m.Kind != kind {
				t.Fatalf("%v does not decode, or to %v: %x", kind, m.Kind, b)
			}
		}
		transfer, signature := drawTransfer(t), drawSignature(t)
		o := NewOrder(&transfer, &signature)
		decode(AppendOrder(nil, o), KindOrder)
		if m.Order().Transfer() != transfer || *m.Order().Signature() != signature {
			t.Fatalf("order: %+v, want %+v", m.Order().Transfer(), transfer)
		}
		if a, b := transfer.AppendSignedBytes(nil), o.AppendSignedBytes(nil); !bytes.Equal(a, b) {
			t.Fatalf("signed bytes of the value and of its view: %x, %x", a, b)
		}
		authority := drawAddress(t)
		decode(AppendVote(nil, NewVote(o, &authority, &signature)), KindVote)
		v := m.Vote()
		if *v.Authority() != authority || *v.Signature() != signature || !bytes.Equal(v.Order().Bytes(), o.Bytes()) {
			t.Fatalf("vote: %x", v.Bytes())
		}
		c := drawCertificate(t)
		decode(AppendCertificate(nil, c), KindCertificate)
		if !bytes.Equal(m.Certificate().Bytes(), c.Bytes()) || m.Certificate().NumVotes() != c.NumVotes() {
			t.Fatalf("certificate: %x, want %x", m.Certificate().Bytes(), c.Bytes())
		}
		e := drawError(t)
		decode(AppendError(nil, e), KindError)
		if d := m.Error(); d.Code != m.ErrorCode() || d.Code != e.Code || d.Text != e.Text || d.Balance != e.Balance ||
			d.Sequence != e.Sequence || !bytes.Equal(d.Pending.Bytes(), e.Pending.Bytes()) {
			t.Fatalf("error: %+v, want %+v", d, e)
		}
		q := drawInfoRequest(t)
		decode(AppendInfoRequest(nil, q), KindInfoRequest)
		if *m.InfoRequest() != *q {
			t.Fatalf("info request: %+v, want %+v", m.InfoRequest(), q)
		}
		r := drawInfoResponse(t)
		decode(AppendInfoResponse(nil, r), KindInfoResponse)
		if d := m.InfoResponse(); d.Account != r.Account || d.Balance != r.Balance ||
			d.NextSequenceNumber != r.NextSequenceNumber || !bytes.Equal(d.Pending.Bytes(), r.Pending.Bytes()) ||
			!bytes.Equal(d.Certificate.Bytes(), r.Certificate.Bytes()) || d.Received.Len() != r.Received.Len() {
			t.Fatalf("info response: %+v, want %+v", d, r)
		}
	})
}

// TestEncodeOfDecode: bytes that decode are the only encoding of what they decode to. The bytes are messages that were
// damaged in a way that often leaves them decodable.
func TestEncodeOfDecode(t *testing.T) {
	decoded := 0
	rapid.Check(t, func(t *rapid.T) {
		b := drawMessage(t)
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		}
		switch rapid.IntRange(0, 4).Draw(t, "length") {
		case 0:
			b = b[:rapid.IntRange(0, len(b)).Draw(t, "cut")]
		case 1:
			b = append(b, rapid.SliceOfN(rapid.Byte(), 1, 100).Draw(t, "more")...)
		}
		var m Message
		if !m.Decode(b) {
			return
		}
		decoded++
		if again := reencode(nil, &m); !bytes.Equal(again, b) {
			t.Fatalf("encoded again\n got %x\nwant %x", again, b)
		}
	})
	if decoded == 0 {
		t.Error("nothing decoded, so nothing was tested")
	}
}

// TestBalanceVsBig compares every operation with math/big.
func TestBalanceVsBig(t *testing.T) {
	lowest, highest := MinBalance.Big(), MaxBalance.Big()
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawBalance(t), drawBalance(t)
		check := func(op string, got Balance, ok bool, want *big.Int) {
			fits := want.Cmp(lowest) >= 0 && want.Cmp(highest) <= 0
			if ok != fits || ok && got.Big().Cmp(want) != 0 {
				t.Fatalf("%v %s %v = %v, %v; want %v, %v", a, op, b, got, ok, want, fits)
			}
		}
		sum, ok := a.Add(b)
		check("+", sum, ok, new(big.Int).Add(a.Big(), b.Big()))
		diff, ok := a.Sub(b)
		check("-", diff, ok, new(big.Int).Sub(a.Big(), b.Big()))
		if a.Less(b) != (a.Big().Cmp(b.Big()) < 0) {
			t.Fatalf("%v < %v: %v", a, b, a.Less(b))
		}
		if amount, ok := a.Amount(); ok != a.Big().IsUint64() || ok && amount != a.Big().Uint64() {
			t.Fatalf("amount of %v: %v, %v", a, amount, ok)
		}
		if a.String() != a.Big().String() {
			t.Fatalf("String of %v: %v", a.Big(), a)
		}
		if parsed, err := ParseBalance(a.String()); err != nil || parsed != a {
			t.Fatalf("ParseBalance(%v) = %v, %v", a, parsed, err)
		}
	})
}

// TestParseBalanceVsBig parses numbers around and far beyond the limits, with signs and leading zeros.
func TestParseBalanceVsBig(t *testing.T) {
	lowest, highest := MinBalance.Big(), MaxBalance.Big()
	limits := []*big.Int{lowest, highest, new(big.Int).Lsh(big.NewInt(1), 128), new(big.Int).Lsh(big.NewInt(1), 191)}
	rapid.Check(t, func(t *rapid.T) {
		z := new(big.Int).Set(rapid.SampledFrom(limits).Draw(t, "limit"))
		z.Add(z, big.NewInt(rapid.Int64Range(-20, 20).Draw(t, "offset")))
		if rapid.Bool().Draw(t, "negate") {
			z.Neg(z)
		}
		text := z.Text(10)
		sign := ""
		if z.Sign() < 0 {
			sign, text = "-", text[1:]
		}
		text = sign + string(bytes.Repeat([]byte{'0'}, rapid.IntRange(0, 50).Draw(t, "zeros"))) + text
		got, err := ParseBalance(text)
		fits := z.Cmp(lowest) >= 0 && z.Cmp(highest) <= 0
		if (err == nil) != fits || fits && got.Big().Cmp(z) != 0 {
			t.Fatalf("ParseBalance(%s) = %v, %v; fits: %v", text, got, err, fits)
		}
	})
}
