package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"testing"

	"fastpay/crypto"
)

func TestGoldenSignedTransfers(t *testing.T) {
	for _, v := range loadVectors(t).SignedTransfers {
		transfer := v.Transfer.value(t)
		if got := AppendTransfer(nil, &transfer); !bytes.Equal(got, v.Bincode) {
			t.Errorf("%s: bincode\n got %x\nwant %x", v.Name, got, v.Bincode)
		}
		signed := transfer.AppendSignedBytes(nil)
		if !bytes.Equal(signed, v.SignedBytes) {
			t.Errorf("%s: signed bytes\n got %x\nwant %x", v.Name, signed, v.SignedBytes)
		}
		if bcs := signed[len(signedPrefix):]; !bytes.Equal(bcs, v.BCS) {
			t.Errorf("%s: BCS\n got %x\nwant %x", v.Name, bcs, v.BCS)
		}
		if len(signed) < MinSignedSize || len(signed) > MaxSignedSize {
			t.Errorf("%s: %d signed bytes, outside of the bounds", v.Name, len(signed))
		}
		// The view of the encoded order gives the same as the value.
		order := NewOrder(&transfer, (*crypto.Signature)(&v.Signature))
		if got := order.AppendSignedBytes(nil); !bytes.Equal(got, v.SignedBytes) {
			t.Errorf("%s: signed bytes of the view\n got %x\nwant %x", v.Name, got, v.SignedBytes)
		}
		if order.Transfer() != transfer || !bytes.Equal(order.TransferBytes(), v.Bincode) {
			t.Errorf("%s: the view has another transfer", v.Name)
		}
	}
}

// TestGoldenMessages builds each message from its fields and compares bytes, then decodes the bytes and compares fields.
func TestGoldenMessages(t *testing.T) {
	v := loadVectors(t)
	if len(v.Messages) != 74 {
		t.Fatalf("%d messages, want 74", len(v.Messages))
	}
	for _, m := range v.Messages {
		if got := m.encode(t); !bytes.Equal(got, m.Bincode) {
			t.Errorf("%s: encoding\n got %x\nwant %x", m.Name, got, m.Bincode)
		}
		checkFields(t, m.Name, &m.jsonMessage, m.Bincode)
	}
}

// TestGoldenDecoding tries byte strings on the prototype's decoder and ours. Ours is stricter, where listed.
func TestGoldenDecoding(t *testing.T) {
	stricter := map[string]string{
		"order with 2 trailing bytes (accepted)":                           "trailing bytes",
		"cert whose vote count says 2 but has 3 (trailing bytes accepted)": "trailing bytes",
	}
	v := loadVectors(t)
	if len(v.Decoding) != 25 {
		t.Fatalf("%d cases, want 25", len(v.Decoding))
	}
	for _, d := range v.Decoding {
		var m Message
		got, want := m.Decode(d.Hex), d.OK
		if reason, differs := stricter[d.Name]; differs {
			delete(stricter, d.Name)
			if !want {
				t.Errorf("%s: no difference, but listed as one (%s)", d.Name, reason)
			}
			want = false
		}
		if got != want {
			t.Errorf("%s: decodes: %v, want %v", d.Name, got, want)
		}
		if got && want {
			checkFields(t, d.Name, &d.jsonMessage, d.Hex)
			if !bytes.Equal(d.Hex, d.Reencoded) {
				t.Errorf("%s: the prototype encodes it differently, so it is not canonical", d.Name)
			}
		}
	}
	for name := range stricter {
		t.Errorf("%s: listed as a difference, but there is no such case", name)
	}
}

// checkFields decodes b, compares what the accessors say with the fields of j, and encodes it again.
func checkFields(t *testing.T, name string, j *jsonMessage, b []byte) {
	t.Helper()
	var m Message
	if !m.Decode(b) {
		t.Errorf("%s: does not decode", name)
		return
	}
	if m.Kind.String() != j.Variant {
		t.Errorf("%s: kind %v, want %s", name, m.Kind, j.Variant)
	}
	if again := reencode(nil, &m); !bytes.Equal(again, b) {
		t.Errorf("%s: encoded again\n got %x\nwant %x", name, again, b)
	}
	field := func(v any) {
		if err := json.Unmarshal(j.Value, v); err != nil {
			t.Fatal(err)
		}
	}
	diff := ""
	switch m.Kind {
	case KindOrder:
		var want jsonOrder
		field(&want)
		diff = diffOrder(t, m.Order(), &want)
	case KindVote:
		var want jsonVote
		field(&want)
		diff = diffVote(t, m.Vote(), &want)
	case KindCertificate, KindCrossShard:
		var want jsonCertificate
		field(&want)
		diff = diffCertificate(t, m.Certificate(), &want)
	case KindError:
		var want jsonError
		field(&want)
		diff = diffError(t, m.Error(), &want)
	case KindInfoRequest:
		var want jsonInfoRequest
		field(&want)
		if *m.InfoRequest() != *want.value() {
			diff = fmt.Sprintf("%+v", *m.InfoRequest())
		}
	case KindInfoResponse:
		var want jsonInfoResponse
		field(&want)
		diff = diffInfoResponse(t, m.InfoResponse(), &want)
	}
	if diff != "" {
		t.Errorf("%s: decoded field differs: %s", name, diff)
	}
}

// Each diff compares a view, through its accessors, with JSON fields, and names the first difference.

func diffOrder(t *testing.T, o Order, want *jsonOrder) string {
	w := want.Transfer.value(t)
	data := o.UserData()
	switch {
	case *o.Sender() != w.Sender:
		return "sender"
	case o.RecipientKind() != w.Recipient.Kind, *o.Recipient() != w.Recipient.Address:
		return "recipient"
	case o.Amount() != w.Amount:
		return "amount"
	case o.SequenceNumber() != w.SequenceNumber:
		return "sequence number"
	case (data != nil) != w.UserData.Present, data != nil && *data != w.UserData.Bytes:
		return "user data"
	case *o.Signature() != crypto.Signature(want.Signature):
		return "signature"
	case o.Transfer() != w:
		return "transfer"
	}
	return ""
}

func diffVote(t *testing.T, v Vote, want *jsonVote) string {
	switch {
	case *v.Authority() != Address(want.Authority):
		return "authority"
	case *v.Signature() != crypto.Signature(want.Signature):
		return "authority's signature"
	}
	return diffOrder(t, v.Order(), &want.Value)
}

func diffCertificate(t *testing.T, c Certificate, want *jsonCertificate) string {
	if c.NumVotes() != len(want.Signatures) {
		return "number of votes"
	}
	for i, w := range want.Signatures {
		authority, signature := c.Vote(i)
		if *authority != Address(w.Authority) || *signature != crypto.Signature(w.Signature) {
			return fmt.Sprint("vote ", i)
		}
	}
	return diffOrder(t, c.Order(), &want.Value)
}

func diffError(t *testing.T, e *Error, want *jsonError) string {
	w := want.value(t)
	switch {
	case e.Code != w.Code, e.Code.String() != want.Variant:
		return "code"
	case e.Text != w.Text:
		return "text"
	case e.Balance != w.Balance:
		return "balance"
	case e.Sequence != w.Sequence:
		return "sequence number"
	case e.Error() != want.Display:
		return "display: " + e.Error()
	case !errors.Is(e, &Error{Code: want.Tag}), errors.Is(e, &Error{Code: want.Tag + 1}):
		return "errors.Is"
	}
	if e.Pending.IsZero() != (want.Pending == nil) {
		return "pending order"
	}
	if want.Pending != nil {
		return diffOrder(t, e.Pending, want.Pending)
	}
	return ""
}

func diffInfoResponse(t *testing.T, r *InfoResponse, want *jsonInfoResponse) string {
	switch {
	case r.Account != Address(want.Sender):
		return "account"
	case r.Balance.String() != want.Balance.String():
		return "balance"
	case r.NextSequenceNumber != uint64(want.Next):
		return "next sequence number"
	case r.Pending.IsZero() != (want.Pending == nil):
		return "pending vote"
	case r.Certificate.IsZero() != (want.Certificate == nil):
		return "certificate"
	case r.Received.Len() != len(want.Received):
		return "number of received certificates"
	}
	if want.Pending != nil {
		if diff := diffVote(t, r.Pending, want.Pending); diff != "" {
			return "pending vote: " + diff
		}
	}
	if want.Certificate != nil {
		if diff := diffCertificate(t, r.Certificate, want.Certificate); diff != "" {
			return "certificate: " + diff
		}
	}
	list := r.Received
	for i := range want.Received {
		var c Certificate
		c, list = list.Next()
		if diff := diffCertificate(t, c, &want.Received[i]); diff != "" {
			return fmt.Sprint("received certificate ", i, ": ", diff)
		}
	}
	return ""
}

// reencode encodes a decoded message from its content.
func reencode(dst []byte, m *Message) []byte {
	switch m.Kind {
	case KindOrder:
		t := m.Order().Transfer()
		return AppendOrder(dst, NewOrder(&t, m.Order().Signature()))
	case KindVote:
		return AppendVote(dst, NewVote(m.Vote().Order(), m.Vote().Authority(), m.Vote().Signature()))
	case KindCertificate:
		return AppendCertificate(dst, rebuild(m.Certificate()))
	case KindCrossShard:
		return AppendCrossShard(dst, rebuild(m.Certificate()))
	case KindError:
		return AppendError(dst, m.Error())
	case KindInfoRequest:
		return AppendInfoRequest(dst, m.InfoRequest())
	case KindInfoResponse:
		r := *m.InfoResponse()
		rest := r.Received
		r.Received = CertificateList{}
		for rest.Len() > 0 {
			var c Certificate
			c, rest = rest.Next()
			r.Received = r.Received.Append(rebuild(c))
		}
		return AppendInfoResponse(dst, &r)
	}
	panic("no message")
}

func rebuild(c Certificate) Certificate {
	votes := make([]VoteEntry, c.NumVotes())
	for i := range votes {
		authority, signature := c.Vote(i)
		votes[i] = VoteEntry{*authority, *signature}
	}
	return NewCertificate(c.Order(), votes)
}

func TestGoldenFraming(t *testing.T) {
	for _, e := range loadVectors(t).Framing.Examples {
		frame := append(BeginFrame(nil), e.Payload...)
		EndFrame(frame, 0)
		if !bytes.Equal(frame, e.Frame) {
			t.Errorf("%s: frame\n got %x\nwant %x", e.Name, frame, e.Frame)
		}
		message, rest, ok, err := TakeFrame(e.Frame, DefaultMaxMessage)
		if !ok || err != nil || !bytes.Equal(message, e.Payload) || len(rest) != 0 {
			t.Errorf("%s: TakeFrame = %x, %x, %v, %v", e.Name, message, rest, ok, err)
		}
	}
}

func TestGoldenSizes(t *testing.T) {
	order := NewOrder(&Transfer{}, &crypto.Signature{})
	vote := NewVote(order, &Address{}, &crypto.Signature{})
	got := map[string]int{
		"order": len(AppendOrder(nil, order)),
		"order_with_user_data": len(AppendOrder(nil,
			NewOrder(&Transfer{UserData: UserData{Present: true}}, &crypto.Signature{}))),
		"vote":                       len(AppendVote(nil, vote)),
		"cert_3_votes":               len(AppendCertificate(nil, NewCertificate(order, make([]VoteEntry, 3)))),
		"cert_4_votes":               len(AppendCertificate(nil, NewCertificate(order, make([]VoteEntry, 4)))),
		"info_request_min":           len(AppendInfoRequest(nil, &InfoRequest{})),
		"info_response_min":          len(AppendInfoResponse(nil, &InfoResponse{})),
		"info_response_with_pending": len(AppendInfoResponse(nil, &InfoResponse{Pending: vote})),
	}
	want := loadVectors(t).Sizes
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: %d bytes, want %d", name, got[name], want[name])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d sizes, want %d", len(got), len(want))
	}
}

// TestGoldenArithmetic checks the rules of overflow. This package has no types for amounts and sequence numbers: both are
// differences and sums of balances that must fit in 64 bits.
func TestGoldenArithmetic(t *testing.T) {
	for _, v := range loadVectors(t).Arithmetic {
		name := fmt.Sprint(v.Type, " ", v.Op, " ", v.A, " ", v.B)
		if v.Op == "parse" {
			got, err := ParseBalance(v.A)
			if (err == nil) != (v.R.OK != nil) || err == nil && got.String() != *v.R.OK {
				t.Errorf("%s = %v, %v; want %+v", name, got, err, v.R)
			}
			continue
		}
		a, b := mustBalance(t, v.A), NewBalance(1)
		if v.B != "" {
			b = mustBalance(t, v.B)
		}
		got, ok := a, true
		switch v.Op {
		case "add", "increment":
			got, ok = a.Add(b)
		case "sub", "decrement":
			got, ok = a.Sub(b)
		case "to_amount":
		default:
			t.Fatalf("%s: unknown operation", name)
		}
		if v.Type != "Balance" || v.Op == "to_amount" {
			var amount uint64
			amount, ok = got.Amount()
			got = NewBalance(amount)
		}
		if ok != (v.R.OK != nil) || ok && got.String() != *v.R.OK {
			t.Errorf("%s = %v, %v; want %+v", name, got, ok, v.R)
		}
	}
	if n := uint64(MaxSequenceNumber) + 1; strconv.FormatUint(n, 10) != "9223372036854775808" {
		t.Errorf("the number after the largest sequence number is %d", n)
	}
}

// TestGoldenAddresses tries texts on the prototype's parser and ours. Ours is stricter, where listed.
func TestGoldenAddresses(t *testing.T) {
	stricter := map[string]string{
		"35 bytes (first 32 used)": "too long",
		"hex":                      "decodes as base64 to 48 bytes: too long",
	}
	v := loadVectors(t)
	for _, d := range v.AddressDecoding {
		got, err := ParseAddress(d.Input)
		want := d.Result.Kind == "ok" && stricter[d.Name] == ""
		delete(stricter, d.Name)
		if (err == nil) != want || want && got != Address(d.Result.Address) {
			t.Errorf("%s: ParseAddress(%q) = %x, %v; want %+v", d.Name, d.Input, got, err, d.Result)
		}
		if err != nil && !errors.Is(err, ErrAddress) {
			t.Errorf("%s: error %v does not wrap ErrAddress", d.Name, err)
		}
	}
	if len(stricter) > 0 {
		t.Errorf("listed as differences, but there are no such cases: %v", stricter)
	}
	for _, k := range v.Keys {
		a := Address(k.Public)
		if got := FormatAddress(&a); got != k.Base64 || len(got) != AddressTextSize {
			t.Errorf("%s: FormatAddress = %q, want %q", k.Name, got, k.Base64)
		}
		if got, err := ParseAddress(k.Base64); err != nil || got != a {
			t.Errorf("%s: ParseAddress(%q) = %x, %v", k.Name, k.Base64, got, err)
		}
	}
}

func TestGoldenDebug(t *testing.T) {
	v := loadVectors(t)
	for _, m := range v.Messages {
		if m.Name != "cert Primary with 3 votes in other order" {
			continue
		}
		c, err := ParseCertificate(m.Bincode[kindSize:])
		if err != nil {
			t.Fatal(err)
		}
		if got := string(c.AppendDebug(nil)); got != v.Configs.Certificate {
			t.Errorf("AppendDebug\n got %s\nwant %s", got, v.Configs.Certificate)
		}
		return
	}
	t.Fatal("the certificate is not among the messages")
}
