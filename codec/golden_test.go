package codec

import (
	"bytes"
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
